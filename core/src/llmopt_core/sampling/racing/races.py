"""Whether a running trial can still matter: the trials to compare with, when to look, and what decides.

A trial matters where it may become the best by the declared weights, the best in an objective, or a part of
the front. All three are excluded where one finished trial that keeps the constraints is not beaten by more
than the smallest gain in any objective. Two things stop a trial:
- against one of the rivals it is surely worse in some objective, and in none of them will its whole
  measurement be better by more than the smallest gain;
- its whole measurement will break a constraint.

A trial as good as a rival in everything is stopped in at most `ERROR_RATE` of the cases, and so is one whose
whole measurement would show that it matters. The rate covers all looks, rivals, objectives and constraints.
The best of many equal trials was lucky, and the others look worse than it, so the first rate is shared by all
measured trials, whichever of them became a rival. The second is about measured values, so it is shared by the
rivals; it needs no correction for the number of objectives: to stop a trial that matters in one, the test of
that one must be wrong (an intersection-union test, Berger 1982).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from llmopt_core.analysis.ranking import gain, pareto_front, ranked
from llmopt_core.sampling.racing.comparisons import Comparison, is_broken
from llmopt_core.sampling.racing.evidence import Level, margin, reach
from llmopt_core.sampling.racing.quantities import Figures, Quantity, quantity_of
from llmopt_core.storage.bounds import bounded
from llmopt_core.storage.measured_items import MeasuredItem, columns
from llmopt_core.storage.records import OutcomeKind, Phase, StudyDefinition, TrialRecord

ERROR_RATE = 0.05
# Before so many trials are measured, none is stopped: a sampler's model needs whole ones first.
FIRST_TRIALS = 4
_MOST_RIVALS = 4
_MOST_LOOKS = 5
# A block has so many items at least, and so many for each client.
_FEWEST_ITEMS, _PER_CLIENT = 6, 3


@dataclass(frozen=True)
class Rival:
    """A finished trial to compare with: all its items, and its metrics."""

    number: int
    figures: Figures
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Race:
    """What one trial is compared with, fixed before it begins.

    `rivals` are measured trials that keep the constraints; `measure` is any measured trial, with which the
    metrics of constraints are compared. `measured` is how many trials there are of which it could be one.
    """

    definition: StudyDefinition
    rivals: tuple[Rival, ...]
    measure: Rival
    measured: int
    score_metric: str

    @cached_property
    def block(self) -> int:
        """How many items there are between two looks."""
        count = self.measure.figures.count
        clients = self.measure.figures.items.concurrency or 1
        return max(_FEWEST_ITEMS, _PER_CLIENT * clients, -(-count // (_MOST_LOOKS + 1)))

    @cached_property
    def looks(self) -> tuple[int, ...]:
        """After how many items is looked; never where what is left is under way already."""
        count, clients = self.measure.figures.count, self.measure.figures.items.concurrency or 1
        return tuple(range(self.block, count - clients, self.block))

    @cached_property
    def _gain_level(self) -> Level:
        """The level at which a trial is found to gain nothing on one rival, or to break one constraint."""
        return self._level(max(1, len(self.rivals)) + len(self.definition.constraints))

    @cached_property
    def _loss_level(self) -> Level:
        """The level at which a trial is found to be worse than one rival in one objective."""
        return self._level(self.measured * len(self.definition.objectives))

    def _level(self, shares: int) -> Level:
        return Level(ERROR_RATE / shares, max(1, len(self.looks)))

    def prepare(self) -> None:
        """Compute the limits that looks need, so that none costs time while a trial is measured."""
        clients = self.measure.figures.items.concurrency or 1
        for level in (self._gain_level, self._loss_level):
            for parts in (1, 3):  # as comparisons of means and of quantiles have it
                margin(level.share(parts))
            for look in self.looks:
                reach(level, look // clients - 1)

    def is_lost(self, items: Sequence[MeasuredItem]) -> bool:
        """Say whether the trial that measured `items`, the first ones, cannot matter any more."""
        own = Figures(columns(items, self.measure.figures.items.concurrency))
        return self._breaks_constraint(own) or any(self._is_beaten(own, rival) for rival in self.rivals)

    def _is_beaten(self, own: Figures, rival: Rival) -> bool:
        comparisons = []
        for objective in self.definition.objectives:
            quantity = self._quantities[objective.metric]
            if quantity is None:
                return False
            comparisons.append(Comparison(objective, quantity, own, rival.figures))
        return (
            all(each.is_possible() for each in comparisons)
            and any(each.is_surely_worse(self._loss_level) for each in comparisons)
            and all(each.will_not_gain(self._gain_level) for each in comparisons)
        )

    def _breaks_constraint(self, own: Figures) -> bool:
        return any(
            is_broken(
                each,
                quantity,
                own,
                self.measure.figures,
                self.measure.metrics.get(each.metric, 0.0),
                self._gain_level,
            )
            for each in self.definition.constraints
            if (quantity := self._quantities[each.metric]) is not None
        )

    @cached_property
    def _quantities(self) -> Mapping[str, Quantity | None]:
        asked = [each.metric for each in self.definition.objectives]
        asked += [each.metric for each in self.definition.constraints]
        return {metric: quantity_of(metric, self.score_metric) for metric in asked}


def race_of(definition: StudyDefinition, trials: Iterable[TrialRecord]) -> Race | None:
    """Return the race of a trial after `trials`, None while there are too few to compare with."""
    searched = [trial for trial in trials if trial.phase is not Phase.CONFIRM]
    comparable = [rival for trial in searched if (rival := _rival(trial)) is not None]
    if len(comparable) < FIRST_TRIALS:
        return None
    definition = bounded(definition, searched)
    numbers = _rival_numbers(searched, definition)
    measure = comparable[0]
    rivals = tuple(
        each for each in comparable if each.number in numbers and each.figures.count == measure.figures.count
    )
    race = Race(definition, rivals, measure, len(comparable), _score_metric(searched))
    return race if race.looks else None


def _rival(trial: TrialRecord) -> Rival | None:
    outcome = trial.outcome
    if outcome is None or outcome.kind is not OutcomeKind.MEASURED or outcome.items is None:
        return None
    return Rival(trial.number, Figures(outcome.items), outcome.metrics)


def _score_metric(trials: Sequence[TrialRecord]) -> str:
    return next((each.outcome.sample_metric for each in trials if each.outcome and each.outcome.items), "")


def _rival_numbers(trials: Sequence[TrialRecord], definition: StudyDefinition) -> frozenset[int]:
    """Return the numbers of the trials to compare with.

    They are the best by weight, then the best of the front in each objective, then other trials of the front
    by weight: each one more makes all tests stricter.
    """
    front = pareto_front(trials, definition)
    if not front:
        return frozenset()
    kept = {trial.number for trial in front}
    order = [trial for trial in ranked(trials, definition) if trial.number in kept]
    best = [
        max(
            front,
            key=lambda trial: gain(
                objective, _value(trial, objective.metric), _value(front[0], objective.metric)
            ),
        )
        for objective in definition.objectives
    ]
    chosen = dict.fromkeys(trial.number for trial in (*order[:1], *best, *order))
    return frozenset(list(chosen)[:_MOST_RIVALS])


def _value(trial: TrialRecord, metric: str) -> float:
    return 0.0 if trial.outcome is None else trial.outcome.metrics[metric]
