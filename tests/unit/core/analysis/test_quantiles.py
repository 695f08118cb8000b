"""Quantiles without scipy, held to scipy's."""

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmopt_core.analysis.quantiles import student_quantile


@given(
    probability=st.floats(1e-6, 1 - 1e-6),
    degrees=st.one_of(st.integers(1, 50), st.integers(51, 2000)),
)
@settings(deadline=None)  # of 2,000 degrees it takes a while on a busy machine
def test_students_quantile_is_that_of_scipy(probability: float, degrees: int) -> None:
    """At every level and number of pairs the quantile is scipy's."""
    expected = float(stats.t.ppf(probability, degrees))
    assert math.isclose(student_quantile(probability, degrees), expected, rel_tol=1e-8, abs_tol=1e-8)


@pytest.mark.parametrize(("probability", "degrees"), [(0.0, 3), (1.0, 3), (0.5, 0)])
def test_what_has_no_quantile_is_refused(probability: float, degrees: int) -> None:
    """A probability of 0 or 1, or no degree of freedom, is a ValueError that names both."""
    with pytest.raises(ValueError, match=rf"{probability} with {degrees}"):
        student_quantile(probability, degrees)


def test_reading_what_a_study_proves_loads_no_scipy() -> None:
    """A process that only reads studies does not import scipy."""
    readers = "llmopt_core.analysis.comparison, llmopt_core.analysis.confirmation"
    told = f"import sys, {readers}; print('scipy' in sys.modules)"
    done = subprocess.run((sys.executable, "-c", told), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
