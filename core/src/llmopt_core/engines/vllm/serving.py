"""How a configuration is passed to `vllm serve`."""

import json
import shlex
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.engines.servers import ModelReference, ServerDeclaration, decided_in
from llmopt_core.engines.vllm.flags import flags, spellings, variables
from llmopt_core.search.configurations import Configuration, Value

# vLLM has no default for it: a seed is drawn for each request that names none.
_ONLY_IN_REQUESTS = "seed"
_GENERATION = "--override-generation-config"


def model(reference: ModelReference) -> tuple[str, ...] | None:
    """Return what follows the program: a folder, or a repository of the hub."""
    # Without a name of its own a model of the offline hub would be called by its folder.
    name = ("--served-model-name", reference.name)
    trusted = ("--trust-remote-code",) if reference.trust_remote_code else ()
    if reference.path is not None:
        return ("serve", reference.path, *name, *trusted)
    if reference.repository is None or reference.file is not None:
        return None
    revision = ("--revision", reference.revision) if reference.revision else ()
    return ("serve", reference.repository, *revision, *name, *trusted)


def arguments(configuration: Configuration, decided: Collection[str]) -> ServeArguments:
    """Return the flags of `vllm serve`; sampling is what its clients get who send none."""
    engine = decided_in("engine", configuration, decided)
    sampling = decided_in("sampling", configuration, decided)
    defaults = _defaults(sampling)
    seed = sampling.get(_ONLY_IN_REQUESTS)
    return ServeArguments(
        given=(*flags(engine), *((_GENERATION, json.dumps(defaults)) if defaults else ())),
        flags={**spellings(engine), **({_GENERATION: True} if defaults else {})},
        omitted=(
            *(f"{name}={value} is an environment variable" for name, value in variables(engine).items()),
            *(() if seed is None else (f"seed={seed} goes with each request",)),
        ),
    )


def command(
    server: Sequence[str], configuration: Configuration, environment: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the shell line; sampling parameters become the server's defaults.

    `environment` are variables that the server needs beside those of its parameters.
    """
    defaults = _defaults(configuration.sampling)
    sampling = (_GENERATION, json.dumps(defaults)) if defaults else ()
    needed = {**environment, **variables(configuration.engine)}
    assignments = tuple(f"{name}={value}" for name, value in needed.items())
    prefix = ("env", *assignments) if assignments else ()
    line = shlex.join((*prefix, *server, *flags(configuration.engine), *sampling))
    seed = configuration.sampling.get(_ONLY_IN_REQUESTS)
    return line if seed is None else f"{line}  # send with each request: seed={seed}"


def _defaults(sampling: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in sampling.items() if name != _ONLY_IN_REQUESTS}


VLLM_SERVER = ServerDeclaration("vllm", model, arguments, command)
