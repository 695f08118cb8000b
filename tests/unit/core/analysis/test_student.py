"""Student's t with any degrees of freedom, against scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from llmopt_core.analysis.student import quantile, two_sided


@given(st.floats(0.0005, 0.9995), st.floats(0.5, 500))
def test_quantiles_are_those_of_the_distribution(probability, degrees):
    """Whole degrees of freedom or not, a quantile is scipy's."""
    assert quantile(probability, degrees) == pytest.approx(
        stats.t.ppf(probability, degrees), rel=1e-6, abs=1e-7
    )


@given(st.floats(-50, 50), st.floats(0.5, 500))
def test_both_tails_are_those_of_the_distribution(value, degrees):
    """The probability of a larger value in either direction is scipy's."""
    assert two_sided(value, degrees) == pytest.approx(
        2 * stats.t.sf(abs(value), degrees), rel=1e-7, abs=1e-12
    )


@pytest.mark.parametrize(("probability", "degrees"), [(0, 3), (1, 3), (0.5, 0)])
def test_what_has_no_quantile_is_refused(probability, degrees):
    """No value belongs to a certain probability or to no degree of freedom."""
    with pytest.raises(ValueError, match="no quantile"):
        quantile(probability, degrees)
