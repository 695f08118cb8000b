"""Search spaces for those who give none: what is worth searching towards a purpose, by engine.

A preset depends on the manifest alone, never on the machine that reads it: every runner and every reader
must derive the same study.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.presets import PresetTable, Suggestion, count
from llmopt_core.resources.base import Scalar
from llmopt_core.resources.search_spaces import parse_value
from llmopt_core.resources.searching import SearchParameter, Space, When
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.search.spaces import Condition

Preset = Literal["balanced", "accuracy", "creativity", "speed"]

_FEW, _MORE = (count("few_shot", 0, 3),), (count("few_shot", 0, 5),)


def _groups(preset: Preset, table: PresetTable) -> Mapping[str, Sequence[Suggestion]]:
    """Return what `preset` searches by group; the order is that in which parameters are asked."""
    return {
        "balanced": {"engine": table.server, "sampling": table.cautious, "prompt": _FEW},
        "accuracy": {"sampling": table.cautious, "prompt": _MORE},
        "creativity": {"sampling": table.creative},
        "speed": {"engine": table.server},
    }[preset]


def preset_space(preset: Preset, declaration: EngineDeclaration, fixed: Mapping[str, Value]) -> Space:
    """Return the space of `preset` for the engine, without what is `fixed` (by full name) already."""
    groups = {
        group: [_parameter(each) for each in suggested]
        for group, suggested in _groups(preset, declaration.preset).items()
    }
    kept = dict(_searchable(groups, declaration, fixed))
    return Space.model_validate(
        {
            group: [kept[name] for each in asked if (name := f"{group}.{each.name}") in kept]
            for group, asked in groups.items()
        }
    )


def _parameter(suggested: Suggestion) -> SearchParameter:
    """Return `suggested` as a manifest has it."""
    bounds = {"low": suggested.low, "high": suggested.high, "step": suggested.step, "log": suggested.log}
    values = {"choices": list(suggested.choices)} if suggested.choices else _said(bounds)
    conditions = (
        {"parameter": only.parameter, "in": list(only.values) or None, "above": only.above}
        for only in suggested.when
    )
    return SearchParameter.model_validate(
        {"name": suggested.name, suggested.kind: values, "when": [_said(each) for each in conditions]}
    )


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None and value is not False}


def _searchable(
    groups: Mapping[str, list[SearchParameter]], declaration: EngineDeclaration, fixed: Mapping[str, Value]
) -> Iterator[tuple[str, SearchParameter]]:
    """Yield by full name what can be searched: declared, not fixed, and not idle under what is fixed."""
    able: set[str] = set()
    for group, asked in groups.items():
        for each in asked:
            name = f"{group}.{each.name}"
            if name in fixed or not (group == "prompt" or _takes(declaration, name, each, fixed)):
                continue
            open_, settled = _conditions(each.when, able, declaration, fixed)
            if settled:
                able.add(name)
                yield name, each.model_copy(update={"when": open_})


def _conditions(
    conditions: Sequence[When], able: set[str], declaration: EngineDeclaration, fixed: Mapping[str, Value]
) -> tuple[list[When], bool]:
    """Return the conditions on what is searched, and whether the others hold under what is not."""
    open_ = [when for when in conditions if when.parameter in able]
    values = {**_defaults(declaration), **fixed}
    return open_, all(_holds(when, values, declaration) for when in conditions if when not in open_)


def _defaults(declaration: EngineDeclaration) -> dict[str, Value]:
    return {
        name: known.default for name, known in declaration.parameters.items() if known.default is not None
    }


def _holds(when: When, values: Mapping[str, Value], declaration: EngineDeclaration) -> bool:
    if when.parameter not in declaration.parameters:
        return False
    among = None
    if when.in_ is not None:
        among = tuple(parse_value(when.parameter, value, declaration) for value in when.in_)
    bounds = [None if bound is None else float(bound) for bound in (when.above, when.below)]
    return Condition(when.parameter, among, *bounds).holds(values)


def _takes(
    declaration: EngineDeclaration, name: str, asked: SearchParameter, fixed: Mapping[str, Value]
) -> bool:
    """Say whether the engine, with what is `fixed`, takes every value of the parameter."""
    if name not in declaration.parameters:
        return False
    values = (parse_value(name, value, declaration) for value in _extremes(asked))
    return not any(declaration.conflicts(Configuration.from_flat({**fixed, name: value})) for value in values)


def _extremes(asked: SearchParameter) -> Sequence[Scalar]:
    if asked.categorical is not None:
        return asked.categorical.choices
    span = asked.int_ or asked.float_
    assert span is not None  # noqa: S101 - a parameter is one of three
    return (span.low, span.high)
