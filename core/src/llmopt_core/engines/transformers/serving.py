"""How a configuration is passed to `transformers serve`; sampling and bnb_4bit options have no flags."""

import json
import shlex
from collections.abc import Collection, Mapping, Sequence

from llmopt_core.engines.arguments import ServeArguments, spellings_of
from llmopt_core.engines.servers import ModelReference, ServerDeclaration, decided_in
from llmopt_core.engines.transformers.bnb_4bit import LAUNCHER, NAMES, unflagged
from llmopt_core.engines.transformers.requests import generation_config, request_fields
from llmopt_core.engines.transformers.rules import freezes_sampling
from llmopt_core.search.configurations import Configuration, Value

# What it listens at by default.
_OWN_URL = "http://localhost:8000"
# What has no flag.
_VARIABLES = {"threads": "OMP_NUM_THREADS"}


def model(reference: ModelReference) -> tuple[str, ...] | None:
    """Return what follows the program: a folder, or a repository of the hub."""
    trusted = ("--trust-remote-code",) if reference.trust_remote_code else ()
    if reference.path is not None:
        return ("serve", reference.path, *trusted)
    if reference.repository is None or reference.file is not None:
        return None
    revision = f"@{reference.revision}" if reference.revision else ""
    return ("serve", f"{reference.repository}{revision}", *trusted)


def arguments(configuration: Configuration, decided: Collection[str]) -> ServeArguments:
    """Return the flags of `transformers serve`; sampling goes with each request."""
    engine = decided_in("engine", configuration, decided)
    sampling = decided_in("sampling", configuration, decided)
    named = {name: value for name, value in engine.items() if name not in _VARIABLES}
    return ServeArguments(
        given=flags({name: value for name, value in named.items() if name not in NAMES}),
        flags=spellings_of(named),
        omitted=(
            *(f"{name}={value} is an environment variable" for name, value in variables(engine).items()),
            *(f"{name}={engine[name]} is a flag of python -m {LAUNCHER} only" for name in unflagged(engine)),
            *(f"{name}={value} goes with each request" for name, value in sampling.items()),
        ),
    )


def command(server: Sequence[str], configuration: Configuration) -> str:
    """Return the shell lines for `server`, the plain program with its model, on any machine."""
    need = needs(configuration)
    if not need:
        return shell_lines(server, configuration)
    return f"{shell_lines(('python', '-m', LAUNCHER, *server[1:]), configuration)}\n# it needs {need}"


def needs(configuration: Configuration) -> str:
    """Return what must be installed for what the server has no flags for, "" where it has all flags."""
    names = ", ".join(unflagged(configuration.engine))
    return (
        f"the extra transformers of llmopt, for transformers serve has no flag for {names}" if names else ""
    )


def shell_lines(server: Sequence[str], configuration: Configuration) -> str:
    """Return the shell lines; comments say what goes with each request, or with the very first one."""
    assigned = tuple(f"{name}={value}" for name, value in variables(configuration.engine).items())
    prefix = ("env", *assigned) if assigned else ()
    lines = [shlex.join((*prefix, *server, *flags(configuration.engine)))]
    frozen = freezes_sampling(configuration)
    if frozen and (generation := generation_config(configuration.sampling)):
        name = server[list(server).index("serve") + 1]
        lines.append(f"# before all else, once: {_first_request(name, generation)}")
    asked = {name: value for name, value in configuration.sampling.items() if not frozen or name == "seed"}
    if fields := request_fields(asked):
        lines.append(f"# send with each request: {json.dumps(fields)}")
    return "\n".join(lines)


def flags(parameters: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the command line arguments that make the engine's `parameters` take effect.

    Those of bnb_4bit options are there only where the plain server would have others.
    """
    left_out = () if unflagged(parameters) else NAMES
    return tuple(
        part for name, value in parameters.items() if name not in left_out for part in _flag(name, value)
    )


def variables(parameters: Mapping[str, Value]) -> dict[str, str]:
    """Return the environment variables for those of `parameters` that there is no flag for."""
    return {_VARIABLES[name]: str(parameters[name]) for name in parameters if name in _VARIABLES}


def _flag(name: str, value: Value) -> tuple[str, ...]:
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return (f"--{dashed}" if value else f"--no-{dashed}",)
    if name in _VARIABLES or (name, value) == ("quantization", "none"):  # a default without a word
        return ()
    return (f"--{dashed}", str(value))


def _first_request(model_name: str, generation: Mapping[str, Value]) -> str:
    body = {
        "model": model_name,
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 1,
        "generation_config": json.dumps(generation),
    }
    url = f"{_OWN_URL}/v1/chat/completions"
    return shlex.join(("curl", url, "-H", "Content-Type: application/json", "-d", json.dumps(body)))


TRANSFORMERS_SERVER = ServerDeclaration("transformers", model, arguments, command, request_fields, needs)
