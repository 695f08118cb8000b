"""How full a memory is."""

import pytest

from llmopt_core.occupancy import Occupancy


@pytest.mark.parametrize(
    ("total", "used", "free", "percent"), [(1000, 250, 750, 25.0), (1000, 1000, 0, 100.0), (0, 0, 0, 0.0)]
)
def test_what_is_left_and_what_is_taken(total, used, free, percent):
    """Free and used are the total; a device that reports no total is not full."""
    seen = Occupancy(total, used)
    assert (seen.free_mib, seen.percent) == (free, percent)
