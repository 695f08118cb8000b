"""The figures as Markdown."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from surfaces.answers import Answers
from surfaces.figures import (
    SMALL_ROWS,
    TIMES,
    CaseFigures,
    Ratio,
    Spread,
    chance_of_difference,
    fastest,
    ratio,
)
from surfaces.rivals import RivalKind
from surfaces.simulation import Case

_LONG = 100
# No strategy should be so many times faster on any surface.
MOST = 1.2
# A difference is clear where chance alone makes one as large more rarely.
CHANCE = 0.05


@dataclass(frozen=True)
class CaseResult:
    """One case: the figures of each strategy by name, within `budget` engine seconds.

    `kept` are those of the strategies with one start per trial, had they kept an engine that stays the same.
    """

    case: Case
    budget: float
    figures: Mapping[str, CaseFigures]
    kept: Mapping[str, CaseFigures]


@dataclass(frozen=True)
class Goal:
    """A ratio that is to be reached: at least `least`, or at most `most`."""

    text: str
    least: float | None = None
    most: float | None = None

    def verdict(self, value: float) -> str:
        """Return met or missed."""
        met = value >= self.least if self.least is not None else value <= (self.most or 0.0)
        return "met" if met else "missed"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def surfaces_table(answers: Iterable[Answers]) -> str:
    """Return what the surfaces are and whose."""
    rows = []
    for one in answers:
        surface = one.surface
        parameters = len(surface.problem.space.parameters)
        engine = len(surface.problem.engine_parameters)
        counts = f"{engine} + {parameters - engine}"
        rows.append(
            [surface.name, str(len(surface.rows)), counts, one.title, surface.origin, surface.licence]
        )
    header = ["surface", "rows", "engine + request parameters", "answered by", "origin", "licence"]
    return table(header, rows)


def case_name(case: Case) -> str:
    """Return the surface, with its start time where that was not recorded."""
    return case.surface if case.start_factor is None else f"{case.surface}, start {case.start_factor:g}x"


def seconds_table(results: Sequence[CaseResult], kinds: Sequence[RivalKind]) -> str:
    """Return the engine seconds to within 5 % of the best: median (quartiles), share of the runs."""
    rows = (
        [
            case_name(result.case),
            _number(result.budget),
            *(_seconds(result.figures[kind.name], result.budget) for kind in kinds),
        ]
        for result in results
    )
    return table(["surface", "budget, s", *(kind.title for kind in kinds)], rows)


def regret_table(results: Sequence[CaseResult], kinds: Sequence[RivalKind]) -> str:
    """Return the median regret in percent at the fixed times."""
    times = " / ".join(f"{share:.0%}" for share in TIMES)
    rows = (
        [case_name(result.case), *(_regrets(result.figures[kind.name]) for kind in kinds)]
        for result in results
    )
    return table([f"surface (at {times} of the budget)", *(kind.title for kind in kinds)], rows)


def starts_table(results: Sequence[CaseResult], kinds: Sequence[RivalKind]) -> str:
    """Return the mean numbers of trials, starts, failed starts and trials that broke a constraint."""
    rows = (
        [case_name(result.case), *(_starts(result.figures[kind.name]) for kind in kinds)]
        for result in results
    )
    return table(["surface", *(kind.title for kind in kinds)], rows)


def best_table(results: Sequence[CaseResult], kinds: Sequence[RivalKind]) -> str:
    """Return the trials until the best configuration of the small surfaces: median (quartiles)."""
    rows = (
        [case_name(result.case), *(_spread(result.figures[kind.name].trials_to_best) for kind in kinds)]
        for result in results
        if result.case.rows <= SMALL_ROWS
    )
    return table(["surface", *(kind.title for kind in kinds)], rows)


def ratio_table(results: Sequence[CaseResult], own: str, one_start: Sequence[str], grouped: str) -> str:
    """Return the ratios of each case."""
    rows = []
    for result in results:
        fields = [case_name(result.case)]
        for figures, names in _comparisons(result, own, one_start, grouped):
            name, found = _against(result, figures, names, own)
            fields.append("-" if name is None or found is None else f"{_ratio(found)} ({name})")
        rows.append(fields)
    return table(
        [
            "surface",
            "best with one start per trial / auto",
            "the same, engine kept / auto",
            "grouped TPE / auto",
            "best of all / auto",
        ],
        rows,
    )


def summary_table(results: Sequence[CaseResult], own: str, one_start: Sequence[str], grouped: str) -> str:
    """Return each goal with what was reached, and whether it is met.

    A surface that was run with several start times counts once, with the median of its ratios.
    """
    columns: list[list[tuple[str, float]]] = [[], [], [], []]
    for result in results:
        for column, (figures, names) in zip(
            columns, _comparisons(result, own, one_start, grouped), strict=True
        ):
            _, found = _against(result, figures, names, own)
            if found is not None:
                column.append((result.case.surface, found.value))
    goals = (
        Goal("best strategy with one start per trial / auto, median over surfaces", least=3.0),
        Goal("the same, had these kept an engine that stays the same", least=3.0),
        Goal("TPE grouped by engine / auto, median over surfaces", least=1.5),
    )
    rows = [
        _summary(
            goal, _median_over_surfaces(column), f"at least {goal.least:g}", len({name for name, _ in column})
        )
        for goal, column in zip(goals, columns, strict=False)
    ]
    worst = max((1 / value for _, value in columns[3]), default=math.nan)
    last = Goal("auto / best of all, the worst case", most=MOST)
    rows.append(_summary(last, worst, f"at most {last.most:g}", len({name for name, _ in columns[3]})))
    return table(["goal", "aim", "reached", "surfaces", "verdict"], rows)


def strategies_table(results: Sequence[CaseResult], own: str, kinds: Sequence[RivalKind]) -> str:
    """Return the engine seconds of each strategy over those of `own`: the median over surfaces.

    Where only `own` arrived within the budget, the ratio counts as what it is at least.
    """
    rows = []
    for kind in kinds:
        if kind.name == own:
            continue
        fields = [kind.title]
        for figures in ("figures", "kept"):
            found = [
                (result.case.surface, one.value)
                for result in results
                if (one := _against(result, getattr(result, figures), [kind.name], own)[1]) is not None
            ]
            fields.append(f"{_median_over_surfaces(found):.2f}" if found else "-")
        rows.append([*fields, str(len({name for name, _ in found}))])
    return table(["strategy", "as its users run it / auto", "engine kept / auto", "surfaces"], rows)


def slower_cases(results: Sequence[CaseResult], own: str) -> str:
    """Return a sentence on the cases where `own` takes more than MOST times the engine seconds of another.

    With how likely the runs of two equally fast strategies differ as much.
    """
    found, chances = [], []
    for result in results:
        others = [name for name in result.kept if name != own]
        name, one = _against(result, result.kept, others, own)
        if name is not None and one is not None and 1 / one.value > MOST:
            chances.append(chance_of_difference(result.kept[own], result.kept[name]))
            found.append(f"{case_name(result.case)} ({1 / one.value:.2f}, {name}, p {chances[-1]:.2g})")
    number = f"More than {MOST:g} times the best of all in {len(found)} of {len(results)} cases"
    if not found:
        return f"{number}."
    clear = sum(chance < CHANCE for chance in chances)
    test = (
        f"The medians are those of samples: by the test of Mann and Whitney (p), {clear} of {len(found)} such"
        f" differences are rarer than {CHANCE:.0%} between equally fast strategies, each looked at alone."
    )
    return f"{number}: {'; '.join(found)}. {test}"


def _summary(goal: Goal, value: float, aim: str, surfaces: int) -> list[str]:
    verdict = "nothing to compare" if math.isnan(value) else goal.verdict(value)
    return [goal.text, aim, "-" if math.isnan(value) else f"{value:.2f}", str(surfaces), verdict]


def _comparisons(
    result: CaseResult, own: str, one_start: Sequence[str], grouped: str
) -> tuple[tuple[Mapping[str, CaseFigures], Sequence[str]], ...]:
    others = [name for name in result.figures if name != own]
    return (
        (result.figures, one_start),
        (result.kept, one_start),
        (result.figures, [grouped]),
        (result.kept, others),
    )


def _against(
    result: CaseResult, figures: Mapping[str, CaseFigures], names: Sequence[str], own: str
) -> tuple[str | None, Ratio | None]:
    name = fastest(figures, names)
    if name is None or own not in result.figures:
        return None, None
    return name, ratio(figures[name], result.figures[own], result.budget)


def _median_over_surfaces(column: Sequence[tuple[str, float]]) -> float:
    surfaces: dict[str, list[float]] = {}
    for surface, value in column:
        surfaces.setdefault(surface, []).append(value)
    if not surfaces:
        return math.nan
    return statistics.median(statistics.median(values) for values in surfaces.values())


def _seconds(figures: CaseFigures, budget: float) -> str:
    if not figures.reached:
        return "not reached"
    spread = _spread(figures.near_seconds, f">{_number(budget)}")
    return spread if figures.reached == 1 else f"{spread}, {figures.reached:.0%}"


def _spread(spread: Spread, beyond: str = "-") -> str:
    median, low, high = (
        beyond if math.isinf(value) else _number(value) for value in (spread.median, spread.low, spread.high)
    )
    return f"{median} ({low} to {high})"


def _regrets(figures: CaseFigures) -> str:
    return " / ".join("-" if math.isinf(regret) else f"{100 * regret:.0f}" for regret in figures.regrets)


def _starts(figures: CaseFigures) -> str:
    counts = (figures.trials, figures.starts, figures.failed_starts, figures.broken_constraints)
    return " / ".join(f"{count:.0f}" for count in counts)


def _ratio(found: Ratio) -> str:
    return f"{found.bound}{found.value:.2f}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= _LONG else f"{value:.3g}"
