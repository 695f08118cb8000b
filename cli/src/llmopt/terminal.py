"""The console that everything is printed on: no text of others reaches the terminal as a command to it.

Names, messages and logs come from servers, runners and tenants. What rich itself sends to the terminal
(colours, a panel that is redrawn) is its own and stays.
"""

from collections.abc import Iterable

from rich import console
from rich.segment import Segment

from llmopt_core.errors.visible import visible


class Console(console.Console):  # noqa: TID251 - the one place that may
    """Writes control characters in any text as escapes."""

    def render(
        self, renderable: console.RenderableType, options: console.ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield what is printed for `renderable`."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)
