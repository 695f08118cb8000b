"""How a configuration is passed to an engine's own server: as data and pure functions.

The runner starts servers with it, and the operator computes from it what it writes into manifests: nothing
that a database holds as text has to be trusted for that.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.search.configurations import Configuration, Value

# Where the operator mounts the claims that models are on.
_CLAIMS_FOLDER = "/models"
_FILE_ENDING = ".gguf"


@dataclass(frozen=True)
class ModelReference:
    """How a model is passed to a server: a path, or a repository of the hub (and one file of it)."""

    name: str
    path: str | None = None
    repository: str | None = None
    file: str | None = None
    revision: str | None = None
    trust_remote_code: bool = False

    @classmethod
    def of(cls, source: str, *, trust_remote_code: bool = False) -> "ModelReference":
        """Return what `source` of a manifest stands for where nothing can be looked up."""
        scheme, _, rest = source.partition("://")
        if scheme == "hf":
            name, _, revision = rest.partition("@")
            organisation, model, *file = name.split("/", 2)
            repository = f"{organisation}/{model}"
            called = _stem(file[0]) if file else repository
            return cls(
                called, None, repository, file[0] if file else None, revision or None, trust_remote_code
            )
        if scheme == "package":  # where it is installed, nobody elsewhere knows
            rest = PurePosixPath(rest).name
        path = f"{_CLAIMS_FOLDER}/{rest}" if scheme == "pvc" else rest
        return cls(_stem(path), path, trust_remote_code=trust_remote_code)


def _stem(path: str) -> str:
    return PurePosixPath(path).name.removesuffix(_FILE_ENDING)


@dataclass(frozen=True)
class ServerDeclaration:
    """One engine's server.

    `model` gives the arguments that name its model, None where it cannot serve such a one. `arguments` says
    what a command line elsewhere must say of the parameters that were decided (full names). `command` gives
    the shell lines for a program with its model and what differs from the defaults. `request_fields` are
    the body fields that make sampling parameters take effect. `needs` says what must be installed beside the
    server for what differs from the defaults, "" where nothing must.
    """

    program: str
    model: Callable[[ModelReference], tuple[str, ...] | None]
    arguments: Callable[[Configuration, Collection[str]], ServeArguments]
    command: Callable[[Sequence[str], Configuration], str]
    request_fields: Callable[[Mapping[str, Value]], dict[str, Any]] = dict
    needs: Callable[[Configuration], str] = lambda _configuration: ""


def decided_in(group: str, configuration: Configuration, decided: Collection[str]) -> dict[str, Value]:
    """Return, by plain name, what of `decided` (full names) is of `group` and has a value."""
    values: Mapping[str, Value] = getattr(configuration, group)
    return {name: value for name, value in values.items() if f"{group}.{name}" in decided}
