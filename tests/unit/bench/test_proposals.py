"""The processor time of a proposal."""

from surfaces.proposals import proposal_seconds


def test_the_longest_is_not_below_the_median() -> None:
    """Studies of a few trials give a proposal each, which takes some time."""
    median, longest = proposal_seconds(30, 5, 3)
    assert 0 < median <= longest
