"""Search spaces for those who give none: what is worth searching towards a purpose, by engine.

A preset depends on the manifest alone, never on the machine that reads it: every runner and every reader
must derive the same study.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.resources.base import Scalar
from llmopt_core.resources.search_spaces import parse_value
from llmopt_core.resources.searching import SearchParameter, Space, When
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.search.spaces import Condition

Preset = Literal["balanced", "accuracy", "creativity", "speed"]

Asked = dict[str, Any]


@dataclass(frozen=True)
class _Table:
    """What of an engine is worth searching.

    `server` is how it works, `cautious` how its answers are sampled where they shall be right, `creative`
    where they shall differ.
    """

    server: Sequence[Asked]
    cautious: Sequence[Asked]
    creative: Sequence[Asked]


def _number(name: str, low: str, high: str, step: str, **more: Any) -> Asked:
    return {"name": name, "float": {"low": low, "high": high, "step": step}, **more}


def _one_of(name: str, *choices: int | str, **more: Any) -> Asked:
    return {"name": name, "categorical": {"choices": list(choices)}, **more}


def _in(parameter: str, *values: str) -> list[Asked]:
    return [{"parameter": parameter, "in": list(values)}]


# At temperature 0 nothing that removes unlikely tokens has an effect.
_WHEN_SAMPLED = [{"parameter": "sampling.temperature", "above": "0"}]
_TEMPERATURE = _number("temperature", "0", "1.2", "0.1")
_HOT = _number("temperature", "0.5", "1.5", "0.1")
_TOP_P = _number("top_p", "0.5", "1", "0.05", when=_WHEN_SAMPLED)
_MIN_P = _number("min_p", "0", "0.2", "0.05", when=_WHEN_SAMPLED)
_CAUTIOUS = (_TEMPERATURE, _TOP_P, _MIN_P)


_LLAMACPP = _Table(
    server=(
        {"name": "n_parallel", "int": {"low": 1, "high": 8, "log": True}},
        _one_of("n_batch", 512, 1024, 2048),
        _one_of("n_ubatch", 128, 256, 512),
        _one_of("flash_attn", "on", "off"),
        _one_of("cache_type_k", "f16", "q8_0"),
        # llama.cpp refuses a quantised V cache without flash attention.
        _one_of("cache_type_v", "f16", "q8_0", when=_in("engine.flash_attn", "on")),
    ),
    cautious=_CAUTIOUS,
    creative=(_HOT, _TOP_P, _MIN_P, _number("repeat_penalty", "1", "1.3", "0.05")),
)
_TRANSFORMERS = _Table(
    server=(
        _one_of("continuous_batching", "true", "false"),
        _one_of("cb_block_size", 64, 128, 256, when=_in("engine.continuous_batching", "true")),
        _one_of("cb_max_batch_tokens", 2048, 8192, when=_in("engine.continuous_batching", "true")),
        # Quantised weights are slow to batch, and are there to spare the memory that a paged cache takes.
        _one_of(
            "quantization", "none", "bnb-8bit", "bnb-4bit", when=_in("engine.continuous_batching", "false")
        ),
        _one_of("attn_implementation", "sdpa", "eager"),
    ),
    cautious=_CAUTIOUS,
    creative=(
        _HOT,
        _TOP_P,
        _MIN_P,
        # Batching ignores it.
        _number("repetition_penalty", "1", "1.3", "0.05", when=_in("engine.continuous_batching", "false")),
    ),
)
_VLLM = _Table(
    server=(
        # Each of the first is below each of the second: a request needs a token in each step.
        _one_of("max_num_seqs", 16, 64, 256),
        _one_of("max_num_batched_tokens", 2048, 4096, 8192),
        _one_of("enable_prefix_caching", "true", "false"),
    ),
    cautious=_CAUTIOUS,
    creative=(_HOT, _TOP_P, _MIN_P, _number("repetition_penalty", "1", "1.3", "0.05")),
)
_OPENAI = _Table(
    server=(),  # it runs already
    cautious=_CAUTIOUS,
    creative=(
        _HOT,
        _TOP_P,
        _MIN_P,
        _number("presence_penalty", "0", "1", "0.25"),
        _number("frequency_penalty", "0", "1", "0.25"),
    ),
)
_TABLES: Mapping[str, _Table] = {
    "llamacpp": _LLAMACPP,
    "openai": _OPENAI,
    "transformers": _TRANSFORMERS,
    "vllm": _VLLM,
}


def _few_shot(most: int) -> list[Asked]:
    return [{"name": "few_shot", "int": {"low": 0, "high": most}}]


def _groups(preset: Preset, table: _Table) -> Mapping[str, Sequence[Asked]]:
    """Return what `preset` searches by group; the order is that in which parameters are asked."""
    return {
        "balanced": {"engine": table.server, "sampling": table.cautious, "prompt": _few_shot(3)},
        "accuracy": {"sampling": table.cautious, "prompt": _few_shot(5)},
        "creativity": {"sampling": table.creative},
        "speed": {"engine": table.server},
    }[preset]


def preset_space(preset: Preset, declaration: EngineDeclaration, fixed: Mapping[str, Value]) -> Space:
    """Return the space of `preset` for the engine, without what is `fixed` (by full name) already.

    A plug-in's engine is searched in what it declares under llama.cpp's names.
    """
    groups = {
        group: [SearchParameter.model_validate(each) for each in asked]
        for group, asked in _groups(preset, _TABLES.get(declaration.name, _LLAMACPP)).items()
    }
    kept = dict(_searchable(groups, declaration, fixed))
    return Space.model_validate(
        {
            group: [kept[name] for each in asked if (name := f"{group}.{each.name}") in kept]
            for group, asked in groups.items()
        }
    )


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
