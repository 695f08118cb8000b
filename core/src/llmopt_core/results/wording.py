"""Numbers and outcomes in words: the same in the terminal, in the report and in a resource's status."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from llmopt_core.analysis.confirmation import Choice
from llmopt_core.analysis.effects import Effect
from llmopt_core.api.verdicts import Verdict
from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.metrics.catalog import change_text
from llmopt_core.results.constraints import Standing
from llmopt_core.results.optimizations import ErrorCount, OptimizationResult

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LARGE, _MIDDLE = 100, 10
_LONGEST_CAUSE = 300
_TWO = 2
VERDICTS = {
    Verdict.BETTER: "better, significant",
    Verdict.WORSE: "worse, significant",
    Verdict.EQUIVALENT: "no relevant difference",
    Verdict.UNDECIDED: "not significant",
}


def duration(seconds: float) -> str:
    """Return `seconds` as a person says it, such as `2 min 05 s`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02d} h"


def compact_duration(seconds: float) -> str:
    """Return `seconds` as a table shows it, in its two largest units, such as `1h5m` or `40s`."""
    parts: list[tuple[int, str]] = []
    left = max(0, round(seconds))
    for unit, length in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append((count, unit))
    return "".join(f"{count}{unit}" for count, unit in parts[:2] if count) or "0s"


def number(value: float) -> str:
    """Return `value` with three digits that count."""
    if abs(value) >= _LARGE:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= _MIDDLE else f"{value:.3g}"


def standing_text(standing: Standing) -> str:
    """Return how the best stands to a constraint: `accuracy >= baseline - 0.02 (0.28): 0.31, kept`."""
    value = number(standing.value)
    if standing.bound is None:
        return f"{standing.constraint}: {value}, not applied, because the baseline was not measured"
    bound = f" ({number(standing.bound)})" if standing.relative else ""
    return f"{standing.constraint}{bound}: {value}, {'kept' if standing.kept else 'broken'}"


