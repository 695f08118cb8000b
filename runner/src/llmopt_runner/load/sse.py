"""Server-sent events, from bytes to data (WHATWG HTML, section 9.2; lines end with LF or CRLF)."""

from typing import NamedTuple

from llmopt_core.errors.classes import LlmoptError

_FIELDS = (b"data", b"event", b"id", b"retry")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# An event holds a few tokens. What is longer than this is no answer, and would be kept in memory.
_LONGEST_EVENT_BYTES = 4 << 20


class MalformedStream(LlmoptError):
    """The bytes are not the event stream that the chat API promises."""


class Event(NamedTuple):
    """One event: its name, "" for the usual ones, and its data."""

    name: str
    data: str


class SseParser:
    """Collects bytes, however they are split, and gives each event once it is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._name = ""
        self._began = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes; raises MalformedStream."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_EVENT_BYTES:
            raise _too_long()
        events = []
        for line in lines:
            event = self._take(line.removesuffix(b"\r"))
            if event is not None:
                events.append(event)
        return events

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
        if not self._began:
            self._began = True
            line = line.removeprefix(_BYTE_ORDER_MARK)
        name, _, value = line.partition(b":")
        if name == b"data":
            self._collect(value.removeprefix(b" "))
        elif name == b"event":
            self._name = value.strip().decode(errors="replace")
        elif name and name not in _FIELDS:
            raise MalformedStream(
                f"expected a line such as 'data: …' in the event stream, got {line[:200]!r}"
            )
        return None

    def _collect(self, data: bytes) -> None:
        self._data.append(data)
        self._data_bytes += len(data)
        if self._data_bytes > _LONGEST_EVENT_BYTES:
            raise _too_long()

    def _dispatch(self) -> Event | None:
        data, name = b"\n".join(self._data), self._name
        self._data, self._data_bytes, self._name = [], 0, ""
        if not data:
            return None
        try:
            return Event(name, data.decode())
        except UnicodeDecodeError as error:
            raise MalformedStream(f"the event stream is not UTF-8: {data[:200]!r}") from error


def _too_long() -> MalformedStream:
    return MalformedStream(f"an event of the stream is longer than {_LONGEST_EVENT_BYTES:,} bytes")
