"""What is recommended of a configuration: how to start a server with it, and what goes with each request."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.servers import ModelReference
from llmopt_core.search.configurations import Configuration, Value


@dataclass(frozen=True)
class Recommendation:
    """A shell command, arguments for a server elsewhere, request fields; None: the engine has none.

    `needs` says what the command needs besides the server itself, "" for nothing.
    """

    command: str | None
    arguments: ServeArguments | None
    request_fields: Mapping[str, Any] = field(default_factory=dict)
    needs: str = ""


def recommend(
    declaration: EngineDeclaration,
    model: ModelReference,
    configuration: Configuration,
    *,
    searched: Mapping[str, Value],
    fixed: Mapping[str, Value],
) -> Recommendation:
    """Return how `configuration` is served; `searched` and `fixed` (full names) are what was decided."""
    server, changed = declaration.server, declaration.changed(configuration)
    sampling = declaration.request_part(changed)
    if server is None:
        return Recommendation(None, None, sampling)
    named = server.model(model)
    return Recommendation(
        None if named is None else server.command((server.program, *named), changed),
        decided_arguments(declaration, configuration, searched=searched, fixed=fixed),
        server.request_fields(sampling),
        server.needs(changed),
    )


def decided_arguments(
    declaration: EngineDeclaration,
    configuration: Configuration,
    *,
    searched: Mapping[str, Value],
    fixed: Mapping[str, Value],
) -> ServeArguments | None:
    """Return the settings of a server elsewhere: what was searched, and what the engine was fixed to."""
    if declaration.server is None:
        return None
    decided = {*searched, *(name for name in fixed if name.startswith("engine."))}
    arguments = declaration.server.arguments(configuration, decided)
    prompts = tuple(
        f"{name} is set by the client with each request"
        for name, value in searched.items()
        if name.startswith("prompt.") and value != fixed.get(name)
    )
    return replace(arguments, omitted=(*arguments.omitted, *prompts))
