"""The one meaning of every metric name: unit, direction, formula, source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.plugins import PluginGroup, load_plugin, nearest, plugin_names

Direction = Literal["maximize", "minimize"]
# ratio: gains are logarithms of quotients (speeds, memory); bounded: differences (scores in 0..1).
Scale = Literal["ratio", "bounded"]


@dataclass(frozen=True)
class Metric:
    """One metric as every report, objective and constraint understands it.

    `may_be_zero`: a zero on a ratio scale is a value, the worst there is; otherwise the measurement failed.
    `per_token`: the metric counts tokens, so that it can improve because answers grow longer.
    """

    name: str
    unit: str
    direction: Direction
    scale: Scale
    formula: str
    source: str
    may_be_zero: bool = False
    per_token: bool = False


def _quality(name: str, formula: str, source: str = "evaluator") -> Metric:
    return Metric(name, "score 0..1", "maximize", "bounded", formula, source)


_QUALITY = (
    _quality("accuracy", "mean of the per-item scores of the exact, numeric, choice or contains evaluator"),
    _quality(
        "token_f1",
        "mean over items of the harmonic mean of token precision and recall, without punctuation and"
        " articles; the best of several right answers counts",
        "SQuAD (Rajpurkar et al. 2016)",
    ),
    _quality("distinct_1", "distinct unigrams / unigrams over all answers", "Li et al. 2016"),
    _quality("distinct_2", "distinct bigrams / bigrams over all answers", "Li et al. 2016"),
    _quality("judge_score", "mean of the judge's scores, scaled to 0..1", "judge endpoint"),
    _quality("score", "mean of the scores a user's own evaluator returned"),
)

_LATENCIES = (
    (
        "ttft_ms",
        "time from sending a request to its first non-empty token; a failed request counts as the slowest",
    ),
    ("tpot_ms", "(E2E - TTFT) / (output tokens - 1), per request with two or more tokens"),
    ("itl_ms", "gaps between consecutive streamed chunks with text, pooled over requests"),
    (
        "e2e_ms",
        "time from sending a request to the end of its answer; a failed request counts as the slowest",
    ),
)
_STATISTICS = (
    ("mean", "mean"),
    ("p50", "median"),
    ("p95", "95th percentile"),
    ("p99", "99th percentile"),
    ("p999", "99.9th percentile"),
)

_LATENCY = tuple(
    Metric(
        f"{name}_{suffix}",
        "ms",
        "minimize",
        "ratio",
        f"{statistic} of: {formula}",
        "load generator",
        per_token=name in {"tpot_ms", "itl_ms"},
    )
    for name, formula in _LATENCIES
    for suffix, statistic in _STATISTICS
)
_THROUGHPUT = (
    Metric(
        "output_tokens_per_second",
        "tokens/s",
        "maximize",
        "ratio",
        "output tokens of successful requests / wall time from first send to last end",
        "load generator; token counts from the server's usage",
        per_token=True,
    ),
    Metric(
        "total_tokens_per_second",
        "tokens/s",
        "maximize",
        "ratio",
        "prompt and output tokens of successful requests / wall time",
        "load generator; token counts from the server's usage",
        per_token=True,
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
        may_be_zero=True,
    ),
    Metric(
        "goodput_requests_per_second_per_gpu",
        "requests/s per GPU",
        "maximize",
        "ratio",
        "goodput_requests_per_second / GPUs that the engine used while measured",
        "load generator; memory guard, by NVML",
        may_be_zero=True,
    ),
    Metric(
        "max_request_rate",
        "requests/s",
        "maximize",
        "ratio",
        "highest probed rate at which the share workload.load.maxRate.attainment of requests kept"
        " workload.slo (isotonic fit over the probes); 0 where none did",
        "load generator, with workload.load.maxRate by rate",
        may_be_zero=True,
    ),
    Metric(
        "max_request_rate_per_gpu",
        "requests/s per GPU",
        "maximize",
        "ratio",
        "max_request_rate / GPUs that the engine used while measured",
        "load generator, with workload.load.maxRate by rate; memory guard, by NVML",
        may_be_zero=True,
    ),
    Metric(
        "max_concurrency",
        "requests",
        "maximize",
        "ratio",
        "most requests in flight at which the share workload.load.maxRate.attainment of requests kept"
        " workload.slo (isotonic fit over the probes); 0 where none did",
        "load generator, with workload.load.maxRate by concurrency",
        may_be_zero=True,
    ),
    Metric(
        "excluded_requests_ratio",
        "ratio 0..1",
        "minimize",
        "bounded",
        "requests of the ramp-up and the ramp-down, which count in no latency and no rate / requests sent; 0"
        " where fewer than 40 requests or half of all would remain",
        "load generator",
        may_be_zero=True,
    ),
    Metric(
        "failed_requests_ratio",
        "ratio 0..1",
        "minimize",
        "bounded",
        "requests that failed / requests sent; above workload.tolerateFailedRequests nothing is measured",
        "load generator",
        may_be_zero=True,
    ),
)

_GOOD_ANSWERS = (
    Metric(
        "good_answers_per_second",
        "good answers/s",
        "maximize",
        "ratio",
        "sum of the items' scores / wall time from first send to last end; an answer that scores 0.5 is half"
        " a good one",
        "load generator, and an evaluator that scores each answer",
        may_be_zero=True,
    ),
    Metric(
        "good_answers_per_second_per_gpu",
        "good answers/s per GPU",
        "maximize",
        "ratio",
        "good_answers_per_second / GPUs that the engine used while measured: those where it held a tenth or"
        " more of what it held where it held most",
        "load generator, an evaluator that scores each answer, memory guard, by NVML",
        may_be_zero=True,
    ),
    Metric(
        "cost_per_thousand_good_answers",
        "per thousand good answers",
        "minimize",
        "ratio",
        "workload.hourlyPrice / 3600 / good_answers_per_second * 1,000, in the currency of hourlyPrice; not"
        " defined where no answer was good",
        "load generator, an evaluator that scores each answer, and the manifest's price",
    ),
    Metric(
        "cost_per_thousand_good_answers_per_gpu",
        "per thousand good answers",
        "minimize",
        "ratio",
        "workload.hourlyPrice / GPUs of the runner / 3600 / good_answers_per_second_per_gpu * 1,000: only the"
        " GPUs that the engine used are paid for; not defined where no answer was good",
        "load generator, an evaluator that scores each answer, the manifest's price, memory guard, by NVML",
    ),
)

_COST = (
    Metric(
        "engine_start_seconds",
        "s",
        "minimize",
        "ratio",
        "from starting the process to the first completion; a warning says where vLLM compiled kernels in it",
        "runner",
    ),
    Metric(
        "peak_memory_mib",
        "MiB",
        "minimize",
        "ratio",
        "highest resident memory of the engine's processes while measured",
        "memory guard",
    ),
    Metric(
        "peak_gpu_memory_mib",
        "MiB",
        "minimize",
        "ratio",
        "highest memory of all GPUs together that the engine's processes held while measured",
        "memory guard, by NVML",
    ),
)

_PER_TOKEN = (
    Metric(
        "cost_per_million_tokens",
        "per million tokens",
        "minimize",
        "ratio",
        "workload.hourlyPrice / 3600 / output tokens per second * 1,000,000, in the currency of hourlyPrice",
        "load generator, and the manifest's price",
        per_token=True,
    ),
    Metric(
        "energy_joules_per_token",
        "J/token",
        "minimize",
        "ratio",
        "energy of the GPUs while measured / output tokens of successful requests",
        "NVML's total energy counter (nvmlDeviceGetTotalEnergyConsumption); Volta and newer",
        per_token=True,
    ),
)

# What an evaluator must score each answer for.
GOOD_ANSWER_METRICS = tuple(metric.name for metric in _GOOD_ANSWERS)
# From here on a tenth of a percent says nothing.
_MANIFOLD = 10

CATALOG: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (*_QUALITY, *_LATENCY, *_THROUGHPUT, *_GOOD_ANSWERS, *_COST, *_PER_TOKEN)
}


def is_scored(name: str) -> bool:
    """Say whether a metric of the catalogue comes from an evaluator's scores."""
    known = CATALOG.get(name)
    return known is not None and (known in _QUALITY or name in GOOD_ANSWER_METRICS)


