"""One number for what a surface asks: the same for every strategy and for the figures."""

from collections.abc import Mapping, Sequence

from llmopt_core.sampling.observations import Problem
from llmopt_core.storage.records import ObjectiveDefinition
from surfaces.recorded import Row, Surface


class Objective:
    """The utility of measured metrics (more is better) and whether they keep the constraints.

    One objective: its value, negative where less is better. Several: the weighted mean of the places (0 to 1)
    of their values between the worst and the best of the recorded rows that keep the constraints.
    """

    def __init__(self, surface: Surface) -> None:
        self._problem: Problem = surface.problem
        rows = [row for row in surface.rows if row.works and self.feasible(row.metrics)]
        self.possible = bool(rows)
        self._ranges = {each.metric: _range(each, rows) for each in self._problem.objectives} if rows else {}

    def utility(self, metrics: Mapping[str, float]) -> float:
        """Return one number for `metrics`."""
        objectives = self._problem.objectives
        if len(objectives) == 1:
            return _signed(objectives[0], metrics)
        total = sum(each.weight for each in objectives)
        return sum(each.weight * self._place(each, metrics) for each in objectives) / total

    def violations(self, metrics: Mapping[str, float]) -> tuple[float, ...]:
        """Return by how much each constraint is broken; zero or below: kept."""
        return tuple(each.violation(metrics[each.metric]) for each in self._problem.constraints)

    def feasible(self, metrics: Mapping[str, float]) -> bool:
        """Say whether `metrics` keep every constraint."""
        return all(violation <= 0 for violation in self.violations(metrics))

    def _place(self, objective: ObjectiveDefinition, metrics: Mapping[str, float]) -> float:
        worst, best = self._ranges[objective.metric]
        return (_signed(objective, metrics) - worst) / (best - worst) if best > worst else 1.0


def relative_regret(utility: float, best: float) -> float:
    """Return by what share of `best` the `utility` is below it; never below zero."""
    return max(0.0, (best - utility) / (abs(best) or 1.0))


def _signed(objective: ObjectiveDefinition, metrics: Mapping[str, float]) -> float:
    value = metrics[objective.metric]
    return value if objective.direction == "maximize" else -value


def _range(objective: ObjectiveDefinition, rows: Sequence[Row]) -> tuple[float, float]:
    values = [_signed(objective, row.metrics) for row in rows]
    return min(values), max(values)
