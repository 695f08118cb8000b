"""The page of faults and guarantees names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations/reliability.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| Fault")]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)))


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_named_test_exists(path, name):
    """A guarantee stands on a test that is there."""
    text = (ROOT / path).read_text()
    assert re.search(rf"^(?:async )?def {name or 'test_'}", text, re.MULTILINE)


def test_every_row_names_a_test():
    """A guarantee without a test is a claim."""
    assert ROWS
    assert [row for row in ROWS if "`tests/" not in row] == []
