"""Asking another process for a score over HTTP: what judges and scoring services have in common."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt_runner.quality.base import ScoringFailed
from llmopt_runner.transport.client import HttpTimeout, ask
from llmopt_runner.transport.connections import HttpFailed
from llmopt_runner.transport.messages import shown_address

_MAX_QUOTED = 200


@dataclass(frozen=True)
class ScoringClient:
    """Posts JSON to one address and reads JSON back, on a connection of its own each time."""

    url: str
    api_key: str | None = field(repr=False)
    timeout_seconds: float

    async def ask(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to `document`, a JSON object; raises ScoringFailed with what came instead."""
        try:
            answer = await ask(self.url, document, api_key=self.api_key, timeout_seconds=self.timeout_seconds)
        except HttpTimeout as error:
            raise ScoringFailed(
                f"{self.shown} gave no score within {self.timeout_seconds:g} s: raise "
                "workload.evaluator.args.timeout_seconds, or lower the load on it"
            ) from error
        except HttpFailed as error:
            raise ScoringFailed(
                f"{self.shown} cannot be asked for a score ({error}): "
                "check workload.evaluator.endpoint.url and that its server runs"
            ) from error
        return self._object(answer.status, answer.text)

    @property
    def shown(self) -> str:
        """The address as a message may name it."""
        return shown_address(self.url)

    def _object(self, status: int, text: str) -> dict[str, Any]:
        if status >= 400:  # noqa: PLR2004 - HTTP's first error status
            raise ScoringFailed(
                f"{self.shown} answered {status} ({quoted(text)}): check workload.evaluator.endpoint"
            )
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise ScoringFailed(f"{self.shown} answered {quoted(text)}: a JSON object was expected")
        return document


def quoted(text: str) -> str:
    """Return the beginning of `text` as it may stand in a message."""
    return repr(text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…")


def quoted_document(document: Any) -> str:
    """Return the beginning of what a server's JSON held as it may stand in a message."""
    try:
        text = repr(document)
    except RecursionError:
        return "a document that is nested too deeply"
    return text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…"
