"""Where marks and labels of a chart lie."""

from hypothesis import given
from hypothesis import strategies as st

from llmopt.report.charts import BOTTOM, LEFT, RIGHT, TOP, Point, Role, scatter
from llmopt.report.marks import Span

PLACES = st.tuples(st.floats(0, 100), st.floats(0, 1))


def point(x, y, role=Role.TRIED, label=""):
    return Point(Span.of(x), Span.of(y), role, "title", label)


def labels(chart):
    """Return the labels of `chart` with where they lie."""
    return {mark.label: (mark.label_x, mark.label_y, mark.anchor) for mark in chart.marks if mark.label}


@given(st.lists(PLACES, min_size=1, max_size=30))
def test_every_mark_lies_in_the_chart(places):
    """Whatever was measured, also one configuration, or many that are equal."""
    chart = scatter([point(x, y) for x, y in places], "x", "y")
    assert all(LEFT <= mark.x <= RIGHT and TOP <= mark.y <= BOTTOM for mark in chart.marks)


def test_what_matters_is_drawn_over_what_was_tried():
    """The recommended configuration comes last, and the legend names what there is."""
    chart = scatter([point(1, 1, Role.BEST), point(1, 1), point(2, 2, Role.BASELINE)], "x", "y")
    assert [mark.role for mark in chart.marks] == ["tried", "baseline", "best"]
    assert chart.roles == (Role.TRIED, Role.BASELINE, Role.BEST)


def test_labels_of_neighbours_do_not_lie_on_each_other():
    """Two configurations that are nearly equal have their labels on different sides."""
    one, other = point(50, 0.5, Role.BASELINE, "baseline"), point(51, 0.5, Role.BEST, "trial 7")
    corners = [point(0, 0), point(100, 1)]
    shown = labels(scatter([one, other, *corners], "x", "y"))
    assert shown["baseline"][1:] != shown["trial 7"][1:]


def test_a_label_at_the_edge_stays_in_the_chart():
    """At the right it is written to the left of its mark, at the top below it."""
    shown = labels(scatter([point(0, 0), point(100, 1, Role.BEST, "trial 7")], "x", "y"))
    _, y, anchor = shown["trial 7"]
    assert anchor == "end"
    assert y > TOP


def test_a_label_hides_no_mark_where_it_need_not():
    """With a mark above to the right, it is written elsewhere."""
    corners = [point(0, 0), point(100, 1)]
    (free,) = labels(scatter([point(50, 0.5, Role.BEST, "trial 7"), *corners], "x", "y")).values()
    crowded = scatter([point(50, 0.5, Role.BEST, "trial 7"), point(56, 0.53), *corners], "x", "y")
    assert labels(crowded)["trial 7"] != free
