"""A table of an engine's page in the reference, beside that of its parameters."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReferenceTable:
    """What is in the table, in sentences, its columns, and its rows of Markdown."""

    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
