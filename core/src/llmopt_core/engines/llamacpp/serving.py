"""How a configuration is passed to `llama-server`."""

import shlex
from collections.abc import Callable, Collection, Sequence

from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.engines.llamacpp.flags import LOAD_FLAGS, SAMPLING_FLAGS, Flag
from llmopt_core.engines.servers import ModelReference, ServerDeclaration, decided_in
from llmopt_core.search.configurations import Configuration


def model(reference: ModelReference) -> tuple[str, ...] | None:
    """Return the arguments for one GGUF file."""
    if reference.path is not None:
        return ("--model", reference.path, "--alias", reference.name)
    if reference.repository is None or reference.file is None:
        return None
    return ("--hf-repo", reference.repository, "--hf-file", reference.file, "--alias", reference.name)


def arguments(configuration: Configuration, decided: Collection[str]) -> ServeArguments:
    """Return the flags of `llama-server`; it has one for every parameter."""
    engine = decided_in("engine", configuration, decided)
    sampling = decided_in("sampling", configuration, decided)
    flags = [(LOAD_FLAGS[name], value) for name, value in engine.items()]
    flags += [(SAMPLING_FLAGS[name], value) for name, value in sampling.items()]
    return ServeArguments(
        given=tuple(argument for flag, value in flags for argument in flag.arguments(value)),
        flags={spelling: flag.kind != "bool" for flag, _ in flags for spelling in flag.spellings},
    )


def command(
    server: Sequence[str], configuration: Configuration, has: Callable[[Flag], bool] = lambda _flag: True
) -> str:
    """Return the shell line; what the server `has` no flag for stands in a comment."""
    load = (
        part for name, value in configuration.engine.items() for part in LOAD_FLAGS[name].arguments(value)
    )
    flags = {name: SAMPLING_FLAGS[name] for name in configuration.sampling if has(SAMPLING_FLAGS[name])}
    sampling = (part for name, flag in flags.items() for part in flag.arguments(configuration.sampling[name]))
    line = shlex.join((*server, *load, *sampling))
    absent = [f"{name}={value}" for name, value in configuration.sampling.items() if name not in flags]
    return f"{line}  # send with each request: {', '.join(absent)}" if absent else line


LLAMACPP_SERVER = ServerDeclaration("llama-server", model, arguments, command)
