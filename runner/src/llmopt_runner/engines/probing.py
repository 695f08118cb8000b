"""Asks a server what a client would ask first: is it there, is it ours, does it answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt_runner.load.answers import REASONING_FIELDS
from llmopt_runner.transport.api_base import api_base
from llmopt_runner.transport.client import ask_now
from llmopt_runner.transport.connections import HttpFailed
from llmopt_runner.transport.messages import readable

_REFUSALS = frozenset({400, 401, 403, 404, 422})
_FIRST_ERROR = 400
_SHOWN, _SHOWN_ERROR = 200, 500  # characters


class NotReady(Exception):
    """The server does not answer yet; a later try may."""


class Refused(Exception):
    """The server answers, and says no: trying again would not change that. `status` is HTTP's."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the status."""
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Probe:
    """One server's API as the readiness check uses it; like the load, it goes through no proxy.

    Once `cancelled` says so, a question is given up: NotReady.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    cancelled: Callable[[], bool] = lambda: False

    def models(self, timeout_seconds: float) -> Mapping[str, Any]:
        """Return the names of the API's models; raises NotReady and Refused."""
        return self._json(f"{self._version}/models", None, timeout_seconds, refusals=frozenset({401, 403}))

    def complete(self, model: str, fields: Mapping[str, Any], timeout_seconds: float) -> str:
        """Return the text of a real, short completion; raises NotReady and Refused.

        Nothing is said of sampling that `fields` do not say: a server may keep it for its life.
        """
        message = {"role": "user", "content": "Say hello."}
        body = {"model": model, "messages": [message], "max_tokens": 4, **fields}
        document = self._json(f"{self._version}/chat/completions", body, timeout_seconds, refusals=_REFUSALS)
        return _completion_text(document)

    def document(self, path: str, timeout_seconds: float) -> Mapping[str, Any]:
        """Return the JSON object that a GET of `path` answers; raises NotReady and Refused."""
        return self._json(path, None, timeout_seconds, refusals=_REFUSALS)

    def post(self, path: str, timeout_seconds: float) -> None:
        """Send a POST with an empty object; raises NotReady and Refused."""
        self._send(path, {}, timeout_seconds, refusals=_REFUSALS)

    def text(self, path: str, timeout_seconds: float) -> str:
        """Return what a GET of `path` answers; raises NotReady and Refused."""
        return self._send(path, None, timeout_seconds, refusals=_REFUSALS)

    @property
    def _version(self) -> str:
        """What stands between the address and the API: nothing where the address has it."""
        return api_base(self.base_url).removeprefix(self.base_url.rstrip("/"))

    def _json(
        self, path: str, body: Mapping[str, Any] | None, timeout_seconds: float, refusals: frozenset[int]
    ) -> Mapping[str, Any]:
        answer = self._send(path, body, timeout_seconds, refusals)
        try:
            document = json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise NotReady(f"{path} answered no JSON: {answer[:_SHOWN]!r}") from error
        if not isinstance(document, dict):
            raise NotReady(f"{path} answered no JSON object: {answer[:_SHOWN]!r}")
        return document

    def _send(
        self, path: str, body: Mapping[str, Any] | None, timeout_seconds: float, refusals: frozenset[int]
    ) -> str:
        try:
            answer = ask_now(
                self.base_url + path,
                body,
                api_key=self.api_key,
                timeout_seconds=max(timeout_seconds, 0.01),
                cancelled=self.cancelled,
            )
        except HttpFailed as error:
            raise NotReady(f"{path}: {error}") from error
        if answer.status < _FIRST_ERROR:
            return answer.text
        message = f"{path} answered {answer.status}: {answer.text[:_SHOWN_ERROR]}"
        if answer.status in refusals:
            raise Refused(message, answer.status)
        raise NotReady(message)


def _completion_text(document: Mapping[str, Any]) -> str:
    # A reasoning model may spend its few tokens on thoughts, which its server may keep: what counts is that
    # tokens came.
    try:
        choice = document["choices"][0]
        message = choice["message"]
        text = message.get("content") or next(filter(None, map(message.get, REASONING_FIELDS)), "")
        generated = text or choice.get("finish_reason") == "length"
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotReady(f"/v1/chat/completions answered no completion: {_shown(document)}") from error
    if not generated and not _counted(document):
        raise NotReady(f"/v1/chat/completions answered an empty completion: {_shown(document)}")
    return readable(text) if isinstance(text, str) else ""


def _counted(document: Mapping[str, Any]) -> bool:
    usage = document.get("usage")
    return isinstance(usage, dict) and bool(usage.get("completion_tokens"))


def _shown(document: Mapping[str, Any]) -> str:
    try:
        return readable(str(document)[:_SHOWN])
    except RecursionError:
        return "a document that is nested too deeply"
