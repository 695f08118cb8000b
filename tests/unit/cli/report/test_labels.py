"""Labels of a chart lie on no mark and on no other label."""

import random
from itertools import combinations

import pytest

from llmopt.report.charts import BOTTOM, LEFT, REACH, RIGHT, TOP, Point, Role, scatter
from llmopt.report.labels import Box, Target, place_labels
from llmopt.report.marks import Span

AREA = Box(LEFT, TOP, RIGHT, BOTTOM)
LABELS = {Role.VERIFIED: "trial 12", Role.BASELINE: "baseline", Role.BEST: "trial 7"}


def target(x, y, role=Role.TRIED, lines=()):
    return Target(x, y, REACH[role], LABELS.get(role, ""), lines)


def laid_out(targets):
    """Return the places of the labels, after a look at what each label covers."""
    places = place_labels(targets, AREA)
    boxes = [place.box for place in places.values()]
    assert len(boxes) == sum(bool(each.label) for each in targets)
    assert all(box.within(AREA) for box in boxes)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert not [each for each in targets for box in boxes if box.overlaps(each.box)]
    return places


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("spread", [10, 60, 400], ids=["a heap", "a cloud", "everywhere"])
def test_labels_cover_nothing(seed, spread):
    """However the configurations lie: near each other as a search ends, or over the whole chart."""
    chance = random.Random(seed)
    middle = chance.uniform(LEFT, RIGHT), chance.uniform(TOP, BOTTOM)

    def near(place, low, high):
        return min(max(chance.gauss(place, spread), low + 8), high - 8)

    roles = [Role.TRIED] * 30 + [*LABELS]
    laid_out([target(near(middle[0], LEFT, RIGHT), near(middle[1], TOP, BOTTOM), role) for role in roles])


def test_configurations_that_are_equal_have_labels_side_by_side():
    """Three marks at one place: each has its label beside it, and no line is needed."""
    places = laid_out([target(250, 150, role) for role in LABELS])
    assert [place.leader for place in places.values()] == [None] * 3


@pytest.mark.parametrize(("x", "y"), [(LEFT, TOP), (LEFT, BOTTOM), (RIGHT, TOP), (RIGHT, BOTTOM)])
def test_a_label_in_a_corner_stays_in_the_chart(x, y):
    """It is beside its mark."""
    (place,) = laid_out([target(x, y, Role.BEST)]).values()
    assert place.leader is None


def test_a_line_leads_to_a_label_that_is_not_beside_its_mark():
    """Where marks are all around, the label is farther away, and the line ends at it."""
    around = [target(250 + across, 150 + down) for across in range(-60, 61, 8) for down in range(-24, 25, 8)]
    (place,) = laid_out([*around, target(250, 150, Role.BASELINE)]).values()
    x, y = place.leader[2:]
    assert place.box.left - 0.1 <= x <= place.box.right + 0.1
    assert place.box.top - 0.1 <= y <= place.box.bottom + 0.1


def test_a_label_keeps_off_lines_where_it_can():
    """The interval of another mark runs through the first place."""
    (free,) = laid_out([target(250, 150, Role.BEST)]).values()
    line = (free.box.left, free.box.top + 5, free.box.right, free.box.top + 5)
    (moved,) = laid_out([target(100, free.box.top + 5, lines=(line,)), target(250, 150, Role.BEST)]).values()
    assert moved.leader is None
    assert not moved.box.overlaps(Box(*line))


def test_a_chart_full_of_marks_still_has_its_label():
    """Where no place is free, the label is in the chart and covers some."""
    full = [target(x, y) for x in range(LEFT, RIGHT, 6) for y in range(TOP, BOTTOM, 6)]
    places = place_labels([*full, target(250, 150, Role.BASELINE)], AREA)
    assert [place.box.within(AREA) for place in places.values()] == [True]


def test_a_chart_shows_where_the_label_is_and_its_line():
    """The marks of a chart have both."""
    tried = [
        Point(Span.of(across), Span.of(down), Role.TRIED, "", "")
        for across in range(-60, 61, 8)
        for down in range(-36, 37, 8)
    ]
    middle = Point(Span.of(0), Span.of(0), Role.BASELINE, "", "baseline")
    corners = [Point(Span.of(sign * 200), Span.of(sign * 130), Role.TRIED, "", "") for sign in (-1, 1)]
    (mark,) = (mark for mark in scatter([*tried, middle, *corners], "x", "y").marks if mark.label)
    assert mark.leader is not None
    assert (mark.label_x, mark.label_y) != (mark.x, mark.y)
