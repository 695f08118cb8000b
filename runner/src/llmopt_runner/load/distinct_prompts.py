"""Requests that no server has seen before: what it keeps of earlier prompts cannot answer them."""

import secrets
from collections.abc import Iterable
from dataclasses import replace

from llmopt_runner.load.requests import ChatRequest

_MARK_BYTES = 4


def distinct(requests: Iterable[ChatRequest]) -> list[ChatRequest]:
    """Return `requests`, each with a random mark before what its last message shares with no other.

    What comes before it (system text, worked examples, a shared prefix) stays as it is: a server may keep
    what prompts share, as it may for its users.
    """
    return [_marked(request) for request in requests]


def _marked(request: ChatRequest) -> ChatRequest:
    *before, last = request.messages
    shared, own = _halves(str(last["content"]), request.shared_characters)
    text = f"{shared}[{secrets.token_hex(_MARK_BYTES)}] {own}"
    return replace(request, messages=(*before, {**last, "content": text}))


def _halves(text: str, place: int) -> tuple[str, str]:
    """Return `text` up to `place` and the blanks after it, and what follows."""
    own = text[place:].lstrip() if place else text
    return text[: len(text) - len(own)], own
