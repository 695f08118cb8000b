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
# Others, whose values are lists of parts; some servers send them beside those above.
_REASONING_LISTS = ("reasoning_details", "thinking_blocks")
# Where a part of reasoning has its text; its id, its signature and what is encrypted are none.
_TEXTS = ("text", "thinking", "content", "summary", "reasoning")
# What a model writes that is neither content nor reasoning: it is timed, too.
_CALLS = ("tool_calls", "function_call")
# How a server ends an answer that it gave up; what came before is no answer.
_GIVEN_UP = frozenset(
    {
        "error",
        "abort",
        "aborted",
        "canceled",
        "cancelled",
        "timeout",
        "failed",
        "engine_error",
        "server_error",
        "network_error",  # GLM
        "insufficient_system_resource",  # DeepSeek
    }
)
# The words of Mistral, Cohere, Anthropic and GLM for what OpenAI's API calls so.
_LENGTH = "length"
_LENGTHS = frozenset(
    {"max_tokens", "max_output_tokens", "max_length", "model_length", "model_context_window_exceeded"}
)
# The names of events that are chunks; others, such as `ping`, may hold anything.
_CHUNKS = frozenset({"", "message"})
_MESSAGES = ("error", "detail", "message", "errors", "msg", "error_msg", "error_message")
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
        if event.startswith((END, f'"{END}')):
            self.done = True
            return
        if name == "error":
            self.last_chunk_at = at
            self._fail(event)
            return
        try:
            document = json.loads(event)
            if name in _CHUNKS or _is_chunk(document):
                self._take(at, document)
        except (AttributeError, TypeError) as error:
            if name in _CHUNKS:
                shown = repr(event[:200])
                raise MalformedStream(f"an event is no chunk of a chat completion: {shown}") from error
        except (ValueError, RecursionError) as error:  # no JSON, nested too deeply, a number of many digits
            if name in _CHUNKS:
                raise MalformedStream(f"an event's data is not JSON: {event[:200]!r}") from error

    def _take(self, at: float, document: Any) -> None:
        if document is None:
            return
        if isinstance(document, list) and _is_error_list(document):
            document = document[0]  # Gemini
        self._take_usage(document)
        choices = document.get("choices")
        if (not choices or document.get("error")) and is_error(document):
            self._fail_with(document)
        for choice in choices or ():
            self._take_delta(at, self._delta(choice))
            self._take_end(document, choice)
        self.last_chunk_at = at

    def _take_usage(self, document: Mapping[str, Any]) -> None:
        """Take the counts where OpenAI's API has them, or where Groq adds its own."""
        usage = document.get("usage") or _addition(document).get("usage")
        if usage and isinstance(usage, dict):
            self._usage = usage

    def _delta(self, choice: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what a choice adds: an answer that comes whole, or again whole at its end, is a message."""
        delta = choice.get("delta")
        if delta is None and not self.chunk_times:
            delta = choice.get("message") or {"content": choice.get("text")}
        return delta or {}

    def _take_delta(self, at: float, delta: Mapping[str, Any]) -> None:
        content = delta.get("content") or ""
        if isinstance(content, str):
            reasoned = False
        else:
            content, reasoned = text_of_parts(content)
        written = bool(content)
        if not content or len(delta) > 1:  # most chunks hold content alone
            reasoned = reasoned or _reasons(delta)
            refusal = delta.get("refusal")
            content = content or (refusal if isinstance(refusal, str) else "")
            written = bool(content) or any(map(delta.get, _CALLS))
        if written or reasoned:
            self.chunk_times.append(at)
            self._parts.append(content)
            self.reasoned_apart = self.reasoned_apart or reasoned

    def _take_end(self, document: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
        finish_reason = choice.get("finish_reason")
        if not finish_reason or not isinstance(finish_reason, str):
            return
        self.finish_reason = _LENGTH if finish_reason.lower() in _LENGTHS else finish_reason
        self._take_usage(choice)  # Moonshot
        if finish_reason.lower() in _GIVEN_UP and self._error is None:
            error = choice.get("error") or _addition(document).get("error")
            self._error = error_message(error) if error else None

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
        cut_at = max_tokens if self.finish_reason == _LENGTH else None
        return chunks if cut_at in {None, chunks} else None

    @property
    def fault(self) -> str | None:
        """Say what is wrong with the answer now that its stream has ended; None for a whole one."""
        if self._error is not None:
            return f"the server reported in the stream: {self._error}"
        if self.finish_reason is not None and self.finish_reason.lower() in _GIVEN_UP:
            return f"the server gave the answer up: its finish_reason is {self.finish_reason}"
        chunks = len(self.chunk_times)
        if self.finish_reason is not None or (self.done and chunks):
            return None
        if self.done:
            return f"the stream ended with {END} before any part of an answer"
        rest = f", in the middle of {self._parser.rest[:200]!r}" if self._parser.rest else ""
        return f"the stream ended without finish_reason or {END} after {chunks} chunks with text{rest}"


def _is_chunk(document: Any) -> bool:
    """Say whether an event of another name has a part of the answer, its counts, or why there is none."""
    return isinstance(document, dict) and any(map(document.get, ("choices", "usage", "error")))


def _addition(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what Groq adds to a chunk."""
    addition = document.get("x_groq")
    return addition if isinstance(addition, dict) else {}


def _reasons(delta: Mapping[str, Any]) -> bool:
    return any(_has_text(delta.get(name)) for name in (*REASONING_FIELDS, *_REASONING_LISTS))


def text_of_parts(content: Any) -> tuple[str, bool]:
    """Return the text of a content that is a part or a list of them, and whether it holds reasoning too.

    Raises TypeError and AttributeError where it is neither.
    """
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise TypeError(f"content is a {type(content).__name__}")
    text, reasoned = [], False
    for part in content:
        if isinstance(part, str):
            text.append(part)
        elif _is_reasoning(part.get("type")):
            reasoned = reasoned or _has_text(part)
        elif isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), reasoned


