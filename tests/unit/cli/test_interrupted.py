"""What an interrupted study is said to keep."""

import pytest

from llmopt.commands.run import kept
from llmopt_core.resources.status import Progress


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "Nothing was measured yet;"),
        ({"finished": 1, "measured": 1}, "1 trial is kept (1 measured);"),
        ({"finished": 3, "failed": 3}, "3 trials are kept (3 failed);"),
        (
            {"finished": 4, "measured": 2, "infeasible": 1, "failed": 1},
            "(2 measured, 1 infeasible, 1 failed);",
        ),
        ({"finished": 4, "measured": 4, "confirm_finished": 2}, "6 trials are kept (4 measured, 2 repeats);"),
    ],
)
def test_what_is_kept_is_counted_by_how_it_ended(counts, said):
    """A trial that failed is no measurement."""
    assert said in kept(Progress(**counts))
