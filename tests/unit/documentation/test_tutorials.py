"""What a tutorial says of its own commands."""

import re

import pytest
from documentation.pages import ROOT


@pytest.mark.parametrize("name", ["docs/tutorials/laptop.md", "docs/ko/tutorial.md"])
def test_a_tutorial_asks_for_twice_the_samples_of_its_command(name):
    """A study needs as many held-out items as its trials ask, and the page writes a few more."""
    page = (ROOT / name).read_text()
    needed = 2 * int(re.search(r"--samples (\d+)", page)[1])
    first, last = map(int, re.search(r"seq (\d+) (\d+)", page).groups())
    paragraph = page.partition("\n## 3. ")[2].partition("```")[0]
    assert re.search(rf"\b{needed}(?!\d)", paragraph)
    assert needed < last - first + 1