def _is_reasoning(kind: Any) -> bool:
    return isinstance(kind, str) and ("think" in kind or "reason" in kind)


def _has_text(value: Any) -> bool:
    """Say whether a part of reasoning has any text, however deep it is nested."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += map(part.get, _TEXTS)
        elif isinstance(part, list):
            left += part
        elif isinstance(part, str) and part:
            return True
    return False


def is_error(document: Mapping[str, Any]) -> bool:
    """Say whether a server's document reports an error, in any of the forms in use."""
    error = document.get("error")
    if _says(error) or document.get("object") == "error" or document.get("type") == "error":
        return True
    if document.get("choices"):
        return False
    named = error is not None and error is not False and document.get("choices") is None
    return named or any(map(document.get, _MESSAGES[1:])) or bool(_status_message(document))


def _says(error: Any) -> bool:
    """Say whether a field for errors holds more than empty places, however deep they are nested."""
    left = [error]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += part.values()
        elif isinstance(part, list):
            left += part
        elif part:
            return True
    return False


def _is_error_list(document: list[Any]) -> bool:
    return bool(document) and isinstance(document[0], dict) and is_error(document[0])


def _status_message(document: Mapping[str, Any]) -> Any:
    """Return the message of MiniMax's status, which each of its chunks has; None for a success."""
    status = document.get("base_resp")
    return status.get("status_msg") if isinstance(status, dict) and status.get("status_code") else None


def error_message(document: Any) -> str:
    """Return what an error document of the API says, in any of the forms in use; never an endless text."""
    error = document[0] if isinstance(document, list) and _is_error_list(document) else document
    while isinstance(error, dict):
        inner = next(filter(None, map(error.get, _MESSAGES)), None) or _status_message(error)
        if inner is None:
            break
        error = inner
    if not isinstance(error, str):
        try:
            error = json.dumps(error)
        except (ValueError, RecursionError):
            error = "an error that is nested too deeply"
    return readable(error[:_LONGEST_MESSAGE])
