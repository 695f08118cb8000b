"""The figures of searches for the highest load: marks, the line that must be reached, the interval."""

import pytest

from llmopt.report.charts import BOTTOM, LEFT, RIGHT, TOP, Role
from llmopt.report.load_figures import load_figures
from llmopt_core.resources.status import ReportedCurve, ReportedProbe


def probe(load, kept, *, stopped=False):
    return ReportedProbe(load=load, kept=kept, requests=120, strain=1.2, per_second=load, stopped=stopped)


BASELINE = ReportedCurve(
    name="baseline",
    trial=0,
    by="rate",
    attainment=0.95,
    value=4.0,
    low=4.0,
    high=5.0,
    probes=[probe(4.0, 118), probe(5.0, 110), probe(8.0, 40, stopped=True)],
)
BEST = BASELINE.model_copy(
    update={
        "name": "best",
        "trial": 3,
        "value": 20.0,
        "low": 20.0,
        "high": None,
        "probes": [probe(20.0, 120)],
    }
)


@pytest.fixture(scope="module")
def figures():
    return load_figures([BASELINE, BEST])


def test_each_probe_is_a_mark_of_how_it_ended(figures):
    """A mark above the line kept the level, one below it did not; all marks are joined."""
    chart = figures[0].chart
    assert [mark.role for mark in chart.marks] == ["kept", "missed", "stopped"]
    asked, said = chart.asked
    assert said == "95 % asked for"
    assert chart.marks[0].y < asked < chart.marks[1].y < chart.marks[2].y
    assert len(chart.lines) == 2
    assert chart.roles == (Role.KEPT, Role.MISSED, Role.STOPPED)
    assert chart.marks[1].title == "5 requests/s: 110 of 120 kept the level, not kept"


def test_the_interval_is_a_band_up_to_the_end_that_was_found(figures):
    """Without an upper end it goes on to the end of the axis."""
    chart = figures[0].chart
    assert chart.band == (chart.marks[0].x, pytest.approx(chart.marks[1].x - chart.marks[0].x))
    open_chart = figures[1].chart
    assert sum(open_chart.band) == pytest.approx(RIGHT)


def test_figures_have_the_same_axes(figures):
    """Two configurations are compared by looking from one figure to the other."""
    first, second = (figure.chart for figure in figures)
    assert (first.x_ticks, first.y_ticks) == (second.x_ticks, second.y_ticks)
    assert all(LEFT <= mark.x <= RIGHT and TOP <= mark.y <= BOTTOM for mark in (*first.marks, *second.marks))


def test_a_figure_says_what_was_found_and_has_its_numbers(figures):
    """The title has the highest load with its interval, the table has every probe."""
    assert figures[0].title == "Baseline: 4 requests/s (4 to 5)"
    assert figures[1].title == "Best (trial 3): at least 20.0 requests/s (no end was found)"
    assert "at which 95 % of the requests keep the service level" in figures[0].text
    assert figures[0].rows[2] == ("8", "40 of 120", "1.2", "8", "stopped early")


def test_no_search_has_no_figure():
    """Studies of other loads show none."""
    assert load_figures([]) == ()
