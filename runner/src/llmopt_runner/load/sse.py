"""Server-sent events, from bytes to data (WHATWG HTML, section 9.2; lines end with LF or CRLF)."""

from llmopt_core.errors.classes import LlmoptError

_FIELDS = (b"data", b"event", b"id", b"retry")


class MalformedStream(LlmoptError):
    """The bytes are not the event stream that the chat API promises."""


class SseParser:
    """Collects bytes, however they are split, and gives the data of each event once it is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[str]:
        """Return the data of the events that `chunk` completes; raises MalformedStream."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        events = []
        for line in lines:
            event = self._take(line.removesuffix(b"\r"))
            if event is not None:
                events.append(event)
        return events

    @property
    def rest(self) -> bytes:
        """What has come of a line that has no end yet."""
        return self._rest

    def _take(self, line: bytes) -> str | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name and name not in _FIELDS:
            raise MalformedStream(
                f"expected a line such as 'data: …' in the event stream, got {line[:200]!r}"
            )
        return None

    def _dispatch(self) -> str | None:
        if not self._data:
            return None
        data, self._data = b"\n".join(self._data), []
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise MalformedStream(f"the event stream is not UTF-8: {data[:200]!r}") from error
