"""What is printed holds no commands but rich's own."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from llmopt.terminal import Console

HOSTILE = "a\x1b]0;title\x07\x1b[2J\ud800\x9b"
SHOWN = r"a\x1b]0;title\x07\x1b[2J\ud800\x9b"


def printed(*things, **options):
    console = Console(file=io.StringIO(), width=200, color_system=None, **options)
    for thing in things:
        console.print(thing, markup=False, highlight=False, soft_wrap=isinstance(thing, str))
    return console.file.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_control_characters_in_any_renderable_are_escaped(terminal):
    """Lines, texts and cells of tables are all others' words."""
    table = Table("name", title=HOSTILE)
    table.add_row(Text(HOSTILE))
    text = printed(HOSTILE, Text(HOSTILE), table, force_terminal=terminal)
    assert "\x9b" not in text
    assert "\x1b]" not in text
    assert "\x1b[2J" not in text
    assert text.count(r"\x1b]0;title") == 4
    text.encode()


def test_richs_own_codes_stay():
    """Colours are still colours."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=80)
    console.print(Text("red", style="red"))
    assert console.file.getvalue() == "\x1b[31mred\x1b[0m\n"


def test_markup_in_a_name_is_a_name():
    """Brackets are no styles."""
    assert printed("[red]name[/red]") == "[red]name[/red]\n"


@pytest.mark.parametrize(
    ("terminal", "columns", "lines"), [(False, None, 1), (False, "30", 2), (True, "30", 2)]
)
def test_a_table_is_wrapped_for_those_who_look_at_it(terminal, columns, lines, monkeypatch):
    """What goes to a pipe or a file keeps a row on its line, unless COLUMNS says how wide it may be."""
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    console = Console(file=io.StringIO(), color_system=None, force_terminal=terminal)
    table = Table(show_header=False, box=None)
    table.add_row("better, significant", "+177.4 % to +276.8 %")
    console.print(table)
    assert len(console.file.getvalue().strip().splitlines()) == lines
