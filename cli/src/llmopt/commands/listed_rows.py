"""Rows of what `llmopt list` found, as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from llmopt.terminal import Console

# Cells as a table shows them and as JSON holds them; None: nothing to say.
Row = tuple[str | int | None, ...]


def print_rows(console: Console, columns: Row, rows: Sequence[Row]) -> None:
    """Print the `rows` below the names of their `columns`."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(str(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console.print(table)
