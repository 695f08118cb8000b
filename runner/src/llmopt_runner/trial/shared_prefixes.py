"""What all prompts begin with: `workload.prompt.sharedPrefix`. Pure."""

from dataclasses import replace

from llmopt_runner.datasets.base import Item
from llmopt_runner.datasets.synthetic_prompts import shared_words
from llmopt_runner.load.requests import ChatRequest


def begun_alike(request: ChatRequest, item: Item, share: float) -> ChatRequest:
    """Return `request`, which asks `item`, with words before its last message that make up `share` of it.

    The share (0 to below 1) is of its characters, or where a trace says how many tokens it has, of these. A
    shorter prefix begins a longer one. A trace that names shared parts itself gets nothing more.
    """
    *before, last = request.messages
    text = str(last["content"])
    prefix = _prefix(item, share, len(text))
    if not prefix:
        return request
    message = {**last, "content": f"{prefix}\n\n{text}"}
    return replace(request, messages=(*before, message), shared_characters=len(prefix))


def own_tokens(item: Item, share: float) -> int:
    """Return how many tokens of a prompt that a trace describes are not shared with all others."""
    traced = item.traced
    if traced is None or traced.prompt_tokens is None:
        return 0
    return traced.prompt_tokens if traced.blocks else traced.prompt_tokens - _shared_tokens(item, share)


def _prefix(item: Item, share: float, characters: int) -> str:
    traced = item.traced
    if traced is None or traced.prompt_tokens is None:
        count = round(characters * share / (1 - share))
        # A word with its space has two characters at least.
        return " ".join(shared_words(count // 2 + 1))[:count].strip()
    return "" if traced.blocks else " ".join(shared_words(_shared_tokens(item, share)))


def _shared_tokens(item: Item, share: float) -> int:
    tokens = item.traced.prompt_tokens if item.traced else None
    return round(share * (tokens or 0))
