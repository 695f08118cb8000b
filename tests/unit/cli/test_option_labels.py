"""How messages call an option that was given."""

import re
from pathlib import Path

import pytest

from llmopt.option_labels import labelled

SOURCES = Path(__file__).parents[3] / "cli" / "src" / "llmopt"
# An option's flag or name with its value and a colon, put together by hand.
BY_HAND = re.compile(r"""["' ](--[a-z-]+|\{spelled\(["']\w+["']\)\}):? ["']?\{[^}]*\}["']?: """)


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("o/n", "--x 'o/n'"),
        (Path("/a b"), "--x '/a b'"),
        (8, "--x 8"),
        (0.5, "--x 0.5"),
        (["a"], "--x ['a']"),
        ("", "--x ''"),
        ("\x1b[2J", r"--x '\x1b[2J'"),
    ],
)
def test_an_option_stands_with_its_value_as_it_was_typed(value, label):
    """Text is quoted, and what a terminal would obey is escaped; numbers are as they are."""
    assert labelled("--x", value) == label


def test_a_long_value_is_cut():
    """A message stays a line that can be read, and the name of a file is at a path's end."""
    label = labelled("--x", f"/{'a' * 500}/model.gguf")
    assert label.startswith("--x '/aaa")
    assert label.endswith("aaa/model.gguf'")
    assert len(label) == len("--x ") + 80


def test_a_number_that_python_does_not_write_is_said_to_be_long():
    """The message is about the option, whatever its value."""
    assert labelled("trials", 10**5000) == "trials (a number of too many digits)"


def test_no_message_has_a_form_of_its_own():
    """Every message about an option's value gets its beginning from the one function."""
    found = [
        f"{path.name}: {match[0]}"
        for path in SOURCES.rglob("*.py")
        for match in BY_HAND.finditer(path.read_text())
    ]
    assert found == []
