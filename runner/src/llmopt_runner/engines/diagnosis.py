"""Why an engine that was ready serves no more: its end and its log, once there was time to write them.

An engine that fails while it serves first answers with errors, then logs why, and ends seconds later, if at
all. Its log says more than the requests that failed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from llmopt_core.engines.registry import patterns_for
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.errors.classification import Evidence, classify
from llmopt_runner.engines.server import EngineServer

# How long an engine may take to log a failure and to end.
PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.25
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
    pattern = server.engine.hopeless
    given_up = server.is_local and pattern is not None and pattern.search(server.log_since_ready())
    return _read(server, numbers) if given_up or not server.alive() else None


def _read(server: EngineServer, numbers: Mapping[str, Any]) -> Failure:
    """Classify what was logged since the engine was ready, or where that names no cause, the whole log.

    What it logged before does not count while it lives: it served in spite of that.
    """
    patterns, log = patterns_for(server.engine.declaration), server.log_since_ready()
    end = server.exit_code, server.exit_signal
    evidence = Evidence(log, *end, numbers=numbers, patterns=patterns, served=True)
    failure = classify(evidence)
    if server.alive() or failure.error_class not in WITHOUT_CAUSE:
        return failure
    whole = classify(replace(evidence, log=server.log_text()))
    return failure if log.strip() and whole.error_class in WITHOUT_CAUSE else whole
