"""How a configuration is passed to `sglang serve`."""

import shlex
from collections.abc import Collection, Mapping, Sequence

from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.engines.servers import ModelReference, ServerDeclaration, decided_in
from llmopt_core.engines.sglang.parameters import NO_METHOD
from llmopt_core.search.configurations import Configuration, Value

# Other flags of SGLang's own for the same.
_SHORT = {
    "tensor_parallel_size": ("--tp-size", "--tp"),
    "pipeline_parallel_size": ("--pp-size", "--pp"),
    "data_parallel_size": ("--dp-size", "--dp"),
    "expert_parallel_size": ("--ep-size", "--ep"),
    "speculative_draft_model_path": ("--speculative-draft-model",),
    "enable_hierarchical_cache": ("--enable-hicache",),
}


def other_names() -> dict[str, str]:
    """Return SGLang's other flags as names: by full name, to the full name of the parameter."""
    return {
        f"engine.{flag.removeprefix('--').replace('-', '_')}": f"engine.{name}"
        for name, flags in _SHORT.items()
        for flag in flags
    }


def model(reference: ModelReference) -> tuple[str, ...] | None:
    """Return what follows the program: a folder, or a repository of the hub."""
    name = ("--served-model-name", reference.name)
    trusted = ("--trust-remote-code",) if reference.trust_remote_code else ()
    if reference.path is not None:
        return ("serve", "--model-path", reference.path, *name, *trusted)
    if reference.repository is None or reference.file is not None:
        return None
    revision = ("--revision", reference.revision) if reference.revision else ()
    return ("serve", "--model-path", reference.repository, *revision, *name, *trusted)


def flags(parameters: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the arguments for `parameters`; what is off has no flag, for all of it is off by default."""
    return tuple(argument for name, value in parameters.items() for argument in _arguments(name, value))


def arguments(configuration: Configuration, decided: Collection[str]) -> ServeArguments:
    """Return the flags; sampling parameters go with each request, for the server has no flag for them."""
    engine = decided_in("engine", configuration, decided)
    sampling = decided_in("sampling", configuration, decided)
    spelled = {name: (f"--{name.replace('_', '-')}", *_SHORT.get(name, ())) for name in engine}
    return ServeArguments(
        given=flags(engine),
        flags={flag: not isinstance(engine[name], bool) for name in engine for flag in spelled[name]},
        omitted=tuple(f"{name}={value} goes with each request" for name, value in sampling.items()),
    )


def command(server: Sequence[str], configuration: Configuration) -> str:
    """Return the shell line; what goes with each request stands in a comment below."""
    line = shlex.join((*server, *flags(configuration.engine)))
    fields = ", ".join(f"{name}={value}" for name, value in configuration.sampling.items())
    return f"{line}\n# send with each request: {fields}" if fields else line


def _arguments(name: str, value: Value) -> tuple[str, ...]:
    dashed = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return (dashed,) if value else ()
    return () if value == NO_METHOD and name == "speculative_algorithm" else (dashed, str(value))


SGLANG_SERVER = ServerDeclaration("sglang", model, arguments, command)
