"""How a fault is written."""

import pytest

from llmopt_core.resources.faults import Fault


@pytest.mark.parametrize("value", [10**5000, [10**5000]], ids=["number", "list"])
def test_a_number_that_python_does_not_write_is_a_fault_like_others(value):
    """It comes from a program, for no YAML text can hold it."""
    fault = Fault("spec.budget.trials", value, "at most 10000")
    assert str(fault) == "spec.budget.trials: a number of too many digits: expected at most 10000"
