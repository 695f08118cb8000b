"""What a status says, in words: the same in the terminal, in the report, in best.json and in a resource.

Gains are over the baseline: the default, or where that cannot run, the trial that takes its place.
"""

from collections.abc import Sequence

from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.metrics.catalog import is_scored
from llmopt_core.resources.status import (
    BenchmarkStatus,
    Best,
    Choice,
    ConstraintStanding,
    ErrorSummary,
    OptimizationStatus,
    ReportedEffect,
    Status,
    VarianceShares,
)
from llmopt_core.results.effect_texts import gain_text, interval_text, listed
from llmopt_core.results.endings import end_of
from llmopt_core.results.numbers import number

_LONGEST_CAUSE = 300
_TWO = 2


def standing_text(standing: ConstraintStanding) -> str:
    """Return how the best stands to a constraint: `accuracy >= baseline - 0.02 (0.28): 0.31, kept`."""
    value = number(standing.value)
    if standing.bound is None:
        return f"{standing.constraint}: {value}, not applied, because the baseline was not measured"
    bound = f" ({number(standing.bound)})" if standing.relative else ""
    kept = "kept" if standing.kept else "broken"
    baseline = "" if standing.baseline_kept else f"; the baseline breaks it{_figure(standing.baseline)}"
    return f"{standing.constraint}{bound}: {value}, {kept}{baseline}"


def _figure(value: float | None) -> str:
    return "" if value is None else f" ({number(value)})"


def default_text(failure: ErrorSummary) -> str:
    """Return that the default was not measured, and why, in one line."""
    policy = next((POLICIES[each] for each in ErrorClass if each == failure.class_), None)
    may_pass = policy in {RetryPolicy.RETRY, RetryPolicy.OUTAGE}
    how = "could not be measured" if may_pass else "cannot run here"
    why = f"{failure.class_}: {failure.last_message}" if failure.last_message else failure.class_
    return f"The baseline {how} ({why[:_LONGEST_CAUSE]})"


def default_is_best(status: OptimizationStatus) -> bool:
    """Say whether nothing that was tried is better than the baseline."""
    best, default = status.best, status.baseline
    return best is not None and default is not None and best.trial == default.trial


def keeps_default(status: OptimizationStatus) -> bool:
    """Say whether the repeats verified nothing that is worth serving: then the baseline is what to serve.

    That is where no objective is verified as better, where the losses of the best outweigh that by the
    weights, and where it breaks a constraint. Not where the baseline breaks one.
    """
    best = status.best
    if best is None or status.baseline_failure is not None or broken_by_baseline(status):
        return False
    worth = any(one.better for one in best.gain) and not _broken(best) and not _is_outweighed(status)
    return best.confirmed and not worth


def _broken(best: Best) -> list[ConstraintStanding]:
    return [each for each in best.constraints if not each.kept]


def _is_outweighed(status: OptimizationStatus) -> bool:
    """Say whether the best is no gain by the weights, whatever it is better in."""
    ranked = status.choices[0] if status.choices else None
    if status.best is None or ranked is None or ranked.trial != status.best.trial:
        return False
    return ranked.weighted_gain is not None and ranked.weighted_gain <= 0


def broken_by_baseline(status: OptimizationStatus) -> list[ConstraintStanding]:
    """Return the constraints that the baseline breaks."""
    return [each for each in status.best.constraints if not each.baseline_kept] if status.best else []


def is_significant(status: OptimizationStatus) -> bool:
    """Say whether repeats verified some objective as better and none as worse, and it is to be served."""
    best = status.best
    if best is None or _broken(best) or _is_outweighed(status):
        return False
    return best.confirmed and _is_plain_gain(best.gain)


def reference_title(status: OptimizationStatus) -> str:
    """Return what gains are over: `the baseline`, or the trial that is the reference in its place."""
    if status.baseline_failure is None or status.best is None:
        return "the baseline"
    return f"trial {status.best.reference}"