def change_text(change: float, scale: str) -> str:
    """Return a change as people read it: `+12.3 %` on a ratio scale, `+0.125` for a score."""
    if scale != "ratio":
        return f"{change:+.3f}"
    digits = 1 if abs(change) < _MANIFOLD else 0
    return f"{change:+,.{digits}%}".replace("%", " %")


class MetricNotFound(LlmoptError):
    """Neither the catalogue nor a plug-in knows the metric."""

    error_class = ErrorClass.INVALID_CONFIGURATION


def all_metrics() -> dict[str, Metric]:
    """Return every metric by name: the catalogue, then those of plug-ins; raises PluginBroken."""
    return {**CATALOG, **{name: _plugin_metric(name) for name in plugin_names(PluginGroup.METRICS)}}


def find_metric(name: str) -> Metric:
    """Return the metric `name`, importing a plug-in only when the catalogue lacks it.

    Raises MetricNotFound with the nearest name, or PluginBroken.
    """
    if name in CATALOG:
        return CATALOG[name]
    plugged = plugin_names(PluginGroup.METRICS)
    if name in plugged:
        return _plugin_metric(name)
    known = (*CATALOG, *plugged)
    raise MetricNotFound(
        f"{name!r} is not a metric{nearest(name, known)}: choose one of {', '.join(sorted(known))}"
    )


def _plugin_metric(name: str) -> Metric:
    plugin = load_plugin(PluginGroup.METRICS, name)
    if not isinstance(plugin.value, Metric):
        raise plugin.unfit(f"it is a {type(plugin.value).__name__}, not a llmopt_core.metrics.catalog.Metric")
    if name in CATALOG:
        raise plugin.unfit("the catalogue has that name already: a metric's name has one meaning")
    if plugin.value.name != name:
        raise plugin.unfit(f"the metric calls itself {plugin.value.name!r}: use one name for both")
    return plugin.value
