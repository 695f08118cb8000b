"""A server that runs already and speaks OpenAI's API: only requests can be tuned.

Defaults are those of OpenAI's API reference. What goes beyond it (top_k, min_p, …) is offered only where
`engine.args.sampling_extensions` says that the endpoint takes it: servers differ in whether they refuse a
field that they do not know or ignore it silently.
"""

from llmopt_core.engines.declarations import (
    EngineDeclaration,
    ParameterDeclaration,
    When,
    by_full_name,
    completed,
    set_by_request,
)
from llmopt_core.engines.packaging import Packaging
from llmopt_core.engines.presets import CREATIVE, PresetTable, steps
from llmopt_core.search.configurations import Configuration

EXTENSIONS = "engine.sampling_extensions"
_PENALTY_LIMIT = 2


_STANDARD = (
    set_by_request("temperature", "float", "0 is greedy", default=1.0, low=0, high=2, neutral=1.0),
    set_by_request(
        "top_p", "float", "only the likeliest tokens up to this mass", default=1.0, low=0, high=1, neutral=1.0
    ),
    set_by_request(
        "presence_penalty",
        "float",
        "penalty on tokens that occurred",
        default=0.0,
        low=-_PENALTY_LIMIT,
        high=_PENALTY_LIMIT,
        neutral=0.0,
    ),
    set_by_request(
        "frequency_penalty",
        "float",
        "penalty per occurrence of a token",
        default=0.0,
        low=-_PENALTY_LIMIT,
        high=_PENALTY_LIMIT,
        neutral=0.0,
    ),
    set_by_request("seed", "int", "unset: the server's choice", default=None, low=0, high=2**31 - 1),
)
_BEYOND = (
    set_by_request("top_k", "int", "only the k likeliest tokens; an extension", default=None, low=-1),
    set_by_request(
        "min_p",
        "float",
        "only tokens at least so likely against the best; an extension",
        default=None,
        low=0,
        high=1,
    ),
    set_by_request("repetition_penalty", "float", "1.0: off; an extension", default=None, low=0),
    set_by_request("repeat_penalty", "float", "1.0: off; an extension", default=None, low=0),
)
_ENGINE = (
    ParameterDeclaration(
        "sampling_extensions",
        "engine",
        "text",
        When.LOAD,
        None,
        "request fields beyond OpenAI's that the endpoint takes, separated by commas, such as top_k,min_p",
    ),
)
_PARAMETERS = by_full_name((*_ENGINE, *_STANDARD, *_BEYOND))


def canonical(configuration: Configuration) -> Configuration:
    """Fill in OpenAI's defaults; at temperature 0, drop what only chooses among likely tokens."""
    values = completed(configuration, _PARAMETERS)
    if values["sampling.temperature"] == 0:
        values["sampling.top_p"] = 1.0
        for name in ("sampling.seed", "sampling.top_k", "sampling.min_p"):
            values.pop(name, None)
    return Configuration.from_flat(values)


def conflicts(configuration: Configuration) -> tuple[str, ...]:
    """Return one sentence per request field that the endpoint is not said to take."""
    extensions = str(configuration.engine.get("sampling_extensions", ""))
    taken = {name.strip() for name in extensions.split(",")}
    return tuple(
        f"sampling.{field.name} is not one of OpenAI's own fields: if the endpoint takes it, "
        f"write engine.args.sampling_extensions: {field.name}"
        for field in _BEYOND
        if field.name in configuration.sampling and field.name not in taken
    )


OPENAI = EngineDeclaration(
    name="openai",
    summary="a server that runs already, by its OpenAI-compatible endpoint",
    needs_model_file=False,
    parameters=_PARAMETERS,
    canonical=canonical,
    asks_endpoint=True,
    preset=PresetTable(
        creative=(
            *CREATIVE,
            steps("presence_penalty", "0", "1", "0.25"),
            steps("frequency_penalty", "0", "1", "0.25"),
        )
    ),
    # It starts no server, so every image of runners has it.
    packaging=Packaging(image="base"),
    conflicts=conflicts,
    # No field of OpenAI's own fixes the length; servers that can take one of these. The answers are checked.
    fixed_length=lambda tokens: {"ignore_eos": True, "min_tokens": tokens},
)
