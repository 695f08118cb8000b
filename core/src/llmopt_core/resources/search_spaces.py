"""From a manifest's search space to dimensions with typed values."""

from collections.abc import Mapping
from decimal import Decimal

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.resources.base import Scalar
from llmopt_core.resources.optimization import SearchParameter, Space, When
from llmopt_core.search.configurations import GROUPS, Configuration, Group, Value
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    Dimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)

_DECIMALS = 10
# What of the prompt can be searched, and the type of its values.
PROMPT_PARAMETERS: Mapping[str, type[int] | type[str]] = {"few_shot": int, "system": str, "template": str}


def parse_value(full_name: str, value: Scalar, declaration: EngineDeclaration) -> Value:
    """Return `value` of a manifest in the type of the parameter; raises ValueError with what was expected."""
    group, _, name = full_name.partition(".")
    if group == "prompt":
        if name not in PROMPT_PARAMETERS:
            raise ValueError(f"{name!r} is not a prompt parameter; there are {', '.join(PROMPT_PARAMETERS)}")
        return PROMPT_PARAMETERS[name](value)
    if full_name not in declaration.parameters:
        raise ValueError(f"engine {declaration.name} has no parameter {full_name!r}")
    return declaration.parameters[full_name].parse(value)


def parse_values(
    parameters: dict[str, Scalar], declaration: EngineDeclaration, group: Group | None = None
) -> dict[str, Value]:
    """Return `parameters` typed, by full name; with `group`, their names are plain ones of that group."""
    prefix = f"{group}." if group else ""
    return {
        prefix + name: parse_value(prefix + name, value, declaration) for name, value in parameters.items()
    }


def build_space(space: Space, declaration: EngineDeclaration) -> SearchSpace:
    """Return the dimensions of `space` in its order, in which conditions name earlier parameters."""
    return SearchSpace(
        tuple(
            _parameter(f"{group}.{parameter.name}", parameter, declaration)
            for group in GROUPS
            for parameter in getattr(space, group)
        )
    )


def _parameter(full_name: str, asked: SearchParameter, declaration: EngineDeclaration) -> SpaceParameter:
    conditions = tuple(_condition(when, declaration) for when in asked.when)
    return SpaceParameter(full_name, _dimension(full_name, asked, declaration), conditions)


def _dimension(full_name: str, asked: SearchParameter, declaration: EngineDeclaration) -> Dimension:
    if asked.int_ is not None:
        return IntDimension(asked.int_.low, asked.int_.high, asked.int_.step, asked.int_.log)
    if asked.float_ is not None:
        step = None if asked.float_.step is None else float(Decimal(asked.float_.step))
        return FloatDimension(float(asked.float_.low), float(asked.float_.high), step, asked.float_.log)
    if asked.categorical is not None:
        choices = asked.categorical.choices
        return ChoiceDimension(tuple(parse_value(full_name, choice, declaration) for choice in choices))
    raise ValueError(f"{full_name} has none of int, float, categorical")


def _condition(when: When, declaration: EngineDeclaration) -> Condition:
    among = None
    if when.in_ is not None:
        among = tuple(parse_value(when.parameter, value, declaration) for value in when.in_)
    return Condition(
        when.parameter,
        among,
        None if when.above is None else float(when.above),
        None if when.below is None else float(when.below),
    )


def complete(
    parameters: dict[str, Value], fixed: dict[str, Value], declaration: EngineDeclaration
) -> Configuration:
    """Return the canonical configuration: what is searched over what is fixed over the engine's defaults.

    Steps of a float dimension add up to 0.6000000000000001: people and configurations get 0.6.
    """
    known = {name: _plain(value) for name, value in {**fixed, **parameters}.items()}
    return declaration.canonical(Configuration.from_flat(known))


def _plain(value: Value) -> Value:
    return round(value, _DECIMALS) if isinstance(value, float) else value
