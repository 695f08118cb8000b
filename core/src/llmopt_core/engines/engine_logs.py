"""What an engine writes into its log, as data: how its log is known, what its failures look like."""

import re
from dataclasses import dataclass

from llmopt_core.errors.drafts import DraftModel
from llmopt_core.errors.patterns.base import Pattern


@dataclass(frozen=True)
class EngineLogs:
    """The words of one engine.

    `patterns` are looked for in this order, before those of the machine: the first that matches decides.
    `mark` matches something that only this engine's log has. `arguments` matches a line with the arguments
    that the server says it was started with, a Python dictionary in its first group. `draft` is the second
    model that the engine can have.
    """

    patterns: tuple[Pattern, ...] = ()
    mark: re.Pattern[str] | None = None
    arguments: re.Pattern[str] | None = None
    draft: DraftModel | None = None


NO_LOGS = EngineLogs()
