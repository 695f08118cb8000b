"""The names a manifest can use: what is built in, and what installed packages register."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.registry import declaration_of, engine_names
from llmopt_core.metrics.catalog import CATALOG, GOOD_ANSWER_METRICS
from llmopt_core.plugins import PluginBroken, PluginGroup, load_plugin, plugin_names

MetricsOf = Callable[[str], tuple[str, ...] | None]


@dataclass(frozen=True)
class Known:
    """Names, and how to ask about some of them.

    `metrics_of` returns the metrics that an evaluator gives, None where that is not known: those of quality,
    and those of good answers where it scores each answer.
    `evaluator_of` returns the evaluator that a data set brings, None likewise; `holds_conversations` whether
    its items are conversations.
    """

    engines: tuple[str, ...]
    declaration: Callable[[str], EngineDeclaration | None]
    metrics: tuple[str, ...]
    datasets: tuple[str, ...]
    evaluators: tuple[str, ...]
    metrics_of: MetricsOf
    evaluator_of: Callable[[str], str | None]
    holds_conversations: Callable[[str], bool | None]


def installed() -> Known:
    """Return what this installation knows."""
    return Known(
        engines=engine_names(),
        declaration=declaration_of,
        metrics=(*CATALOG, *plugin_names(PluginGroup.METRICS)),
        datasets=plugin_names(PluginGroup.DATASETS),
        evaluators=plugin_names(PluginGroup.EVALUATORS),
        metrics_of=_metrics_of,
        evaluator_of=_evaluator_of,
        holds_conversations=_holds_conversations,
    )


def dataset_summary(name: str) -> str:
    """Return what the data set `name` says of itself in a few words; why not, where it cannot be loaded."""
    try:
        summary = getattr(_source(name), "summary", "")
    except PluginBroken as error:
        return str(error)
    return summary if isinstance(summary, str) and summary else "a plug-in"


def remembering(known: Known) -> Known:
    """Return `known`, asked once for each name: for many manifests of one installation."""
    return replace(
        known,
        declaration=cache(known.declaration),
        metrics_of=cache(known.metrics_of),
        evaluator_of=cache(known.evaluator_of),
        holds_conversations=cache(known.holds_conversations),
    )


def _metrics_of(evaluator: str) -> tuple[str, ...] | None:
    """Read what an evaluator's class says: `metrics` where there are several, else `metric`; `pairable`."""
    value = load_plugin(PluginGroup.EVALUATORS, evaluator).value
    several, one = getattr(value, "metrics", None), getattr(value, "metric", None)
    if isinstance(several, tuple):
        quality = several
    elif isinstance(one, str):
        quality = (one,)
    else:
        return None
    return (*quality, *GOOD_ANSWER_METRICS) if getattr(value, "pairable", True) else quality


def _evaluator_of(dataset: str) -> str | None:
    evaluator = getattr(_source(dataset), "evaluator", None)
    return evaluator if isinstance(evaluator, str) else None


def _holds_conversations(dataset: str) -> bool | None:
    conversations = getattr(_source(dataset), "conversations", None)
    return conversations if isinstance(conversations, bool) else None


def _source(dataset: str) -> object:
    source = load_plugin(PluginGroup.DATASETS, dataset).value
    return source() if callable(source) else source
