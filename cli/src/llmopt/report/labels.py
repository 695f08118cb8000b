"""Where the labels of a chart's marks are written: at the nearest place where they cover nothing."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Line = tuple[float, float, float, float]

# About the width of a character, and how far one reaches above and below its line.
_CHARACTER, _ASCENT, _DESCENT = 7.4, 12.0, 3.0
# How far the edge around a mark, in the colour of the page, reaches beyond it.
_EDGE = 1.0
# So far from their marks labels are tried; from the second on, a line leads to the mark.
_DISTANCES = tuple(range(9, 200, 14))
_DIRECTIONS = ((1, -1), (1, 1), (-1, -1), (-1, 1), (1, 0), (-1, 0), (0, -1), (0, 1))
_ANCHORS = {1: "start", 0: "middle", -1: "end"}
# How far below its mark the line of a label lies: above, beside, below.
_LOWER = {-1: 0, 0: 4, 1: 8}


@dataclass(frozen=True)
class Box:
    """What a label or a mark covers; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def within(self, other: "Box") -> bool:
        """Say whether all of it lies in `other`."""
        across = other.left <= self.left and self.right <= other.right
        return across and other.top <= self.top and self.bottom <= other.bottom

    def overlaps(self, other: "Box") -> bool:
        """Say whether the two lie on each other."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True)
class Target:
    """A mark: its middle, how far it reaches from there, its label ("": none), its level or upright lines."""

    x: float
    y: float
    reach: float
    label: str
    lines: tuple[Line, ...] = ()

    @property
    def box(self) -> Box:
        """What the mark covers."""
        reach = self.reach + _EDGE
        return Box(self.x - reach, self.y - reach, self.x + reach, self.y + reach)


@dataclass(frozen=True)
class Place:
    """Where a label is written, and the line that leads from its mark to it, where it is not beside it."""

    x: float
    y: float
    anchor: str
    box: Box
    leader: Line | None = None


def place_labels(targets: Sequence[Target], area: Box) -> dict[int, Place]:
    """Return the place of each label, by its target's number.

    It covers no mark and no other label, where there is such a place within `area`; else as few as it can.
    The last target, drawn over the others, has the first choice.
    """
    marks = [target.box for target in targets]
    lines = [_box_of(line) for target in targets for line in target.lines]
    placed: dict[int, Place] = {}
    for number in reversed(range(len(targets))):
        if targets[number].label:
            taken = [place.box for place in placed.values()]
            placed[number] = _best(targets[number], area, taken, marks, lines)
    return placed


def _best(
    target: Target, area: Box, labels: Sequence[Box], marks: Sequence[Box], lines: Sequence[Box]
) -> Place:
    def covered(place: Place) -> tuple[bool, int, int, bool, int]:
        hidden = [sum(map(place.box.overlaps, others)) for others in (labels, marks, lines)]
        return not place.box.within(area), hidden[0], hidden[1], place.leader is not None, hidden[2]

    return min(_places(target), key=covered)


def _places(target: Target) -> Iterator[Place]:
    """Yield where the label may be written, the nearest first."""
    width = _CHARACTER * len(target.label)
    for distance in _DISTANCES:
        for across, down in _DIRECTIONS:
            x = target.x + across * distance
            y = target.y + down * distance + _LOWER[down]
            left = x - width * (1 - across) / 2
            box = Box(left, y - _ASCENT, left + width, y + _DESCENT)
            leader = None if distance == _DISTANCES[0] else _leader(target, box)
            yield Place(round(x, 1), round(y, 1), _ANCHORS[across], box, leader)


def _leader(target: Target, box: Box) -> Line:
    """Return the line from the edge of the mark to the nearest point of the label."""
    x = min(max(target.x, box.left), box.right)
    y = min(max(target.y, box.top), box.bottom)
    share = target.reach / (math.hypot(x - target.x, y - target.y) or 1.0)
    ends = target.x + (x - target.x) * share, target.y + (y - target.y) * share, x, y
    first_x, first_y, last_x, last_y = (round(end, 1) for end in ends)
    return first_x, first_y, last_x, last_y


def _box_of(line: Line) -> Box:
    x1, y1, x2, y2 = line
    return Box(min(x1, x2) - _EDGE, min(y1, y2) - _EDGE, max(x1, x2) + _EDGE, max(y1, y2) + _EDGE)
