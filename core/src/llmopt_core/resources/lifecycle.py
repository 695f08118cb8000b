"""What both kinds share: how long a study runs and lives, and which metrics need more of the manifest."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from llmopt_core.resources.rules import Rule

Suspend = Annotated[bool, Field(description="Stop the runners and keep the study.")]
TtlSeconds = Annotated[
    Annotated[int, Field(ge=0, le=2**31 - 1)] | None,
    Field(description="Delete the resource this long after it ended."),
]
StudyRetention = Annotated[
    Literal["Keep", "Delete"], Field(description="What becomes of the study when the resource is deleted.")
]

# Field of the workload by the beginning of the metrics that cannot be measured without it.
_NEEDED: Mapping[str, str] = {"goodput_": "slo", "cost_per_": "hourly_price"}
# What `workload.load.maxRate` searches by, for each metric that is its result.
_SEARCHED: Mapping[str, str] = {"max_request_rate": "rate", "max_concurrency": "concurrency"}


def metric_rules(
    asks: Callable[[str], str], metrics: Callable[[Any], Iterable[str]], *, reads: tuple[str, ...]
) -> tuple[Rule, ...]:
    """Return the rules that what a metric needs is given, for a spec that asks for metrics.

    `asks` returns a CEL expression that says whether a metric beginning with its argument is asked for,
    `metrics` the metrics that a parsed spec asks for, `reads` the fields they stand in.
    """
    given = (_metric_rule(prefix, field, asks, metrics, reads) for prefix, field in _NEEDED.items())
    searched = (_searched_rule(metric, by, asks, metrics, reads) for metric, by in _SEARCHED.items())
    return (*given, *searched)


def _metric_rule(
    prefix: str,
    field: str,
    asks: Callable[[str], str],
    metrics: Callable[[Any], Iterable[str]],
    reads: tuple[str, ...],
) -> Rule:
    def holds(spec: Any) -> bool:
        given = getattr(spec.workload, field) is not None
        return given or not any(metric.startswith(prefix) for metric in metrics(spec))

    written = to_camel(field)
    return Rule(
        f"has(self.workload.{written}) || !({asks(prefix)})",
        f"workload.{written} where a metric {prefix}… is asked for",
        holds,
        field="workload",
        reads=("workload", *reads),
    )


def _searched_rule(
    metric: str,
    by: str,
    asks: Callable[[str], str],
    metrics: Callable[[Any], Iterable[str]],
    reads: tuple[str, ...],
) -> Rule:
    def holds(spec: Any) -> bool:
        search = spec.workload.load.max_rate
        given = search is not None and search.by == by
        return given or not any(asked.startswith(metric) for asked in metrics(spec))

    return Rule(
        f"(has(self.workload.load.maxRate) && self.workload.load.maxRate.by == '{by}') || !({asks(metric)})",
        f"workload.load.maxRate by {by} where {metric} is asked for",
        holds,
        field="workload",
        reads=("workload", *reads),
    )
