"""Search spaces for those who give none: what is worth searching towards a purpose, by engine.

A preset depends on the manifest alone, never on the machine that reads it: every runner and every reader
must derive the same study.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.resources.base import Scalar
from llmopt_core.resources.searching import SearchParameter, Space
from llmopt_core.search.building import parse_value
from llmopt_core.search.configurations import Configuration, Value

Preset = Literal["balanced", "accuracy", "creativity", "speed"]

Asked = dict[str, Any]

_WHEN_SAMPLED = [{"parameter": "sampling.temperature", "above": "0"}]
_TEMPERATURE: Asked = {"name": "temperature", "float": {"low": "0", "high": "1.2", "step": "0.1"}}
_HOT: Asked = {"name": "temperature", "float": {"low": "0.5", "high": "1.5", "step": "0.1"}}
_TOP_P: Asked = {"name": "top_p", "float": {"low": "0.5", "high": "1", "step": "0.05"}, "when": _WHEN_SAMPLED}
_MIN_P: Asked = {"name": "min_p", "float": {"low": "0", "high": "0.2", "step": "0.05"}, "when": _WHEN_SAMPLED}
_REPEAT_PENALTY: Asked = {"name": "repeat_penalty", "float": {"low": "1", "high": "1.3", "step": "0.05"}}

# llama.cpp's; other engines declare theirs, and what an engine does not declare is left out.
_SERVER: list[Asked] = [
    {"name": "n_parallel", "int": {"low": 1, "high": 8, "log": True}},
    {"name": "n_batch", "categorical": {"choices": [512, 1024, 2048]}},
    {"name": "n_ubatch", "categorical": {"choices": [128, 256, 512]}},
    {"name": "flash_attn", "categorical": {"choices": ["on", "off"]}},
    {"name": "cache_type_k", "categorical": {"choices": ["f16", "q8_0"]}},
    {
        "name": "cache_type_v",
        "categorical": {"choices": ["f16", "q8_0"]},
        "when": [{"parameter": "engine.flash_attn", "in": ["on"]}],
    },
]


def _few_shot(most: int) -> list[Asked]:
    return [{"name": "few_shot", "int": {"low": 0, "high": most}}]


_PRESETS: Mapping[Preset, Mapping[str, list[Asked]]] = {
    "balanced": {"engine": _SERVER, "sampling": [_TEMPERATURE, _TOP_P, _MIN_P], "prompt": _few_shot(3)},
    "accuracy": {"sampling": [_TEMPERATURE, _TOP_P, _MIN_P], "prompt": _few_shot(5)},
    "creativity": {"sampling": [_HOT, _TOP_P, _MIN_P, _REPEAT_PENALTY]},
    "speed": {"engine": _SERVER},
}


def preset_space(preset: Preset, declaration: EngineDeclaration, fixed: Mapping[str, Value]) -> Space:
    """Return the space of `preset` for the engine, without what is `fixed` (by full name) already."""
    groups = {
        group: [SearchParameter.model_validate(each) for each in asked]
        for group, asked in _PRESETS[preset].items()
    }
    names = set(_searchable(groups, declaration, fixed))
    return Space.model_validate(
        {
            group: [each for each in asked if f"{group}.{each.name}" in names]
            for group, asked in groups.items()
        }
    )


def _searchable(
    groups: Mapping[str, list[SearchParameter]], declaration: EngineDeclaration, fixed: Mapping[str, Value]
) -> Iterator[str]:
    """Yield the full names that can be searched: declared, not fixed, with all they are conditioned on."""
    able: set[str] = set()
    for group, asked in groups.items():
        for each in asked:
            name = f"{group}.{each.name}"
            if name in fixed or not all(when.parameter in able for when in each.when):
                continue
            if group == "prompt" or _takes(declaration, name, each, fixed):
                able.add(name)
                yield name


def _takes(
    declaration: EngineDeclaration, name: str, asked: SearchParameter, fixed: Mapping[str, Value]
) -> bool:
    """Say whether the engine, with what is `fixed`, has the parameter at all."""
    if name not in declaration.parameters:
        return False
    value = parse_value(name, _first(asked), declaration)
    return not declaration.conflicts(Configuration.from_flat({**fixed, name: value}))


def _first(asked: SearchParameter) -> Scalar:
    if asked.categorical is not None:
        return asked.categorical.choices[0]
    span = asked.int_ or asked.float_
    assert span is not None  # noqa: S101 - a parameter is one of three
    return span.low
