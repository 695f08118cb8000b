"""A streamed chat completion, from timed bytes to text, chunk times and counts: no input or output here."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmopt_runner.load.reasoning import Separated, separate
from llmopt_runner.load.sse import MalformedStream, SseParser
from llmopt_runner.load.usage import TokenCounts, read_usage
from llmopt_runner.transport.messages import readable

END = "[DONE]"
# The names under which servers send reasoning beside the content.
REASONING_FIELDS = (
    "reasoning_content",
    "reasoning",
    "thinking",
    "thinking_content",
    "reasoning_text",
    "thoughts",
)
# How a server ends an answer that it gave up; what came before is no answer.
_GIVEN_UP = frozenset({"error", "abort", "aborted"})
_LONGEST_MESSAGE = 500


class StreamedAnswer:
    """What has come of one answer.

    A chunk with text is one whose delta holds non-empty content or reasoning: the role-only chunk that some
    servers send first is none, nor is the one with the usage, whose `choices` are empty.
    """

    def __init__(self) -> None:
        self.chunk_times: list[float] = []
        self.last_chunk_at: float | None = None
        self.finish_reason: str | None = None
        self.done = False  # nothing more is to come
        self._usage: Mapping[str, Any] = {}
        self._parts: list[str] = []
        self.reasoned_apart = False  # reasoning came in fields or parts of its own
        self._error: str | None = None
        self._parser = SseParser()

    def feed(self, at: float, data: bytes) -> None:
        """Take the bytes that arrived at the time `at`; raises MalformedStream."""
        for name, event in self._parser.feed(data):
            self._take_event(at, name, event)

    def end(self, at: float) -> None:
        """Take what is whole of the last event, at whose blank line the connection ended."""
        for name, event in self._parser.end():
            self._take_event(at, name, event)
        rest = self._parser.rest.strip()
        if rest.startswith(b"data:") and rest.removeprefix(b"data:").strip() == END.encode():
            self.done = True

    def _take_event(self, at: float, name: str, event: str) -> None:
        if self.done:
            return
        if event.startswith(END):
            self.done = True
            return
        self.last_chunk_at = at
        if name == "error":
            self._fail(event)
            return
        try:
            self._take(at, json.loads(event))
        except (AttributeError, TypeError) as error:
            raise MalformedStream(f"an event is no chunk of a chat completion: {event[:200]!r}") from error
        except (ValueError, RecursionError) as error:  # no JSON, nested too deeply, a number of many digits
            raise MalformedStream(f"an event's data is not JSON: {event[:200]!r}") from error

    def _take(self, at: float, document: dict[str, Any]) -> None:
        usage = document.get("usage")
        if usage and isinstance(usage, dict):
            self._usage = usage
        choices = document.get("choices")
        if (not choices or document.get("error")) and is_error(document):
            self._fail_with(document)
        for choice in choices or ():
            delta = choice.get("delta") or {}
            content = delta.get("content") or ""
            # Most chunks hold content alone.
            reasoned = (not content or len(delta) > 1) and any(map(delta.get, REASONING_FIELDS))
            if not isinstance(content, str):
                content, in_parts = text_of_parts(content)
                reasoned = reasoned or in_parts
            if content or reasoned:
                self.chunk_times.append(at)
                self._parts.append(content)
                self.reasoned_apart = self.reasoned_apart or reasoned
            finish_reason = choice.get("finish_reason")
            if finish_reason and isinstance(finish_reason, str):
                self.finish_reason = finish_reason

    def _fail(self, data: str) -> None:
        """Fail by an event that is named an error, whatever it holds."""
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = data
        self._fail_with(document)

    def _fail_with(self, document: Any) -> None:
        self._error = error_message(document)
        self.done = True

    def separated(self) -> Separated:
        """Return the answer so far, and the reasoning that stood in its text."""
        return separate(readable("".join(self._parts)))

    def counts(self, max_tokens: int | None = None) -> TokenCounts:
        """Return the server's token counts; those that cannot be true are listed apart."""
        counts = read_usage(self._usage, max_tokens=max_tokens)
        if counts.output == 0 and self.chunk_times and counts.impossible is None:
            return replace(counts, output=None, impossible="completion_tokens is 0 for an answer with text")
        return counts

    def estimated_tokens(self, max_tokens: int | None = None) -> int | None:
        """Return the chunks with text, for a server that counts no tokens.

        None: an answer that was cut at `max_tokens` came in another number of chunks, so a chunk of this
        server is no token.
        """
        chunks = len(self.chunk_times)
        cut_at = max_tokens if self.finish_reason == "length" else None
        return chunks if cut_at in {None, chunks} else None

    @property
    def fault(self) -> str | None:
        """Say what is wrong with the answer now that its stream has ended; None for a whole one."""
        if self._error is not None:
            return f"the server reported in the stream: {self._error}"
        if self.finish_reason in _GIVEN_UP:
            return f"the server gave the answer up: its finish_reason is {self.finish_reason}"
        chunks = len(self.chunk_times)
        if self.finish_reason is not None or (self.done and chunks):
            return None
        if self.done:
            return f"the stream ended with {END} before any part of an answer"
        rest = f", in the middle of {self._parser.rest[:200]!r}" if self._parser.rest else ""
        return f"the stream ended without finish_reason or {END} after {chunks} chunks with text{rest}"


def text_of_parts(content: Any) -> tuple[str, bool]:
    """Return the text of a content that is a list of parts, and whether it holds reasoning too.

    Raises TypeError and AttributeError where it is no such list.
    """
    if not isinstance(content, list):
        raise TypeError(f"content is a {type(content).__name__}")
    text, reasoned = [], False
    for part in content:
        if isinstance(part, str):
            text.append(part)
        elif _is_reasoning(str(part.get("type"))):
            reasoned = reasoned or _has_text(part)
        elif isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), reasoned


def _is_reasoning(kind: str) -> bool:
    return "think" in kind or "reason" in kind


def _has_text(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value)
    if isinstance(value, dict):
        return any(_has_text(each) for name, each in value.items() if name != "type")
    return isinstance(value, list) and any(map(_has_text, value))


def is_error(document: Mapping[str, Any]) -> bool:
    """Say whether a server's document reports an error, in any of the forms in use."""
    error = document.get("error")
    if error or document.get("object") == "error" or document.get("type") == "error":
        return True
    if document.get("choices") is not None:
        return False
    named = error is not None and error is not False
    return named or any(map(document.get, ("detail", "message", "errors")))


def error_message(document: Any) -> str:
    """Return what an error document of the API says, in any of the forms in use; never an endless text."""
    error = document
    if isinstance(document, dict):
        error = next(filter(None, map(document.get, ("error", "detail", "message", "errors"))), document)
    if isinstance(error, dict) and error.get("message"):
        error = error["message"]
    if not isinstance(error, str):
        try:
            error = json.dumps(error)
        except (ValueError, RecursionError):
            error = "an error that is nested too deeply"
    return readable(error[:_LONGEST_MESSAGE])
