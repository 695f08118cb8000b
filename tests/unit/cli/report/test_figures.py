"""Which figures a search has, and what is in them."""

import pytest
from fakes.comparisons import SPEED
from fakes.local_runs import document
from fakes.records import outcome, trial
from fakes.statuses import choice, effect, found

from llmopt.report.charts import Role
from llmopt.report.content import Measured, content_of
from llmopt.report.figures import measured_figures, parameter_figures, tradeoff
from llmopt.report.measured_points import tried
from llmopt.report.pages import report_page
from llmopt_core.analysis.effects import Interval
from llmopt_core.resources.loading import resource_of
from llmopt_core.results.results import OptimizationResult
from llmopt_core.search.spaces import ChoiceDimension, IntDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.records import OutcomeKind, Phase

GAIN = effect(difference=0.2, interval=Interval(0.1, 0.3), baseline=0.4)
FASTER = effect(SPEED, 10.0, Interval(-1.0, 21.0), baseline=40.0)
SPACE = SearchSpace(
    (
        SpaceParameter("engine.n_parallel", IntDimension(1, 16, log=True)),
        SpaceParameter("engine.flash_attn", ChoiceDimension(("on", "off"))),
    )
)
SHARES = {
    "accuracy": {"engine.n_parallel": 0.1, "engine.flash_attn": 0.01},
    SPEED: {"engine.n_parallel": 0.9},
}


def searched(number, slots, accuracy, speed, *, kind=OutcomeKind.MEASURED, phase=Phase.SEARCH):
    """Return a trial of the search."""
    parameters = {} if phase is Phase.BASELINE else {"engine.n_parallel": slots, "engine.flash_attn": "on"}
    metrics = {"accuracy": accuracy, SPEED: speed, "ttft_ms_p95": 1000 / speed}
    measured = outcome(
        kind, metrics=metrics, parameters={"engine.n_parallel": slots, "engine.flash_attn": "on"}
    )
    return trial(number, measured, phase=phase, parameters=parameters)


TRIALS = [
    searched(0, 1, 0.4, 40, phase=Phase.BASELINE),
    searched(1, 4, 0.5, 45),
    searched(2, 8, 0.6, 50),
    searched(3, 8, 0.6, 50, kind=OutcomeKind.COPIED),
    searched(4, 16, 0.1, 99, kind=OutcomeKind.PRUNED),
    searched(5, 8, 0.6, 77, phase=Phase.CONFIRM),
]
STATUS = found(
    GAIN, FASTER, trial=2, confirmed=True, choices=[choice(2, GAIN, FASTER), choice(1, GAIN, FASTER)]
)


@pytest.fixture
def shown():
    return tried(TRIALS, STATUS)


def test_each_configuration_is_one_mark_of_its_kind(shown):
    """Copies, repeats and stopped trials are no measurements of the search's own."""
    assert [(each.number, each.role) for each in shown] == [
        (0, Role.BASELINE), (1, Role.VERIFIED), (2, Role.BEST)
    ]  # fmt: skip


def test_where_the_default_is_kept_nothing_is_recommended():
    """The best that was tried is one of those that were verified."""
    same = effect(difference=0.0, interval=Interval(-0.1, 0.1), baseline=0.4)
    status = found(same, trial=2, confirmed=True, choices=[choice(2, same)])
    assert [each.role for each in tried(TRIALS, status)] == [Role.BASELINE, Role.TRIED, Role.VERIFIED]


def test_quality_is_drawn_against_speed_and_throughput_against_latency(shown):
    """The score is the vertical axis whichever objective is first, and every mark is a row of the table."""
    quality, latency = measured_figures(shown, (SPEED, "accuracy"))
    assert quality.chart.y_label == "accuracy (score 0..1, more is better)"
    assert quality.chart.x_label.startswith(f"{SPEED} (")
    assert [row[:3] for row in quality.rows] == [
        ("0", "0.4", "40.0"), ("1", "0.5", "45.0"), ("2", "0.6", "50.0")
    ]  # fmt: skip
    assert latency.chart.y_label == "ttft_ms_p95 (ms, less is better)"
    by_role = {mark.role: mark for mark in quality.chart.marks}
    assert by_role["best"].x > by_role["baseline"].x
    assert by_role["best"].y < by_role["baseline"].y  # upwards
    assert by_role["baseline"].label == "baseline"


