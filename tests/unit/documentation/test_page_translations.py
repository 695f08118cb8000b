"""The Korean pages show the same commands as the English ones."""

import re

import pytest
from documentation.pages import ROOT, blocks

PAIRS = [("README.md", "README.ko.md"), ("docs/tutorials/laptop.md", "docs/ko/tutorial.md")]


def _code(name):
    """Return the blocks of a page without their comments, which are translated."""
    return [
        (block.language, block.run, [re.sub(r"\s*#.*", "", line) for line in block.text.splitlines()])
        for block in blocks(ROOT / name)
    ]


@pytest.mark.parametrize(("english", "korean"), PAIRS)
def test_the_blocks_are_the_same(english, korean):
    """Who follows the Korean page types the same."""
    assert _code(korean) == _code(english)


@pytest.mark.parametrize(("english", "korean"), PAIRS)
def test_the_figures_are_the_same(english, korean):
    """A translation states no other number than the original, where words may stand for zero and one."""
    numbers = re.compile(r"\d+(?:\.\d+)?")
    first, second = ((ROOT / name).read_text() for name in (english, korean))
    assert set(numbers.findall(second)) - set(numbers.findall(first)) <= {"0", "1"}