def headline(status: Status) -> str:
    """Return the outcome in one line; what makes its numbers doubtful comes first."""
    return "".join(f"{note}. " for note in status.notes) + outcome(status)


def outcome(status: Status) -> str:
    """Return the outcome in one line."""
    return ". ".join(outcome_parts(status))


def outcome_parts(status: Status) -> tuple[str, ...]:
    """Return what is verified, and where there is a choice, each with its price as a part of its own."""
    choices = [] if isinstance(status, BenchmarkStatus) else offered(status)
    if len(choices) < _TWO or isinstance(status, BenchmarkStatus):
        return (_outcome(status),)
    failure = status.baseline_failure
    lines = (f"{purpose(each, status)}: {choice_text(each, intervals=False)}" for each in choices)
    verified = f"Verified over {reference_title(status)}"
    opening = _broken_text(status) if failure is None else f"{default_text(failure)}. "
    return (f"{opening}{verified}", *lines)


def _outcome(status: Status) -> str:
    if isinstance(status, BenchmarkStatus):
        return _verdict(status)
    if status.baseline_failure is not None:
        return f"{default_text(status.baseline_failure)}. {_without_default(status)}"
    best = status.best
    if best is None:
        return _without_best(status)
    if not best.gain:
        return "The baseline was not measured: there is nothing to compare with"
    if default_is_best(status):
        only = status.progress.finished < _TWO
        tried = "Only the baseline was measured: the budget left no time to try anything else"
        return tried if only else "No gain: nothing that was tried is better than the baseline"
    return f"{_broken_text(status)}{_proof(status, best)}"


def _without_best(status: OptimizationStatus) -> str:
    measured = status.progress.measured
    if measured:
        were = "configuration was" if measured == 1 else "configurations were"
        so_far = "" if end_of(status) else " so far"
        return f"{measured} {were} measured{so_far}, and none keeps every constraint"
    return "No configuration could be measured" if end_of(status) else "Nothing was measured yet"


def _broken_text(status: OptimizationStatus) -> str:
    """Return what the baseline breaks, as a sentence with its space; empty where it breaks nothing."""
    best, broken = status.best, broken_by_baseline(status)
    if best is None or not broken:
        return ""
    what = " and ".join(f"{each.constraint}{_figure(each.baseline)}" for each in broken)
    keeps = (
        f"; trial {best.trial} keeps every constraint" if all(each.kept for each in best.constraints) else ""
    )
    return f"The baseline breaks {what}{keeps}. "


def advice(status: Status) -> str:
    """Return what follows from repeats without a plain gain; empty where the headline says it all."""
    if isinstance(status, BenchmarkStatus):
        return ""
    if status.best is None or (status.baseline_failure is not None and not status.best.gain):
        return _advice_without_gain(status)
    if not status.best.confirmed or is_significant(status):
        return ""
    if keeps_default(status):
        return _advice_to_keep(status, status.best)
    return _advice_on_choices(status, status.best)


def _advice_without_gain(status: OptimizationStatus) -> str:
    if status.baseline_failure is not None:
        return status.baseline_failure.suggestion
    if status.progress.measured:
        return "Relax a constraint, or search parameters that move its metric: the report lists all trials."
    return ""


def _advice_to_keep(status: OptimizationStatus, best: Best) -> str:
    if _broken(best):
        return "Keep the baseline, or relax the constraint."
    if any(one.better for one in best.gain) and _is_outweighed(status):
        return "Keep the baseline, unless this is worth it to you: then weights should say so."
    return "Nothing that was tried is verified to be better: keep the baseline."


def _advice_on_choices(status: OptimizationStatus, best: Best) -> str:
    better = [one.metric or "" for one in best.gain if one.better]
    worse = [one.metric or "" for one in best.gain if one.worse]
    if not better:  # the baseline breaks a constraint
        return "Take it where the constraints must hold: it is not verified to be better than the baseline."
    if len(offered(status)) >= _TWO:
        return "Weights of the objectives and constraints move the recommendation."
    return (
        f"A trade-off: {' and '.join(better)} for {' and '.join(worse)}. Take it if that is worth it;"
        " weights of the objectives and constraints move the choice."
    )


