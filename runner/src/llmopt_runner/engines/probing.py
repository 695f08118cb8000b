"""Asks a server what a client would ask first: is it there, is it ours, does it answer."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from llmopt_runner.load.answers import REASONING_FIELDS
from llmopt_runner.transport.api_url import api_url
from llmopt_runner.transport.client import HttpTimeout, ask_now
from llmopt_runner.transport.connections import HttpFailed
from llmopt_runner.transport.messages import readable, shown_address

_REFUSALS = frozenset({400, 401, 403, 404, 422})
_OK, _FIRST_ERROR = 200, 400
_SHOWN, _SHOWN_ERROR = 200, 500  # characters


class NotReady(Exception):
    """The server does not answer yet; a later try may. `status` is HTTP's, None where none came."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Keep the status."""
        super().__init__(message)
        self.status = status


class TooLate(NotReady):
    """The whole answer did not come in the time that it had."""


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
        """Return the names of the API's models; raises NotReady and Refused.

        Some servers answer with the bare list.
        """
        url = api_url(self.base_url, "/models")
        document = self._json(url, None, timeout_seconds, refusals=frozenset({401, 403}))
        return _object({"data": document} if isinstance(document, list) else document, url)

    def complete(self, model: str, fields: Mapping[str, Any], timeout_seconds: float) -> str:
        """Return the text of a real, short completion; raises NotReady and Refused.

        Nothing is said of sampling that `fields` do not say: a server may keep it for its life.
        """
        message = {"role": "user", "content": "Say hello."}
        body = {"model": model, "messages": [message], "max_tokens": 4, **fields}
        url = api_url(self.base_url, "/chat/completions")
        return _completion_text(self._json(url, body, timeout_seconds, refusals=_REFUSALS), url)

    def document(self, path: str, timeout_seconds: float) -> Mapping[str, Any]:
        """Return the JSON object that a GET of `path` answers; raises NotReady and Refused."""
        url = self.base_url + path
        return _object(self._json(url, None, timeout_seconds, refusals=_REFUSALS), url)

    def post(self, path: str, timeout_seconds: float) -> None:
        """Send a POST with an empty object; raises NotReady and Refused."""
        self._send(self.base_url + path, {}, timeout_seconds, refusals=_REFUSALS)

    def text(self, path: str, timeout_seconds: float) -> str:
        """Return what a GET of `path` answers; raises NotReady and Refused."""
        return self._send(self.base_url + path, None, timeout_seconds, refusals=_REFUSALS)

    @property
    def shown(self) -> str:
        """The address as a message may name it."""
        return shown_address(self.base_url)

    def _json(
        self, url: str, body: Mapping[str, Any] | None, timeout_seconds: float, refusals: frozenset[int]
    ) -> Any:
        answer = self._send(url, body, timeout_seconds, refusals)
        try:
            return json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise NotReady(f"{_path(url)} answered no JSON: {answer[:_SHOWN]!r}", _OK) from error

    def _send(
        self, url: str, body: Mapping[str, Any] | None, timeout_seconds: float, refusals: frozenset[int]
    ) -> str:
        try:
            answer = ask_now(
                url,
                body,
                api_key=self.api_key,
                timeout_seconds=max(timeout_seconds, 0.01),
                cancelled=self.cancelled,
            )
        except HttpFailed as error:
            kind = TooLate if isinstance(error, HttpTimeout) else NotReady
            raise kind(f"{_path(url)}: {error}") from error
        if answer.status < _FIRST_ERROR:
            return answer.text
        message = f"{_path(url)} answered {answer.status}: {answer.text[:_SHOWN_ERROR]}"
        if answer.status in refusals:
            raise Refused(message, answer.status)
        raise NotReady(message, answer.status)


def _path(url: str) -> str:
    """Return what of `url` a message names: the server has been named."""
    try:
        return urlsplit(url).path
    except ValueError:  # a bracket that is not closed
        return shown_address(url)


def _object(document: Any, url: str) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise NotReady(f"{_path(url)} answered no JSON object: {_shown(document)}", _OK)
    return document


def _completion_text(document: Any, url: str) -> str:
    # A reasoning model may spend its few tokens on thoughts, which its server may keep: what counts is that
    # tokens came.
    try:
        choice = document["choices"][0]
        message = choice["message"]
        text = message.get("content") or next(filter(None, map(message.get, REASONING_FIELDS)), "")
        generated = text or choice.get("finish_reason") == "length"
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotReady(f"{_path(url)} answered no completion: {_shown(document)}") from error
    if not generated and not _counted(document):
        raise NotReady(f"{_path(url)} answered an empty completion: {_shown(document)}")
    return readable(text) if isinstance(text, str) else ""


def _counted(document: Any) -> bool:
    usage = document.get("usage")
    return isinstance(usage, dict) and bool(usage.get("completion_tokens"))


def _shown(document: Any) -> str:
    try:
        return readable(str(document)[:_SHOWN])
    except RecursionError:
        return "a document that is nested too deeply"
