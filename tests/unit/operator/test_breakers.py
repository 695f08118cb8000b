import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_operator.domain.breakers import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Breaker
from llmopt_operator.domain.observed import Problem

PROBLEM = Problem("StorageUnavailable", "it does not answer")
NOW = 1_000.0


def _after(failures):
    breaker = Breaker()
    for _ in range(failures):
        breaker = breaker.failed(PROBLEM, NOW)
    return breaker


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, 2.0), (2, 4.0), (3, 8.0), (6, 64.0), (7, 120.0), (8, 120.0), (5_000, 120.0)]
)
def test_pauses_double_up_to_the_longest(failures, pause):
    """After each failure in a row the storage is left alone twice as long, up to two minutes."""
    breaker = _after(failures)
    assert breaker.refusal(NOW) == PROBLEM
    assert breaker.refusal(NOW + pause - 0.01) == PROBLEM
    assert breaker.refusal(NOW + pause) is None


def test_a_storage_that_answers_is_asked():
    """Without a failure nothing is refused."""
    assert Breaker().refusal(NOW) is None


def test_a_refusal_says_when_to_come_back():
    """A user who is refused learns how long the pause still is."""
    assert _after(3).refusal(NOW + 3.0).retry_seconds == 5.0


@given(st.integers(1, 100), st.floats(0, 1e6))
def test_every_pause_ends(failures, later):
    """However often a storage failed, it is asked again after the longest pause at the latest."""
    breaker = _after(failures)
    assert FIRST_PAUSE_SECONDS <= breaker.open_until - NOW <= LONGEST_PAUSE_SECONDS
    assert (breaker.refusal(NOW + later) is None) == (NOW + later >= breaker.open_until)
