"""What is said of the operator's parts, by a clock that the test moves."""

import pytest

from llmopt_operator.liveness import LONGEST_SILENCE_SECONDS, Pulse


class Clock:
    """Seconds that only the test moves on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_part_that_works_is_healthy(clock: Clock) -> None:
    """A part that reported just now is healthy, and nothing is wrong; one that never began is not named."""
    pulse = Pulse(clock)
    assert pulse.health() == {}
    pulse.done("watch")
    assert (pulse.health(), pulse.problems()) == ({"watch": True}, ())


def test_a_part_that_is_silent_for_too_long_is_not_healthy(clock: Clock) -> None:
    """Silence beyond the limit is a problem with its seconds; the other part stays healthy."""
    pulse = Pulse(clock)
    pulse.done("watch")
    clock.now = LONGEST_SILENCE_SECONDS + 1
    pulse.done("roll-up")
    assert pulse.health() == {"watch": False, "roll-up": True}
    assert pulse.problems() == ("watch: silent for 121 s",)


def test_a_part_that_found_something_wrong_is_healthy_again_once_it_is_fixed(clock: Clock) -> None:
    """What a part reports as wrong counts until it reports that it did its work."""
    pulse = Pulse(clock)
    pulse.wrong("watch", "2 changes were missed")
    assert pulse.health() == {"watch": False}
    pulse.done("watch")
    assert pulse.health() == {"watch": True}
