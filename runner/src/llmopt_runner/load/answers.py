"""A streamed chat completion, from timed bytes to text, chunk times and counts: no input or output here."""

import json
from typing import Any

from llmopt_runner.load.sse import MalformedStream, SseParser

END = "[DONE]"


class StreamedAnswer:
    """What has come of one answer.

    A chunk with text is one whose delta holds non-empty `content` or reasoning: the role-only chunk that some
    servers send first is none, nor is the one with the usage, whose `choices` are empty.
    """

    def __init__(self) -> None:
        self.chunk_times: list[float] = []
        self.last_chunk_at: float | None = None
        self.finish_reason: str | None = None
        self.done = False  # nothing more is to come
        self._usage: dict[str, Any] = {}
        self._parts: list[str] = []
        self._error: str | None = None
        self._parser = SseParser()

    def feed(self, at: float, data: bytes) -> None:
        """Take the bytes that arrived at the time `at`; raises MalformedStream."""
        for event in self._parser.feed(data):
            if event == END:
                self.done = True
            else:
                self.last_chunk_at = at
                self._take_event(at, event)

    def _take_event(self, at: float, event: str) -> None:
        try:
            self._take(at, json.loads(event))
        except json.JSONDecodeError as error:
            raise MalformedStream(f"an event's data is not JSON: {event[:200]!r}") from error
        except (AttributeError, TypeError) as error:
            raise MalformedStream(f"an event is no chunk of a chat completion: {event[:200]!r}") from error

    def _take(self, at: float, document: dict[str, Any]) -> None:
        self._usage = document.get("usage") or self._usage
        if "error" in document or document.get("object") == "error":
            self._error = error_message(document)
            self.done = True
        for choice in document.get("choices") or ():
            delta = choice.get("delta") or {}
            content = delta.get("content") or ""
            if content or delta.get("reasoning_content") or delta.get("reasoning"):
                self.chunk_times.append(at)
                self._parts.append(content)
            self.finish_reason = choice.get("finish_reason") or self.finish_reason

    @property
    def text(self) -> str:
        """The answer so far, without the reasoning."""
        return "".join(self._parts)

    @property
    def usage_reported(self) -> bool:
        """Whether the server counted the tokens."""
        return isinstance(self._usage.get("completion_tokens"), int)

    @property
    def output_tokens(self) -> int:
        """The server's count, or the chunks with text where it gives none."""
        return int(self._usage["completion_tokens"]) if self.usage_reported else len(self.chunk_times)

    @property
    def prompt_tokens(self) -> int:
        """The server's count, or 0 where it gives none."""
        return int(self._usage.get("prompt_tokens") or 0)

    @property
    def cached_tokens(self) -> int | None:
        """How many prompt tokens came from the prefix cache; None where the server does not say."""
        cached = (self._usage.get("prompt_tokens_details") or {}).get("cached_tokens")
        return None if cached is None else int(cached)

    @property
    def fault(self) -> str | None:
        """Say what is wrong with the answer now that its stream has ended; None for a whole one."""
        if self._error is not None:
            return f"the server reported in the stream: {self._error}"
        if self.done or self.finish_reason is not None:
            return None
        rest = f", in the middle of {self._parser.rest[:200]!r}" if self._parser.rest else ""
        chunks = len(self.chunk_times)
        return f"the stream ended without finish_reason or {END} after {chunks} chunks with text{rest}"


def error_message(document: dict[str, Any]) -> str:
    """Return what an error document of the API says, in any of the forms in use."""
    error = document.get("error") or document.get("detail") or document
    if isinstance(error, dict) and "message" in error:
        return str(error["message"])
    return error if isinstance(error, str) else json.dumps(error)
