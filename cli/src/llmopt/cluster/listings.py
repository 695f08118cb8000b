"""Resources as rows of a table. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from llmopt.cluster.conditions import is_current, problem_of, status_of
from llmopt.cluster.kinds import kind_of
from llmopt_core.api.conditions import Phase
from llmopt_core.resources.served import engine_of
from llmopt_core.resources.status import OptimizationStatus, Status

_UNITS = {"d": 86_400, "h": 3_600, "m": 60}
NARROW = ("kind", "name", "phase", "trials", "best", "gain", "age")
WIDE = (*NARROW, "outcome", "engine", "left", "runners", "study")


def columns(*, wide: bool, everywhere: bool) -> tuple[str, ...]:
    """Return the titles: of a wide table more, and where all namespaces are listed theirs."""
    titles = WIDE if wide else NARROW
    return ("namespace", *titles) if everywhere else titles


def row(document: Mapping[str, Any], titles: Sequence[str], now: datetime) -> tuple[str, ...]:
    """Return what stands under `titles` for the resource `document`."""
    status = status_of(document)
    cells = {**_place(document, now), **_state(document, status), **_found(status)}
    return tuple(cells.get(title, "") for title in titles)


def _place(document: Mapping[str, Any], now: datetime) -> dict[str, str]:
    metadata, kind = document["metadata"], kind_of(document)
    made = metadata.get("creationTimestamp")
    age = (now - datetime.fromisoformat(made).astimezone(UTC)).total_seconds() if made else 0.0
    return {
        "namespace": str(metadata.get("namespace", "")),
        "kind": kind.short if kind else "",
        "name": str(metadata["name"]),
        "age": _short(age) if made else "",
        "engine": engine_of(document),
    }


def _state(document: Mapping[str, Any], status: Status) -> dict[str, str]:
    problem = problem_of(status) if is_current(document, status) else None
    phase = "Rejected" if problem and problem.hopeless else status.phase or Phase.PENDING
    is_explained = problem is not None and problem.reason != phase
    left = status.progress.eta_seconds
    return {
        "phase": f"{phase}: {problem.reason}" if problem and is_explained else phase,
        "trials": status.progress.text,
        "left": _short(left) if left else "",
        "runners": str(sum(runner.ended is None for runner in status.runners)),
        "study": status.study or "",
        "outcome": status.reason,
    }


def _found(status: Status) -> dict[str, str]:
    if isinstance(status, OptimizationStatus):
        best = status.best
        return {"best": best.headline, "gain": best.short_gain, "outcome": best.summary} if best else {}
    return {"best": status.winner or ""} | ({"outcome": status.verdict} if status.verdict else {})


def _short(seconds: float) -> str:
    """Return a time in its largest unit, as kubectl's tables do."""
    for unit, length in _UNITS.items():
        if seconds >= 2 * length:
            return f"{seconds // length:.0f}{unit}"
    return f"{max(0.0, seconds):.0f}s"
