"""The one meaning of every metric name: unit, direction, formula, source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Direction = Literal["maximize", "minimize"]
# ratio: gains are logarithms of quotients (speeds, memory); bounded: differences (scores in 0..1).
Scale = Literal["ratio", "bounded"]


@dataclass(frozen=True)
class Metric:
    """One metric as every report, objective and constraint understands it."""

    name: str
    unit: str
    direction: Direction
    scale: Scale
    formula: str
    source: str


def _quality(name: str, formula: str, source: str = "evaluator") -> Metric:
    return Metric(name, "score 0..1", "maximize", "bounded", formula, source)


_QUALITY = (
    _quality("accuracy", "mean of the per-item scores of the exact, numeric, choice or contains evaluator"),
    _quality(
        "token_f1",
        "mean over items of the harmonic mean of token precision and recall",
        "SQuAD (Rajpurkar et al. 2016)",
    ),
    _quality("distinct_1", "distinct unigrams / unigrams over all answers", "Li et al. 2016"),
    _quality("distinct_2", "distinct bigrams / bigrams over all answers", "Li et al. 2016"),
    _quality("judge_score", "mean of the judge's scores, scaled to 0..1", "judge endpoint"),
    _quality("score", "mean of the scores a user's own evaluator returned"),
)

_LATENCIES = (
    ("ttft_ms", "time from sending a request to its first non-empty token"),
    ("tpot_ms", "(E2E - TTFT) / (output tokens - 1), per request with two or more tokens"),
    ("itl_ms", "gaps between consecutive streamed chunks with text, pooled over requests"),
    ("e2e_ms", "time from sending a request to the end of its answer"),
)
_STATISTICS = (("mean", "mean"), ("p50", "median"), ("p95", "95th percentile"), ("p99", "99th percentile"))

_SPEED = tuple(
    Metric(f"{name}_{suffix}", "ms", "minimize", "ratio", f"{statistic} of: {formula}", "load generator")
    for name, formula in _LATENCIES
    for suffix, statistic in _STATISTICS
) + (
    Metric(
        "output_tokens_per_second",
        "tokens/s",
        "maximize",
        "ratio",
        "output tokens of successful requests / wall time from first send to last end",
        "load generator; token counts from the server's usage",
    ),
    Metric(
        "total_tokens_per_second",
        "tokens/s",
        "maximize",
        "ratio",
        "prompt and output tokens of successful requests / wall time",
        "load generator; token counts from the server's usage",
    ),
    Metric(
        "requests_per_second",
        "requests/s",
        "maximize",
        "ratio",
        "successful requests / wall time",
        "load generator",
    ),
    Metric(
        "goodput_ratio",
        "ratio 0..1",
        "maximize",
        "bounded",
        "requests that kept every bound of workload.slo / requests sent",
        "load generator",
    ),
    Metric(
        "goodput_requests_per_second",
        "requests/s",
        "maximize",
        "ratio",
        "requests that kept every bound of workload.slo / wall time",
        "load generator",
    ),
)

_COST = (
    Metric(
        "engine_start_seconds",
        "s",
        "minimize",
        "ratio",
        "from starting the process to the first completion",
        "runner",
    ),
    Metric(
        "peak_memory_mib",
        "MiB",
        "minimize",
        "ratio",
        "highest resident memory of the engine's processes while measured",
        "memory sampler",
    ),
)

CATALOG: Mapping[str, Metric] = {metric.name: metric for metric in (*_QUALITY, *_SPEED, *_COST)}