def test_one_objective_is_drawn_with_what_else_was_measured(shown):
    """A speed is drawn against the score, a score against a speed."""
    figure, *_ = measured_figures(shown, ("accuracy",))
    assert (figure.columns[1], figure.columns[2]) == ("accuracy", SPEED)


def test_two_configurations_are_no_figure(shown):
    """They are in the tables."""
    assert list(measured_figures(shown[:2], ("accuracy",))) == []


def test_the_tradeoff_shows_gains_with_intervals_around_the_baseline():
    """Gains of speeds are percentages; each verified choice has a cross of its intervals."""
    figure = tradeoff(STATUS)
    baseline, rival, best = sorted(
        figure.chart.marks, key=lambda mark: ["baseline", "verified", "best"].index(mark.role)
    )
    assert (baseline.x, baseline.y) == figure.chart.zeros
    (x1, _, x2, _), (_, y1, _, y2) = best.intervals
    assert x1 < baseline.x < best.x < x2
    assert y2 < best.y < y1 < baseline.y
    assert rival.label == "trial 1"
    assert figure.rows[0] == ("trial 2", "+0.200 (+0.100 to +0.300)", "+25.0 % (-2.5 % to +52.5 %)")


def test_one_objective_has_no_tradeoff():
    """Its gain and interval are in the table."""
    assert tradeoff(found(GAIN, confirmed=True, choices=[choice(2, GAIN)])) is None


def test_parameters_are_drawn_on_the_objective_that_they_explain_best(shown):
    """What explains less than a twentieth is left out; the engine says what the parameter is."""
    (figure,) = parameter_figures(shown, SHARES, SPACE, "llamacpp")
    assert figure.title == "engine.n_parallel"
    assert "90 % of the differences in" in figure.text
    assert figure.columns == ("engine.n_parallel", f"median {SPEED}", "trials")
    assert figure.rows == (("1", "40.0", "1"), ("4", "45.0", "1"), ("8", "50.0", "1"))


def test_words_are_drawn_in_bands(shown):
    """A parameter without an order has its values side by side, with the median of each."""
    figure = next(iter(parameter_figures(shown, {"accuracy": {"engine.flash_attn": 1.0}}, SPACE, "")))
    assert [tick.label for tick in figure.chart.x_ticks] == ["on"]
    assert len(figure.chart.levels) == 1


MANY = [searched(0, 1, 0.4, 40, phase=Phase.BASELINE)] + [
    searched(number, 1 + number % 997 / 50, 0.5 + number / 10_000, 45 + number / 100)
    for number in range(1, 3001)
]


def test_of_thousands_of_trials_some_hundred_are_drawn():
    """The baseline and what was verified are among them, and the text says how many there are."""
    figure, *_ = measured_figures(tried(MANY, STATUS), ("accuracy",))
    assert len(figure.chart.marks) == len(figure.rows) <= 260
    assert {"baseline", "best", "verified"} <= {mark.role for mark in figure.chart.marks}
    assert "of 3001 in all" in figure.text


def test_many_values_are_reported_in_ranges():
    """A table of a parameter has a dozen rows, each of about as many trials."""
    (figure,) = parameter_figures(tried(MANY, STATUS), {"accuracy": {"engine.n_parallel": 1.0}}, SPACE, "")
    assert len(figure.rows) == 12
    assert figure.rows[0][0].startswith("1 to ")
    assert sum(int(row[2]) for row in figure.rows) == 3001
    assert figure.chart.levels == ()


def test_a_report_of_thousands_of_trials_is_small():
    """Less than the two megabytes that a mail takes anywhere."""
    content = content_of(
        OptimizationResult("mine", STATUS, engine="llamacpp"),
        resource_of(document()).spec,
        Measured(trials=MANY, space=SPACE, importances=SHARES),
        manifest_text="",
    )
    assert len(report_page(content).encode()) < 1_000_000
