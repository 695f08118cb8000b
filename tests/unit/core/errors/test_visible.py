"""No text of others commands a terminal."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.errors.visible import VisibleFormatter, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("over\rwritten\b", r"over\x0dwritten\x08"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}cba", r"\u202ecba"),
        ("\ud800", r"\ud800"),
        ("\x7f\x00", r"\x7f\x00"),
    ],
)
def test_commands_are_shown_instead_of_obeyed(text, shown):
    """Colours, titles, overwriting and reversed text stand there as escapes."""
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["", "plain", "한국어 😀", "two\nlines\tand a tab", "café", "[bold]"])
def test_other_text_stays(text):
    """What is only shown, line breaks and tabs included, is as it was."""
    assert visible(text) == text


@given(st.text(st.characters()))
def test_any_text_can_be_written_and_holds_no_command(text):
    """Whatever it was, it is UTF-8 and has no control character but line breaks and tabs."""
    shown = visible(text)
    shown.encode()
    assert not [each for each in shown if (ord(each) < 32 and each not in "\n\t") or 127 <= ord(each) < 160]


def test_lines_of_a_log_hold_no_commands():
    """A server's message in a log is shown, not obeyed, wherever the log is read."""
    record = logging.LogRecord("x", logging.INFO, "f", 1, "it said %s", ("\x1b[2J",), None)
    assert VisibleFormatter("%(levelname)s %(message)s").format(record) == r"INFO it said \x1b[2J"
