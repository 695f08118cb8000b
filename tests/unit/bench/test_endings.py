"""Where a search ends by itself, and what is truly left then."""

import math
from pathlib import Path

from fakes.recorded_surfaces import write_surface
from surfaces.endings import Ending, EndingTask, ending, endings_table


def test_a_search_of_few_configurations_ends_with_nothing_left(tmp_path: Path) -> None:
    """All eight are measured before enough are known for a bound: nothing is left, and no bound was said."""
    found = ending(EndingTask(write_surface(tmp_path), 0))
    assert (found.gain, found.bound) == (0.0, None)
    assert found.trials <= 8


def test_the_table_counts_only_searches_that_ended_by_themselves() -> None:
    """A gain above the bound is one error; a search without a bound is none."""
    runs = [
        Ending("a", 20, 100.0, 0.01, 0.02),
        Ending("a", 30, 100.0, 0.05, 0.02),
        Ending("a", 200, 100.0, math.inf, None),
    ]
    row = endings_table(runs).splitlines()[2]
    assert row == "| a | 2 of 3 | 25 | 2.0% | 3.0% | 1 (50%) |"
