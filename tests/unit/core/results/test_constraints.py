"""How the best stands to its constraints, in data and in words."""

from dataclasses import asdict

import pytest
from fakes.studies import definition

from llmopt_core.resources.status import ConstraintStanding
from llmopt_core.results.constraints import standings
from llmopt_core.results.wording import standing_text
from llmopt_core.storage.records import ConstraintDefinition

NEARLY_AS_GOOD = ConstraintDefinition("accuracy", minimum=-0.02, relative_to="baseline")
QUICK = ConstraintDefinition("ttft_ms_p95", maximum=500.0)
TWICE_AS_FAST = ConstraintDefinition("ttft_ms_p95", maximum=-0.5, relative_to="baseline")


@pytest.mark.parametrize(
    ("constraint", "baseline", "value", "text"),
    [
        (NEARLY_AS_GOOD, 0.3, 0.667, "accuracy >= baseline - 0.02 (0.28): 0.667, kept"),
        (NEARLY_AS_GOOD, 0.3, 0.2, "accuracy >= baseline - 0.02 (0.28): 0.2, broken"),
        (NEARLY_AS_GOOD, None, 0.2,
         "accuracy >= baseline - 0.02: 0.2, not applied, because the baseline was not measured"),
        (QUICK, 450.0, 400.0, "ttft_ms_p95 <= 500: 400, kept"),
        (QUICK, 700.0, 400.0, "ttft_ms_p95 <= 500: 400, kept; the baseline breaks it (700)"),
        (TWICE_AS_FAST, 700.0, 300.0,
         "ttft_ms_p95 <= baseline - 50 % (350): 300, kept; the baseline breaks it (700)"),
        (QUICK, None, 600.0, "ttft_ms_p95 <= 500: 600, broken"),
    ],
)  # fmt: skip
def test_a_constraint_is_shown_with_its_bound_and_the_value(constraint, baseline, value, text):
    """A reader sees what the bound is in the metric's own unit, and whether it is kept."""
    (standing,) = standings(definition(constraints=(constraint,)), {constraint.metric: (baseline, value)})
    assert standing_text(ConstraintStanding(**asdict(standing))) == text


def test_a_metric_that_was_not_measured_of_both_is_left_out():
    """There is no value to show."""
    assert list(standings(definition(constraints=(QUICK,)), {})) == []
