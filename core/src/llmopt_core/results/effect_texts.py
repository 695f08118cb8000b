"""Effects and means in words: a gain, its interval, its verdict."""

from collections.abc import Sequence

from llmopt_core.api.verdicts import Verdict
from llmopt_core.metrics.catalog import change_text
from llmopt_core.resources.status import MetricResult, ReportedEffect
from llmopt_core.results.numbers import precise, rounded

_VERDICTS = {
    Verdict.BETTER: "better, significant",
    Verdict.WORSE: "worse, significant",
    Verdict.EQUIVALENT: "no relevant difference",
    Verdict.UNDECIDED: "not significant",
}


def gain_text(effect: ReportedEffect | None) -> str:
    """Return the change: `+12.3 %` on a ratio scale, `+0.125` for a score; empty where there is none."""
    return "" if effect is None else change_text(rounded(effect.change), effect.scale)


def interval_text(effect: ReportedEffect | None) -> str:
    """Return the interval, such as `+8.1 % to +16.0 %`; empty where the repeats prove nothing."""
    span = None if effect is None else effect.change_interval
    if effect is None or span is None:
        return ""
    low, high = (change_text(rounded(end), effect.scale) for end in (span.low, span.high))
    return f"{low} to {high}"


def mean_text(mean: MetricResult | None) -> str:
    """Return a mean, empty where nothing was measured."""
    return "" if mean is None else precise(mean.mean)


def mean_interval_text(mean: MetricResult | None) -> str:
    """Return the interval of a mean, such as `80.1 to 91.2`; empty where there is none."""
    if mean is None or mean.interval is None:
        return ""
    return f"{precise(mean.interval.low)} to {precise(mean.interval.high)}"


def verdict(effect: ReportedEffect | None, *, objective: bool = True) -> str:
    """Return whether the difference counts; empty where there is none."""
    if effect is None:
        return ""
    if effect.absolute_interval is None or effect.verdict is None:
        return "not verified" if objective else "for information"
    return _VERDICTS[effect.verdict]


def listed(effects: Sequence[ReportedEffect], *, intervals: bool = True) -> str:
    """Return effects in one line, with their intervals or with what of them is not significant."""
    return ", ".join(f"{one.metric} {gain_text(one)}{_note(one, intervals=intervals)}" for one in effects)


def _note(effect: ReportedEffect, *, intervals: bool) -> str:
    span = interval_text(effect)
    if intervals:
        return f" [{span}]" if span else ""
    return "" if effect.significant or not span else f", {verdict(effect)}"
