"""The console that everything is printed on: no text of others reaches the terminal as a command to it.

Names, messages and logs come from servers, runners and tenants. What rich itself sends to the terminal
(colours, a panel that is redrawn) is its own and stays.
"""

import os
from collections.abc import Iterable
from typing import Any

from rich import console
from rich.segment import Segment

from llmopt_core.errors.visible import visible

# Where nobody looks, no table has to fit: a pipe, a file, the log of a job.
UNBOUNDED = 1000


class Console(console.Console):  # noqa: TID251 - the one place that may
    """Writes control characters in any text as escapes, and wraps tables for terminals only."""

    def __init__(self, *, width: int | None = None, **options: Any) -> None:
        super().__init__(width=width, **options)
        if width is None and not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = UNBOUNDED

    def render(
        self, renderable: console.RenderableType, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is printed for `renderable`."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
