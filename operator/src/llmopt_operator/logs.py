"""Log lines for programs: one JSON document each, with the resource that it is about."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from llmopt_core.errors.visible import VisibleFormatter


def set_up_logging(*, debug: bool, json: bool) -> None:
    """Write log lines to standard error, as JSON or for people."""
    handler = logging.StreamHandler(sys.stderr)
    if json:
        handler.setFormatter(
            JsonFormatter(
                "%(asctime)s %(levelname)s %(name)s %(message)s",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )
    else:
        handler.setFormatter(VisibleFormatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(_soften)
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[handler], force=True)
    # kopf logs each event that it handles; what is decided is logged here.
    logging.getLogger("kopf").setLevel(logging.DEBUG if debug else logging.WARNING)


def _soften(record: logging.LogRecord) -> bool:
    """Make a warning of what kopf calls an error and tries again: an API server that still loads new CRDs."""
    if record.name.startswith("kopf") and "; will retry: " in str(record.msg):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True
