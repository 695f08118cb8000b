"""Server-sent events, from bytes to data (WHATWG HTML, section 9.2)."""

import re

from llmopt_core.errors.classes import LlmoptError

# Fields that the standard does not know are ignored; what has no such name is no event stream.
_FIELD = re.compile(rb"[A-Za-z][\w-]*:|(?:data|event|id|retry)$", re.ASCII)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# An event holds a few tokens. What is longer than this is no answer, and would be kept in memory.
_LONGEST_EVENT_BYTES = 4 << 20


class MalformedStream(LlmoptError):
    """The bytes are not the event stream that the chat API promises."""


# Its name, "" for the usual ones, and its data. A plain pair: there is one a token.
Event = tuple[str, str]


class SseParser:
    """Collects bytes, however they are split, and gives each event once it is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._more_bytes = 0
        self._name = ""
        self._began = False
        self._after_return = False  # a line feed that comes next belongs to the line ending before it

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes; raises MalformedStream."""
        if not self._began:
            self._began = len(self._rest) + len(chunk) >= len(_BYTE_ORDER_MARK)
            self._rest, chunk = b"", (self._rest + chunk).removeprefix(_BYTE_ORDER_MARK)
        *lines, self._rest = (self._rest + self._with_line_feeds(chunk)).split(b"\n")
        if len(self._rest) > _LONGEST_EVENT_BYTES:
            raise _too_long()
        events = []
        for line in lines:
            event = self._take(line)
            if event is not None:
                events.append(event)
        return events

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """Return `chunk` with each line ending, CR, LF or CRLF, as one LF, also where CRLF is cut in two."""
        if self._after_return and chunk:
            self._after_return = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" not in chunk:
            return chunk
        self._after_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def end(self) -> list[Event]:
        """Return the event whose lines are whole, but whose blank line never came."""
        event = self._dispatch()
        return [] if event is None else [event]

    @property
    def rest(self) -> bytes:
        """What has come of a line that has no end yet."""
        return self._rest

    def _take(self, line: bytes) -> Event | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._take_data(value)
        elif name == b"event":
            self._name = value.strip().decode(errors="replace")
        elif name == b"error":  # llama.cpp's server, until 2025
            self._name = "error"
            self._take_data(value)
        elif name and not _FIELD.match(line):
            raise MalformedStream(
                f"expected a line such as 'data: …' in the event stream, got {line[:200]!r}"
            )
        return None

    def _take_data(self, value: bytes) -> None:
        if self._data:  # seldom: an event is one line
            self._require_end(len(value))
        self._data.append(value.removeprefix(b" "))

    def _require_end(self, more_bytes: int) -> None:
        self._more_bytes += more_bytes + 1
        if self._more_bytes > _LONGEST_EVENT_BYTES:
            raise _too_long()

    def _dispatch(self) -> Event | None:
        data, name = b"\n".join(self._data), self._name
        self._data, self._more_bytes, self._name = [], 0, ""
        if not data:
            return None
        try:
            return name, data.decode()
        except UnicodeDecodeError as error:
            raise MalformedStream(f"the event stream is not UTF-8: {data[:200]!r}") from error


def _too_long() -> MalformedStream:
    return MalformedStream(f"an event of the stream is longer than {_LONGEST_EVENT_BYTES:,} bytes")
