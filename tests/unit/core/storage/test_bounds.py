"""Bounds relative to the baseline, worked out by hand."""

import pytest
from fakes.records import outcome, trial
from fakes.studies import definition
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.storage.bounds import bounded, bounded_by, known_bounds
from llmopt_core.storage.outcomes import constraint_name, constraint_values, keeps_constraints
from llmopt_core.storage.records import ConstraintDefinition, OutcomeKind, Phase

NEARLY_AS_GOOD = ConstraintDefinition("accuracy", minimum=-0.02, relative_to="baseline")
NOT_SLOWER = ConstraintDefinition("ttft_ms_p95", maximum=0.1, relative_to="baseline")
ABSOLUTE = ConstraintDefinition("accuracy", minimum=0.5)
STUDY = definition(constraints=(NEARLY_AS_GOOD, NOT_SLOWER, ABSOLUTE))
MEASURED = {"accuracy": 0.3, "ttft_ms_p95": 200.0}


def _baseline(kind=OutcomeKind.MEASURED):
    return trial(0, outcome(kind, metrics=MEASURED), phase=Phase.BASELINE)


def test_a_score_is_bounded_by_a_difference_and_a_latency_by_a_share():
    """0.02 below 0.3 is 0.28; 10 % above 200 ms is 220; an absolute bound stays what it is."""
    bounds = [each.bound for each in bounded(STUDY, [trial(1), _baseline()]).constraints]
    assert bounds == [0.28, 220.0, 0.5]


@pytest.mark.parametrize(
    ("accuracy", "kept"), [(0.28, True), (0.279, False), (0.3 - 0.02, True), (0.9, True)]
)
def test_what_is_at_the_bound_keeps_it(accuracy, kept):
    """Binary fractions decide nothing."""
    study = bounded(definition(constraints=(NEARLY_AS_GOOD,)), [_baseline()])
    assert keeps_constraints(outcome(metrics={"accuracy": accuracy}), study) is kept


@pytest.mark.parametrize(
    "trials",
    [
        [],
        [trial(0, phase=Phase.BASELINE)],
        [_baseline(OutcomeKind.FAILED)],
        [trial(0, outcome(metrics=MEASURED))],
    ],
)
def test_before_the_baseline_is_measured_no_violation_is_known(trials):
    """Also where it failed, and whatever another trial measured; absolute bounds hold from the beginning."""
    study = bounded(STUDY, trials)
    assert [each.bound for each in study.constraints] == [None, None, 0.5]
    values = constraint_values(outcome(metrics={"accuracy": 0.0, "ttft_ms_p95": 1e6}), study)
    assert list(values.values()) == [0.0, 0.0, 0.5]


def test_a_study_without_relative_constraints_is_left_alone():
    """Its trials are not even looked at."""
    study = definition(constraints=(ABSOLUTE,))
    assert bounded(study, iter(())) is study


@pytest.mark.parametrize(
    ("constraint", "name"),
    [
        (ABSOLUTE, "accuracy >= 0.5"),
        (NEARLY_AS_GOOD, "accuracy >= baseline - 0.02"),
        (NOT_SLOWER, "ttft_ms_p95 <= baseline + 10 %"),
        (ConstraintDefinition("requests_per_second", -0.125, None, "baseline"),
         "requests_per_second >= baseline - 12.5 %"),
        (ConstraintDefinition("accuracy", 0.0, None, "baseline"), "accuracy >= baseline"),
    ],
)  # fmt: skip
def test_a_constraint_has_one_name_before_and_after_the_baseline(constraint, name):
    """A sampler must find it under the same name."""
    assert constraint_name(constraint) == name
    (after,) = bounded_by(definition(constraints=(constraint,)), MEASURED).constraints
    assert constraint_name(after) == name


@given(st.floats(0.001, 1e6), st.floats(-0.9, 10.0))
def test_a_share_of_the_baseline_is_kept_by_that_share(value, share):
    """The baseline times the share is never a violation beyond rounding, and twice as far always is one."""
    asked = ConstraintDefinition("ttft_ms_p95", maximum=share, relative_to="baseline", baseline=value)
    assert asked.violation(value * (1 + share)) <= 1e-8
    assert asked.violation(value * (1 + share) * 1.01 + 1e-6) > 0


def test_a_sampler_is_given_the_bounds_that_are_known_as_absolute_ones():
    """Before the baseline only the absolute one; then all three, each on its own side."""
    assert known_bounds(STUDY) == (ABSOLUTE,)
    assert known_bounds(bounded_by(STUDY, MEASURED)) == (
        ConstraintDefinition("accuracy", minimum=0.28),
        ConstraintDefinition("ttft_ms_p95", maximum=220.0),
        ABSOLUTE,
    )
