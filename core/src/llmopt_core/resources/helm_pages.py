"""The reference page of the chart's values: each with its default and the comment above it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from llmopt_core.resources.markdown import page, sentence, table

_LINE = re.compile(r"^(?P<indent> *)(?P<name>\w+):(?: +(?P<value>.*))?$")


@dataclass
class _Reader:
    """What was read of values.yaml so far: the comment above the next value, and the values it is in."""

    comment: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)

    def row(self, line: str) -> tuple[str, str, str] | None:
        """Return the row of the value on `line`; None where it has none."""
        if line.strip().startswith("#"):
            self.comment.append(line.strip().lstrip("# "))
            return None
        found = _LINE.match(line)
        meaning, self.comment = " ".join(self.comment), []
        if found is None:
            return None
        depth = len(found["indent"]) // 2
        self.parents = [*self.parents[:depth], found["name"]]
        if found["value"] is None and not meaning:
            return None
        default = "" if found["value"] is None else f"`{sentence(found['value'])}`"
        return f"`{'.'.join(self.parents)}`", default, sentence(meaning)


def helm_values_page(values: str) -> str:
    """Return the page of `values`, the text of the chart's values.yaml."""
    return page(
        "Helm values",
        "For the administrator who installs the chart `helm/llmopt`. A value that is not listed is refused.",
        table(("Value", "Default", "Meaning"), _rows(values)),
    )


def _rows(values: str) -> Iterator[tuple[str, ...]]:
    reader = _Reader()
    for line in values.splitlines():
        if (row := reader.row(line)) is not None:
            yield row
