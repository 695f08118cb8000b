"""Errors of what is done again and again, each logged once until it changes: a log of thousands says less."""

import logging


class RepeatedErrors:
    """The last error of each step that is repeated, by what the step is called."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last: dict[str, str] = {}

    def note(self, what: str, error: Exception) -> None:
        """Log that the step called `what` failed by `error`, unless the same was logged last."""
        said = f"{type(error).__name__}: {error}"
        if self._last.get(what) != said:
            self._log.warning("%s failed, it is tried again: %s", what, said)
        self._last[what] = said

    def passed(self, what: str) -> None:
        """Forget the error of the step called `what`, which succeeded: the next one is logged again."""
        self._last.pop(what, None)
