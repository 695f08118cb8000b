"""Where the variance of a verification's measurements comes from, and what would make intervals narrower."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from llmopt_core.analysis.blocks import Block, ComparedMetric, components_of

# Below it a variance is rounding.
_NOTHING = 1e-18


class Remedy(StrEnum):
    """What would make the intervals of a metric narrower."""

    MORE_STARTS = "more starts"
    MORE_ITEMS = "more items"
    QUIETER_MACHINE = "a quieter machine"


@dataclass(frozen=True)
class VarianceSplit:
    """How the variance of one repeat of `metric` divides: three shares that add up to 1.

    `start`: engine starts of one configuration differ, for all items at once. `item`: items differ, or for
    speeds, repeats on one start. `time`: all configurations change together from round to round, as by heat
    or by other programs. Where every repeat has a start of its own, the two cannot be
    separated in speeds: both are in `start`, and another repeat is another start.
    """

    metric: str
    start: float
    item: float
    time: float

    @property
    def remedy(self) -> Remedy:
        """What would help most: against the largest share."""
        largest = max(self.start, self.item, self.time)
        if self.time == largest:
            return Remedy.QUIETER_MACHINE
        return Remedy.MORE_STARTS if self.start == largest else Remedy.MORE_ITEMS

    @property
    def sentence(self) -> str:
        """The split in one plain sentence."""
        return (
            f"{self.metric}: {self.start:.0%} of the variance of a repeat comes from engine starts, "
            f"{self.item:.0%} from items and {self.time:.0%} from the time of measuring; "
            f"{self.remedy} would help most"
        )


def split_variances(compared: Sequence[ComparedMetric], blocks: Sequence[Block]) -> tuple[VarianceSplit, ...]:
    """Return how the variance divides, of each metric where `blocks` show it and anything varies."""
    splits = (_split(each, blocks) for each in compared)
    return tuple(each for each in splits if each is not None)


def _split(compared: ComparedMetric, blocks: Sequence[Block]) -> VarianceSplit | None:
    parts = components_of(compared, blocks)
    if parts is None:
        return None
    start, item = parts.start, parts.item / _items_per_block(compared, blocks)
    if not compared.per_item and len({block.start for block in blocks}) == 1:
        start, item = 0.0, item + start
    total = start + item + parts.time
    if total <= _NOTHING:
        return None
    return VarianceSplit(compared.metric, start / total, item / total, parts.time / total)


def _items_per_block(compared: ComparedMetric, blocks: Sequence[Block]) -> float:
    if not compared.per_item:
        return 1.0
    return max(1.0, sum(len(block.scores) for block in blocks) / len(blocks))
