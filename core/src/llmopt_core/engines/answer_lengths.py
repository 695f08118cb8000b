"""What can change the length of answers, and which objectives it misleads.

An objective per token improves when answers grow longer: a prompt is read once, however long its answer is.
So between configurations whose answers differ in length it does not say which one serves better.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.registry import declaration_of
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.plugins import PluginBroken
from llmopt_core.search.configurations import Configuration, Value

_ALTERNATIVES = "requests_per_second, e2e_ms_mean (or another e2e_ms_…) or good_answers_per_second"
_SHOWN = 3
_NO_SAY = frozenset({"sampling.seed"})


@dataclass(frozen=True)
class Variant:
    """One thing that is compared: a model on an engine, with `parameters` by full name.

    `origin` says whose result it is where the rest is not known yet.
    """

    model: str = ""
    engine: str = ""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    origin: str = ""


def changes_answers(engine: str, full_name: str) -> bool:
    """Say whether the parameter can change what `engine` answers, and with it how long answers are."""
    if not full_name.startswith("engine."):
        return full_name not in _NO_SAY
    declaration = _declared(engine)
    known = declaration.parameters.get(full_name) if declaration else None
    return known is not None and known.changes_answers


def searched_causes(engine: str, full_names: Iterable[str]) -> tuple[str, ...]:
    """Return which of the searched parameters can change the length of answers."""
    return tuple(name for name in full_names if changes_answers(engine, name))


def compared_causes(variants: Sequence[Variant]) -> tuple[str, ...]:
    """Return what of `variants` differs and can change the length of answers."""
    known = [each for each in variants if not each.origin]
    origins = dict.fromkeys(each.origin for each in variants if each.origin) if len(variants) > 1 else {}
    parts = {
        "the model": {each.model for each in known},
        "the engine": {each.engine for each in known},
    }
    settings = [_settings_of(each) for each in known]
    names = dict.fromkeys(name for each in known for name in each.parameters)
    differing = (name for name in names if len({each.get(name) for each in settings}) > 1)
    return (
        *(part for part, values in parts.items() if len(values) > 1),
        *(name for name in differing if any(changes_answers(each.engine, name) for each in known)),
        *(f"what {origin} found" for origin in origins),
    )


def _settings_of(variant: Variant) -> dict[str, Value]:
    """Return all settings of a variant: a default that is written down is no difference."""
    declaration = _declared(variant.engine)
    if declaration is None:
        return dict(variant.parameters)
    return declaration.canonical(Configuration.from_flat(variant.parameters)).flat()


def _declared(engine: str) -> EngineDeclaration | None:
    """Return what the engine declares; None where a study is read without its plug-in."""
    try:
        return declaration_of(engine)
    except PluginBroken:
        return None


def misleading(metric: str, causes: Sequence[str], *, remedy: str = "") -> str:
    """Return why `metric` misleads as an objective where `causes` change answers; empty: it does not.

    `remedy` says how the length can be fixed instead, where it can.
    """
    if not causes or not find_metric(metric).per_token:
        return ""
    return (
        f"{metric} is per token, so it rewards longer answers, and {_listed(causes)} can change how long they"
        f" are: use {_ALTERNATIVES}{f', or {remedy}' if remedy else ''}"
    )


def _listed(causes: Sequence[str]) -> str:
    shown, more = list(causes[:_SHOWN]), len(causes) - _SHOWN
    if more > 0:
        shown.append(f"{more} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
