"""Requests that no server has seen before: what it keeps of earlier prompts cannot answer them."""

import secrets
from collections.abc import Iterable
from dataclasses import replace

from llmopt_runner.load.requests import ChatRequest

_MARK_BYTES = 4


def distinct(requests: Iterable[ChatRequest]) -> list[ChatRequest]:
    """Return `requests`, each with a random mark before its last message.

    What comes before the last message (system text, worked examples) stays as it is: a server may keep what
    prompts share, as it may for its users.
    """
    return [_marked(request) for request in requests]


def _marked(request: ChatRequest) -> ChatRequest:
    *before, last = request.messages
    text = f"[{secrets.token_hex(_MARK_BYTES)}] {last['content']}"
    return replace(request, messages=(*before, {**last, "content": text}))