def proof(status: Status) -> str:
    """Return what the numbers rest on, and what the intervals mean; empty while there are none.

    Of a search it says too which earlier studies guided it.
    """
    if isinstance(status, BenchmarkStatus):
        return _how_sure(status) if status.progress.measured else ""
    if status.best is None:
        return ""
    return f"{_repeated(status.best)} {status.learned}".strip()


def _repeated(best: Best) -> str:
    if not best.confirmed:
        return "These are the search's own measurements: no repeats have verified a gain."
    return (
        f"Means of {best.repeats} interleaved repeats on items that the search never saw;"
        f" {best.confidence_percent} % intervals that hold together for all candidates, objectives"
        " and looks."
        if best.repeats
        else "Means of interleaved repeats on items that the search never saw."
    )


def offered(status: OptimizationStatus) -> list[Choice]:
    """Return the verified configurations that are better than the baseline in something, the best first.

    Where the baseline breaks a constraint, those that are not: they keep it.
    """
    broken = bool(broken_by_baseline(status))
    return [choice for choice in status.choices if broken or any(one.better for one in choice.gain)]


def purpose(choice: Choice, status: OptimizationStatus) -> str:
    """Return what a choice is for: `For accuracy`, or `Between the others`."""
    if choice.best_for:
        return f"For {' and '.join(choice.best_for)}"
    recommended = bool(status.choices) and choice.trial == status.choices[0].trial
    return "Best by the weights" if recommended else "Between the others"


def choice_text(choice: Choice, *, intervals: bool = True) -> str:
    """Return a choice in a few words: `trial 16 (accuracy +0.500, requests_per_second -5.0 %)`."""
    return f"trial {choice.trial} ({listed(choice.gain, intervals=intervals)})"


def chosen(status: Status) -> str:
    """Return one sentence with numbers that says how the best was chosen; empty where there is none."""
    if isinstance(status, BenchmarkStatus) or status.best is None or default_is_best(status):
        return ""
    if not status.best.confirmed:
        count = status.progress.measured
        return f"Trial {status.best.trial} is the best of {count} measured configurations{_by(status)}."
    ranking = [each for each in status.choices if each.weighted_gain is not None]
    if not ranking or ranking[0].trial != status.best.trial:
        return ""
    if keeps_default(status):
        gain = number(ranking[0].weighted_gain or 0.0)
        most = f"trial {ranking[0].trial} has the largest gain{_by(status)}, {gain}"
        better = any(one.better for choice in ranking for one in choice.gain)
        return (
            f"Of what was verified, {most}; {'losses outweigh gains' if better else 'none is significant'}."
        )
    return f"Trial {ranking[0].trial} is recommended because {_reason(status, ranking)}."


def variance_text(shares: VarianceShares) -> str:
    """Return where the spread of a metric's repeats comes from, and what would narrow the intervals."""
    within = "items" if is_scored(shares.metric) else "repeats"
    parts = {
        "between engine starts": shares.start,
        f"between {within}": shares.item,
        "over time": shares.time,
    }
    texts = (f"{share:.0%} {where}".replace("%", " %") for where, share in parts.items())
    return f"{shares.metric}: {', '.join(texts)}; {remedy_text(shares)} would make the interval narrower"


def remedy_text(shares: VarianceShares) -> str:
    """Return what would make a metric's interval narrower; of a speed the items are repeats."""
    return shares.remedy if is_scored(shares.metric) else shares.remedy.replace("items", "repeats")


def parameters_title(status: Status) -> str:
    """Return what to call the parameters of the best, which a hurried reader takes over."""
    if isinstance(status, BenchmarkStatus):
        return f"Parameters of {status.winner}"
    return (
        "Best that was tried, not to be preferred to the baseline"
        if keeps_default(status)
        else "Best parameters"
    )