def value_text(value: object) -> str:
    """Return a parameter's value without the noise of binary fractions (0.7, not 0.7000000000000001)."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def gain_text(effect: Effect | None) -> str:
    """Return the change: `+12.3 %` on a ratio scale, `+0.125` for a score; empty where there is none."""
    return "" if effect is None else change_text(effect.change, effect.scale)


def interval_text(effect: Effect | None) -> str:
    """Return the interval, such as `+8.1 % to +16.0 %`; empty where the repeats prove nothing."""
    span = None if effect is None else effect.change_interval
    if effect is None or span is None:
        return ""
    return f"{change_text(span.low, effect.scale)} to {change_text(span.high, effect.scale)}"


def verdict(effect: Effect, *, objective: bool = True) -> str:
    """Return whether the difference counts."""
    if effect.absolute_interval is None:
        return "not confirmed" if objective else "for information"
    return VERDICTS[effect.verdict]


def default_text(failure: ErrorCount) -> str:
    """Return that the default was not measured, and why, in one line."""
    policy = next((POLICIES[each] for each in ErrorClass if each == failure.error_class), None)
    how = "could not be measured" if policy is RetryPolicy.RETRY else "cannot run here"
    why = f"{failure.error_class}: {failure.message}" if failure.message else failure.error_class
    return f"The default {how} ({why[:_LONGEST_CAUSE]})"


def reference_title(result: OptimizationResult) -> str:
    """Return what gains are over: `the default`, or the trial that is the reference in its place."""
    return "the default" if result.default_failure is None else f"trial {result.reference}"


def headline(result: OptimizationResult) -> str:
    """Return the outcome in one honest line; what makes its numbers doubtful comes first."""
    doubts = "".join(f"{note.value}. " for note in result.notes)
    return doubts + _outcome(result)


def _outcome(result: OptimizationResult) -> str:
    if result.default_failure is not None:
        return f"{default_text(result.default_failure)}. {_without_default(result)}"
    if result.trial is None:
        return "No configuration could be measured"
    objectives = result.objective_effects
    if not objectives:
        return "The default was not measured: there is nothing to compare with"
    if result.default_is_best and result.trials < _TWO:
        return "Only the default was measured: the budget left no time to try anything else"
    if result.default_is_best:
        return "No gain: nothing that was tried is better than the default"
    return _proof(result, objectives)


def advice(result: OptimizationResult) -> str:
    """Return what follows from repeats without a plain gain; empty where the headline says it all."""
    if result.default_failure is not None and not result.effects:
        return result.default_failure.suggestion
    if not result.confirmed or result.significant:
        return ""
    if result.keep_default:
        return "Nothing that was tried is proved to be better: keep the default."
    objectives = result.objective_effects
    better = [one.metric for one in objectives if one.better]
    worse = [one.metric for one in objectives if one.worse]
    return (
        f"A trade-off: {' and '.join(better)} for {' and '.join(worse)}. Take it if that is worth it;"
        " weights of the objectives and constraints move the choice."
    )


def choice_lines(result: OptimizationResult) -> Iterator[str]:
    """Yield what there is to choose from, where more than one configuration was verified, one line each."""
    if len(result.choices) < _TWO:
        return
    over = reference_title(result)
    yield f"Verified over {over}, on items that the search never saw:"
    for choice in result.choices:
        purposes = [f"most for {metric}" for metric in best_for(choice, result.choices)]
        if choice is result.choices[0]:
            purposes.insert(0, "best by the weights")
        listed = _listed(choice.effects)
        yield f"  trial {choice.source_trial} ({', '.join(purposes) or 'between the others'}): {listed}"


def best_for(choice: Choice, choices: Sequence[Choice]) -> tuple[str, ...]:
    """Return the objectives in which `choice` is the best of `choices`, and better than the reference."""
    return tuple(
        effect.metric
        for place, effect in enumerate(choice.effects)
        if effect.improvement > 0
        and effect.improvement >= max(other.effects[place].improvement for other in choices)
    )


def parameters_title(result: OptimizationResult) -> str:
    """Return what to call the parameters of the best trial, which a hurried reader takes over."""
    return "Best that was tried, not proved to be better" if result.keep_default else "Best parameters"


def serve_title(result: OptimizationResult) -> str:
    """Return what the serve command serves, as an imperative."""
    return "Serve the default" if result.keep_default else "Serve it"


def best_text(result: OptimizationResult) -> str:
    """Return best.json: the best parameters, their metrics and gains, and the headline in words."""
    document = asdict(result) | {
        "headline": headline(result),
        "keep_default": result.keep_default,
        "gain": result.gain,
        "interval": result.interval,
        "report": None if result.report is None else result.report.name,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _without_default(result: OptimizationResult) -> str:
    """Return the outcome where the best configuration is the reference."""
    if result.trial is None:
        return "No other configuration could be measured"
    objectives = result.objective_effects
    if objectives:
        return _proof(result, objectives)
    proof = "repeats prove nothing better" if result.confirmed else "it was not confirmed by repeats"
    return f"The reference is trial {result.trial}, the best configuration: {proof}"


def _proof(result: OptimizationResult, objectives: Sequence[Effect]) -> str:
    over = reference_title(result)
    if not result.confirmed:
        return f"Not confirmed by repeats: {_listed(objectives)} over {over}, as the search measured it"
    if result.significant:
        return f"Significant gain over {over}: {_listed([o for o in objectives if o.better])}"
    better, worse = [o for o in objectives if o.better], [o for o in objectives if o.worse]
    if better and worse:
        return f"A trade-off against {over}: {_listed(better)} for {_listed(worse)}"
    return f"No significant gain over {over} ({_listed(objectives)})"


def _listed(effects: Sequence[Effect]) -> str:
    return ", ".join(f"{one.metric} {gain_text(one)}{_bracketed(one)}" for one in effects)


def _bracketed(effect: Effect) -> str:
    interval = interval_text(effect)
    return f" [{interval}]" if interval else ""
