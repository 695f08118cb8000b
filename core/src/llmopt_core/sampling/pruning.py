"""Stopping a hopeless trial early, from what it measured of its first items.

The pruner `auto` compares in blocks, see `racing`; the others are Optuna's, see `optuna_pruning`.
"""

from collections.abc import Iterable

from llmopt_core.sampling.racing.races import Race, race_of
from llmopt_core.storage.measured_items import MeasuredItem
from llmopt_core.storage.methods import Pruning
from llmopt_core.storage.records import StudyDefinition
from llmopt_core.storage.snapshot import StoredTrial

AUTO = "auto"


class RacePruning:
    """The first items of one running trial against those of the trials before it, block by block."""

    scores: tuple[tuple[int, float], ...] = ()  # the outcome holds them

    def __init__(self, race: Race) -> None:
        self._race = race
        self._items: dict[int, MeasuredItem] = {}
        self._ready = 0  # items from the first on without a gap
        self._looked = 0
        race.prepare()

    def report(self, place: int, item: MeasuredItem) -> bool:
        """Take one item; once a block is whole, say whether the trial should stop.

        Items after one that is still under way wait for it: else a slow trial would be judged by its fast
        answers.
        """
        self._items[place] = item
        while self._ready in self._items:
            self._ready += 1
        look = max((each for each in self._race.looks if each <= self._ready), default=0)
        if look <= self._looked:
            return False
        self._looked = look
        return self._race.is_lost([self._items[each] for each in range(look)])


def pruning_of(definition: StudyDefinition, finished: Iterable[StoredTrial]) -> Pruning | None:
    """Return the pruning of a trial after those `finished`, None where the study stops no trial early.

    The pruners that see one score after another can call no trial with several objectives hopeless.
    """
    if definition.pruner == AUTO:
        race = race_of(definition, (trial.record for trial in finished))
        return None if race is None else RacePruning(race)
    if definition.pruner == "none" or len(definition.objectives) > 1:
        return None
    from llmopt_core.sampling.optuna_pruning import TrialPruning  # noqa: PLC0415 - it loads Optuna

    return TrialPruning(definition, finished)