def serve_title(status: Status) -> str:
    """Return what the serve command serves, as an imperative."""
    if isinstance(status, OptimizationStatus) and keeps_default(status):
        return "Serve the baseline"
    return "Serve it"


def short_gain(status: OptimizationStatus) -> str:
    """Return the first objective's gain for a table."""
    best = status.best
    if status.baseline_failure is not None and not (best and best.gain):
        return "none: the baseline cannot run"
    if best is None or not best.gain or default_is_best(status):
        return "none"
    first = best.gain[0]
    interval = interval_text(first)
    return f"{gain_text(first)} ({interval})" if interval else f"{gain_text(first)} (not verified)"


def _verdict(status: BenchmarkStatus) -> str:
    text = status.verdict or "nothing was measured yet"
    return text if status.winner is not None else text[:1].upper() + text[1:]


def _how_sure(status: BenchmarkStatus) -> str:
    together = ", right for all differences together" if len(status.results) > 1 else ""
    percent = f"{status.confidence_percent} %"
    return f"Interleaved repeats, each on the same held-out items; {percent} intervals{together}."


def _without_default(status: OptimizationStatus) -> str:
    """Return the outcome where the best configuration is the reference."""
    best = status.best
    if best is None:
        return "No other configuration could be measured"
    if best.gain:
        return _proof(status, best)
    verified = "repeats verify nothing better" if best.confirmed else "it was not verified by repeats"
    return f"The reference is trial {best.trial}, the best configuration: {verified}"


def _proof(status: OptimizationStatus, best: Best) -> str:
    over = reference_title(status)
    if not best.confirmed:
        return f"Not verified by repeats: {listed(best.gain)} over {over}, as the search measured it"
    if broken := _broken(best):
        what = " and ".join(standing_text(each) for each in broken)
        return (
            f"No gain over {over}: in the repeats trial {best.trial} does not keep the constraints ({what})"
        )
    better, worse = [one for one in best.gain if one.better], [one for one in best.gain if one.worse]
    if better and _is_outweighed(status):
        return f"No gain by the weights over {over}: {listed(best.gain)}"
    if better and worse:
        return f"A trade-off against {over}: {listed(better)} for {listed(worse)}"
    if better:
        return f"Significant gain over {over}: {listed(better)}"
    return f"No significant gain over {over} ({listed(best.gain)})"


def _is_plain_gain(gain: Sequence[ReportedEffect]) -> bool:
    return any(one.better for one in gain) and not any(one.worse for one in gain)


def _by(status: OptimizationStatus) -> str:
    """Return what the best is chosen by, where there is more than one objective."""
    if len(status.objectives) < _TWO:
        return f" by {status.objectives[0].metric}" if status.objectives else ""
    weights = ", ".join(f"{each.metric} {number(each.weight)}" for each in status.objectives)
    return f" by the weights ({weights})"


def _reason(status: OptimizationStatus, ranking: Sequence[Choice]) -> str:
    able = [each for each in ranking if any(one.better for one in each.gain)]
    best = ranking[0]
    gain = number(best.weighted_gain or 0.0)
    if best not in able:
        return f"its gain{_by(status)} is the largest ({gain}), though none is significant"
    if len(able) < _TWO:
        verified = "the only one verified" if len(ranking) < _TWO else f"the only one of {len(ranking)}"
        return f"it is {verified} with a significant gain, {gain}{_by(status)}"
    next_best = able[1]
    rival = f"{number(next_best.weighted_gain or 0.0)} of trial {next_best.trial}"
    return (
        f"its mean gain{_by(status)} is the largest of {len(able)} verified choices: {gain} against {rival}"
    )


def outcome_text(status: Status) -> str:
    """Return how the study ended, in one line; empty while it can go on."""
    end = end_of(status)
    if end is None:
        return ""
    how = "failed" if end.failed else "is finished"
    return f"The study {how} ({end.reason}): {end.message}"
