"""Asking another process for a score over HTTP: what judges and scoring services have in common."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from llmopt_runner.quality.base import ScoringFailed

_MAX_QUOTED = 200


@dataclass(frozen=True)
class ScoringClient:
    """Posts JSON to one address and reads JSON back, on a connection of its own each time."""

    url: str
    api_key: str | None
    timeout_seconds: float

    async def ask(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to `document`, a JSON object; raises ScoringFailed with what came instead."""
        headers = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        timeout = aiohttp.ClientTimeout(total=self.timeout_seconds)
        # Judges answer in seconds; a kept connection would save nothing and may have been closed meanwhile.
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
                session.post(self.url, json=document) as response,
            ):
                return self._object(response.status, await response.text())
        except TimeoutError as error:
            raise ScoringFailed(
                f"{self.url} gave no score within {self.timeout_seconds:g} s: raise "
                "workload.evaluator.args.timeout_seconds, or lower the load on it"
            ) from error
        except (aiohttp.ClientError, UnicodeDecodeError) as error:
            raise ScoringFailed(
                f"{self.url} cannot be asked for a score ({type(error).__name__}: {error}): "
                "check workload.evaluator.endpoint.url and that its server runs"
            ) from error

    def _object(self, status: int, text: str) -> dict[str, Any]:
        if status >= 400:  # noqa: PLR2004 - HTTP's first error status
            raise ScoringFailed(
                f"{self.url} answered {status} ({quoted(text)}): check workload.evaluator.endpoint"
            )
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise ScoringFailed(f"{self.url} answered {quoted(text)}: a JSON object was expected")
        return document


def quoted(text: str) -> str:
    """Return the beginning of `text` as it may stand in a message."""
    return repr(text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}…")
