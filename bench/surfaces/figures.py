"""What is reported of the runs: engine seconds, regret, failed starts, and the ratios between strategies."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import mannwhitneyu

from surfaces.simulation import Case, Step

NEAR = 0.05
# Up to so many rows, the trials until the best are reported too.
SMALL_ROWS = 70
_EQUAL = 1e-9
# The times at which the regret is reported, as shares of the budget.
TIMES = (0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Moment:
    """Engine seconds until the end of a trial, and the true regret of the best measured configuration.

    None: nothing feasible was measured, or the best measured configuration truly breaks a constraint.
    """

    seconds: float
    regret: float | None


@dataclass(frozen=True)
class RunFigures:
    """One run. Infinite: not within the budget. `regrets` are those at TIMES, infinite where there was none.

    `spent_seconds` are the engine seconds of all its trials within the budget.
    """

    near_seconds: float
    spent_seconds: float
    trials_to_best: float
    regrets: tuple[float, ...]
    trials: int
    starts: int
    failed_starts: int
    broken_constraints: int


def replay(case: Case, steps: Sequence[Step], *, start_each: bool) -> list[Moment]:
    """Return the moments of a run by the clock of `case`.

    A trial takes its measurement, and a start where another engine was running; with `start_each`, always.
    """
    moments, seconds, best_seen, regret = [], 0.0, -math.inf, None
    for step in steps:
        seconds += step.seconds + (_start(case, step) if start_each or step.changed else 0.0)
        if step.seen is not None and step.seen > best_seen:
            best_seen, regret = step.seen, step.regret
        moments.append(Moment(seconds, regret))
    return moments


def run_figures(case: Case, steps: Sequence[Step], budget: float, *, start_each: bool) -> RunFigures:
    """Return the figures of one run within `budget` engine seconds."""
    moments = [each for each in replay(case, steps, start_each=start_each) if each.seconds <= budget]
    done = steps[: len(moments)]
    best = next((at for at, each in enumerate(moments, 1) if _within(each, _EQUAL)), math.inf)
    return RunFigures(
        near_seconds=next((each.seconds for each in moments if _within(each, NEAR)), math.inf),
        spent_seconds=moments[-1].seconds if moments else 0.0,
        trials_to_best=best,
        regrets=tuple(_regret_at(moments, share * budget) for share in TIMES),
        trials=len(done),
        starts=sum(start_each or step.changed for step in done),
        failed_starts=sum(not step.works for step in done),
        broken_constraints=sum(step.works and step.regret is None for step in done),
    )


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of values of which some may be infinite."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Return the spread of at least one value."""
        ordered = sorted(values)
        return cls(*(_quantile(ordered, share) for share in (0.5, 0.25, 0.75)))


@dataclass(frozen=True)
class CaseFigures:
    """All runs of one strategy on one case; `spent_seconds` of the run that spent most.

    `near_runs` are the engine seconds of each run, which `near_seconds` sums up.
    """

    near_runs: tuple[float, ...]
    near_seconds: Spread
    reached: float
    spent_seconds: float
    trials_to_best: Spread
    regrets: tuple[float, ...]
    trials: float
    starts: float
    failed_starts: float
    broken_constraints: float

    @classmethod
    def of(cls, runs: Sequence[RunFigures]) -> "CaseFigures":
        """Return the figures over `runs`, one per seed."""
        at_times = zip(*(run.regrets for run in runs), strict=True)
        return cls(
            near_runs=tuple(run.near_seconds for run in runs),
            near_seconds=Spread.of(run.near_seconds for run in runs),
            reached=statistics.fmean(math.isfinite(run.near_seconds) for run in runs),
            spent_seconds=max(run.spent_seconds for run in runs),
            trials_to_best=Spread.of(run.trials_to_best for run in runs),
            regrets=tuple(Spread.of(values).median for values in at_times),
            trials=statistics.fmean(run.trials for run in runs),
            starts=statistics.fmean(run.starts for run in runs),
            failed_starts=statistics.fmean(run.failed_starts for run in runs),
            broken_constraints=statistics.fmean(run.broken_constraints for run in runs),
        )


def chance_of_difference(one: CaseFigures, other: CaseFigures) -> float:
    """Return how likely the runs differ as much where both strategies are equally fast.

    The p value of Mann and Whitney's two-sided test, in which runs that did not arrive are the slowest.
    """
    return float(mannwhitneyu(one.near_runs, other.near_runs).pvalue)


@dataclass(frozen=True)
class Ratio:
    """How many times the engine seconds of one strategy another takes.

    `bound` is ">= " or "<= " where one of the two did not arrive within the budget.
    """

    value: float
    bound: str = ""


def ratio(over: CaseFigures, under: CaseFigures, budget: float) -> Ratio | None:
    """Return median seconds of `over` / `under`; None where neither median lies within the budget.

    One that does not is replaced by what makes the ratio a bound: for `over` by the most engine seconds that
    one of its runs spent, for `under` by the budget.
    """
    above, below = over.near_seconds.median, under.near_seconds.median
    if math.isinf(above) and math.isinf(below):
        return None
    bound = ">= " if math.isinf(above) else "<= " if math.isinf(below) else ""
    return Ratio(min(above, over.spent_seconds) / min(below, budget), bound)


def fastest(figures: Mapping[str, CaseFigures], names: Iterable[str]) -> str | None:
    """Return which of `names` has the lowest median; of equals, the one that reaches it most often."""
    known = [name for name in names if name in figures]
    order = {name: (figures[name].near_seconds.median, -figures[name].reached) for name in known}
    return min(known, key=lambda name: order[name]) if known else None


def _start(case: Case, step: Step) -> float:
    return case.start_seconds if step.start_seconds is None else step.start_seconds


def _within(moment: Moment, share: float) -> bool:
    return moment.regret is not None and moment.regret <= share


def _regret_at(moments: Sequence[Moment], seconds: float) -> float:
    before = [each for each in moments if each.seconds <= seconds]
    return before[-1].regret if before and before[-1].regret is not None else math.inf


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return a quantile by linear interpolation; next to an infinite value it is infinite."""
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low if low == high else low + (high - low) * (place - math.floor(place))
