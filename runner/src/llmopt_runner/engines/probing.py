"""Asks a server what a client would ask first: is it there, is it ours, does it answer."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_REFUSALS = frozenset({400, 401, 403, 404, 422})


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
    """One server's API as the readiness check uses it. A local server is never asked through a proxy."""

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    through_proxy: bool = False

    def models(self, timeout_seconds: float) -> Mapping[str, Any]:
        """Return the answer of `/v1/models`; raises NotReady and Refused."""
        return self._json("/v1/models", None, timeout_seconds, refusals=frozenset({401, 403}))

    def complete(self, model: str, fields: Mapping[str, Any], timeout_seconds: float) -> str:
        """Return the text of a real, short completion; raises NotReady and Refused.

        Nothing is said of sampling that `fields` do not say: a server may keep it for its life.
        """
        message = {"role": "user", "content": "Say hello."}
        body = {"model": model, "messages": [message], "max_tokens": 4, **fields}
        document = self._json("/v1/chat/completions", body, timeout_seconds, refusals=_REFUSALS)
        return _completion_text(document)

    def document(self, path: str, timeout_seconds: float) -> Mapping[str, Any]:
        """Return the JSON object that a GET of `path` answers; raises NotReady and Refused."""
        return self._json(path, None, timeout_seconds, refusals=_REFUSALS)

    def post(self, path: str, timeout_seconds: float) -> None:
        """Send a POST with an empty object; raises NotReady and Refused."""
        self._send(path, {}, timeout_seconds, refusals=_REFUSALS)

    def text(self, path: str, timeout_seconds: float) -> str:
        """Return what a GET of `path` answers; raises NotReady and Refused."""
        return self._send(path, None, timeout_seconds, refusals=_REFUSALS).decode("utf-8", "replace")

    def _json(
        self, path: str, body: Mapping[str, Any] | None, timeout_seconds: float, refusals: frozenset[int]
    ) -> Mapping[str, Any]:
        answer = self._send(path, body, timeout_seconds, refusals)
        try:
            document = json.loads(answer)
        except ValueError as error:
            raise NotReady(f"{path} answered no JSON: {answer[:200]!r}") from error
        if not isinstance(document, dict):
            raise NotReady(f"{path} answered no JSON object: {answer[:200]!r}")
        return document

    def _send(
        self, path: str, body: Mapping[str, Any] | None, timeout_seconds: float, refusals: frozenset[int]
    ) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - the manifest admits http and https only
            self.base_url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self._authorization()},
        )
        try:
            with self._opener().open(request, timeout=max(timeout_seconds, 0.01)) as answer:
                content: bytes = answer.read()
        except urllib.error.HTTPError as error:
            message = f"{path} answered {error.code}: {error.read(500).decode('utf-8', 'replace')}"
            error.close()
            if error.code in refusals:
                raise Refused(message, error.code) from error
            raise NotReady(message) from error
        except OSError as error:  # refused, reset, timed out, name not resolved
            raise NotReady(f"{path}: {error}") from error
        return content

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}

    def _opener(self) -> urllib.request.OpenerDirector:
        proxies = urllib.request.ProxyHandler(None if self.through_proxy else {})
        return urllib.request.build_opener(proxies)


def _completion_text(document: Mapping[str, Any]) -> str:
    # A reasoning model may spend its few tokens on thoughts: what counts is that tokens came.
    try:
        message = document["choices"][0]["message"]
        text = message.get("content") or message.get("reasoning_content") or ""
        tokens = (document.get("usage") or {}).get("completion_tokens", 0)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise NotReady(f"/v1/chat/completions answered no completion: {str(document)[:200]}") from error
    if not text and not tokens:
        raise NotReady(f"/v1/chat/completions answered an empty completion: {str(document)[:200]}")
    return str(text)
