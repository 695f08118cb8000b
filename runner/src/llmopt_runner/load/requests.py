"""What is sent and what came back, as plain data. All times are seconds of this machine's monotonic clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from llmopt_runner.transport.api_url import api_url


@dataclass(frozen=True)
class Endpoint:
    """A server that speaks the OpenAI chat API; `base_url` as a person writes it, see `api_url`.

    Raises ValueError for what no request could be sent with.
    """

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not _is_url(self.base_url):
            raise ValueError(f"base_url is {self.base_url!r}; write it like http://127.0.0.1:8000")
        if self.api_key is not None and not self.api_key.isprintable():
            raise ValueError("api_key holds a line break or another control character; remove it")

    @property
    def chat_url(self) -> str:
        """Return where chat completions are posted."""
        return api_url(self.base_url, "/chat/completions")


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # a port that is no number
        return False


@dataclass(frozen=True)
class ChatRequest:
    """One question to the server; `fields` (temperature, seed, …) go into the body at top level.

    `exact_tokens` says that its answer is to have `max_tokens` tokens, no fewer. `prompt_tokens` is how many
    its prompt is to have, where a trace says so. `turn` (from 1) is its place in a `conversation`, and
    `follow_up` the turn that comes after its answer. `shared_characters` is how much of its last message
    begins other prompts, too.
    """

    item_id: str
    messages: tuple[dict[str, Any], ...]
    max_tokens: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    exact_tokens: bool = False
    prompt_tokens: int | None = None
    conversation: str | None = None
    turn: int = 1
    follow_up: "FollowUp | None" = None
    shared_characters: int = 0


@dataclass(frozen=True)
class FollowUp:
    """The next turn of a conversation, sent `think_seconds` after the answer to the one before has ended.

    Its `request` has only the messages that are new. `own_answer`: the server's answer stands before them.
    """

    request: ChatRequest
    think_seconds: float
    own_answer: bool

    def after(self, before: ChatRequest, answer: str) -> ChatRequest:
        """Return what is sent after `before`, with all that was said."""
        said = ({"role": "assistant", "content": answer},) if self.own_answer else ()
        return replace(self.request, messages=(*before.messages, *said, *self.request.messages))


@dataclass(frozen=True)
class SentTurn:
    """Which turn of which conversation a request was, after which messages.

    `due_at` is when the time to think before it was over; the first turn has none.
    """

    conversation: str
    number: int
    earlier: tuple[dict[str, Any], ...] = ()
    due_at: float | None = None


@dataclass(frozen=True)
class RequestRecord:
    """One request as it went.

    `sent_at` is when its bytes were handed to an open connection: opening one is no part of a time.
    `ended_at` is when the last chunk of its answer came (the one with the usage included), or when it failed.
    `chunk_times` holds the arrival of every chunk with text, reasoning included; `text` is the answer without
    the reasoning, and `reasoned` says that there was some. `output_tokens` is the server's count, reasoning
    included; where `usage_reported` is False it is the number of chunks with text, or None where a chunk is
    known to be no token. `impossible` names counts of the server that cannot be true. `scheduled_at` is when
    it was due in an open loop: latencies count from then, so that what kept it from being sent is no gain.
    `turn` is its place in a conversation.
    """

    item_id: str
    sent_at: float
    first_text_at: float | None
    last_text_at: float | None
    ended_at: float
    chunk_times: tuple[float, ...]
    text: str
    prompt_tokens: int
    output_tokens: int | None
    cached_tokens: int | None
    finish_reason: str | None
    error: str | None
    status: int | None
    usage_reported: bool = True
    scheduled_at: float | None = None
    reasoned: bool = False
    impossible: str | None = None
    turn: SentTurn | None = None

    @property
    def opens(self) -> bool:
        """Whether it arrived by itself, and not after an answer to an earlier turn."""
        return self.turn is None or self.turn.number == 1

    @property
    def due_at(self) -> float:
        """From when its latencies count."""
        return self.sent_at if self.scheduled_at is None else min(self.scheduled_at, self.sent_at)


@dataclass(frozen=True)
class LoadRun:
    """All requests that ended, in the order in which they did.

    `offered` counts the requests that were due, `sent` those that were begun; requests begun but cut off by
    the stop event have no record. `unsent_turns` were never due: an earlier turn had failed.
    """

    records: tuple[RequestRecord, ...]
    started_at: float
    ended_at: float
    sent: int
    offered: int
    unsent_turns: int = 0
