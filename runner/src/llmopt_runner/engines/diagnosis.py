"""Why an engine that was ready serves no more: its end and its log, once there was time to write them.

An engine that fails while it serves first answers with errors, then logs why, and ends seconds later, if at
all. Its log says more than the requests that failed.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self

from llmopt_core.engines.registry import patterns_for
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.errors.classification import Evidence, classify
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.repeated_errors import RepeatedErrors

log = logging.getLogger(__name__)

# How long an engine may take to log a failure and to end.
PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.25
# How often the log is looked at while the engine serves, beside the measurement.
_WATCH_SECONDS = 1.0
WITHOUT_CAUSE = frozenset({ErrorClass.UNKNOWN, ErrorClass.ENGINE_CRASHED})


def diagnosis(
    server: EngineServer,
    numbers: Mapping[str, Any],
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    check: Callable[[], None] = lambda: None,
) -> Failure | None:
    """Return why `server` fails; None where it lives after `patience_seconds` and its log names no cause.

    `numbers` are the trial's own parameters by short name. `check` may raise to end the wait.
    """
    if not server.is_local:
        return None
    give_up_at = time.monotonic() + patience_seconds
    while True:
        check()
        left = give_up_at - time.monotonic()
        ended = server.wait_for_end(max(0.0, min(_LOOK_SECONDS, left)))
        failure = _read(server, numbers)
        if ended or failure.error_class not in WITHOUT_CAUSE:
            return failure
        if left <= 0:
            return None if failure.error_class is ErrorClass.UNKNOWN else failure


def death(server: EngineServer, numbers: Mapping[str, Any]) -> Failure | None:
    """Return why `server` ended, or says that it will never serve again; None where it may go on."""
    return _read(server, numbers) if _given_up(server) or not server.alive() else None


class DeathWatch:
    """Kills an engine that lives, has logged that it will never serve again, and logs nothing more.

    Requests that came when it had just given up it may never answer: they would be waited for until the
    trial's deadline. `failure` says why it was killed, None where it was not.
    """

    def __init__(
        self,
        server: EngineServer,
        numbers: Mapping[str, Any],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        look_seconds: float = _WATCH_SECONDS,
    ) -> None:
        self.failure: Failure | None = None
        self._server, self._numbers = server, numbers
        self._patience_seconds, self._look_seconds = patience_seconds, look_seconds
        self._errors = RepeatedErrors(log)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="engine's log", daemon=True)

    def __enter__(self) -> Self:
        if self._server.is_local and self._server.engine.hopeless is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _watch(self) -> None:
        size, silent_since, read_at = 0, time.monotonic(), -1
        while not self._over.wait(self._look_seconds):
            try:
                before, size = size, self._server.log_bytes()
                if size != before:
                    silent_since = time.monotonic()
                elif time.monotonic() - silent_since >= self._patience_seconds and size != read_at:
                    if _given_up(self._server):
                        self.failure = death(self._server, self._numbers)
                        self._server.kill()
                        return
                    read_at = size
            except OSError as error:  # such as too many open files
                self._errors.note("a look at the engine's log", error)


def _given_up(server: EngineServer) -> bool:
    """Say whether `server` has logged that it will never serve again."""
    pattern = server.engine.hopeless
    return server.is_local and pattern is not None and bool(pattern.search(server.log_since_ready()))


def _read(server: EngineServer, numbers: Mapping[str, Any]) -> Failure:
    """Classify what was logged since the engine was ready, or where that names no cause, the whole log.

    What it logged before does not count while it lives: it served in spite of that.
    """
    patterns, text = patterns_for(server.engine.declaration), server.log_since_ready()
    end = server.exit_code, server.exit_signal
    evidence = Evidence(text, *end, numbers=numbers, patterns=patterns, served=True)
    failure = classify(evidence)
    if server.alive() or failure.error_class not in WITHOUT_CAUSE:
        return failure
    whole = classify(replace(evidence, log=server.log_text()))
    return failure if text.strip() and whole.error_class in WITHOUT_CAUSE else whole
