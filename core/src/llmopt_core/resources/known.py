"""The names a manifest can use: what is built in, and what installed packages register."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.registry import declaration_of, engine_names
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.plugins import PluginGroup, load_plugin, plugin_names

MetricsOf = Callable[[str], tuple[str, ...] | None]


@dataclass(frozen=True)
class Known:
    """Names, and how to ask about two of them.

    `metrics_of` returns the quality metrics that an evaluator gives, None where that is not known.
    `evaluator_of` returns the evaluator that a data set brings, None likewise.
    """

    engines: tuple[str, ...]
    declaration: Callable[[str], EngineDeclaration | None]
    metrics: tuple[str, ...]
    datasets: tuple[str, ...]
    evaluators: tuple[str, ...]
    metrics_of: MetricsOf
    evaluator_of: Callable[[str], str | None]


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
    )


def remembering(known: Known) -> Known:
    """Return `known`, asked once for each name: for whoever checks many manifests of one installation."""
    return replace(
        known,
        declaration=cache(known.declaration),
        metrics_of=cache(known.metrics_of),
        evaluator_of=cache(known.evaluator_of),
    )


def _metrics_of(evaluator: str) -> tuple[str, ...] | None:
    """Read what an evaluator's class says: `metrics` where there are several, else `metric`."""
    value = load_plugin(PluginGroup.EVALUATORS, evaluator).value
    several = getattr(value, "metrics", None)
    if isinstance(several, tuple):
        return several
    one = getattr(value, "metric", None)
    return (one,) if isinstance(one, str) else None


def _evaluator_of(dataset: str) -> str | None:
    source = load_plugin(PluginGroup.DATASETS, dataset).value
    evaluator = getattr(source() if callable(source) else source, "evaluator", None)
    return evaluator if isinstance(evaluator, str) else None
