"""Prompts of a given length, for traces that keep no text: plain words, of about one token each.

The same seed gives the same words, so that two prompts share what they are to share and nothing else. How
many tokens a server counts is compared with what the trace asks for, and reported.
"""

import random
from collections.abc import Sequence
from functools import cache
from itertools import chain

_TEXT = """
time year people way day man thing woman life child world school state family student group country
problem hand part place case week company system program question work number night point home water wall
mother area money story fact month lot right study book eye job word business issue side kind head house
service friend father power hour game line end member law car city name team minute idea body back parent
face level office door health person art war history party result change morning reason
"""
_WORDS = tuple(_TEXT.split())


def synthetic_prompt(tokens: int, seed: str, *, blocks: Sequence[str] = (), block_tokens: int = 0) -> str:
    """Return about `tokens` words, one at least, which are those of `seed`.

    With `blocks` each names the `block_tokens` words of one block, in order: prompts with the same first
    blocks begin alike. What is longer than its blocks ends with words of `seed`.
    """
    parts = [_block(f"block {name}", block_tokens) for name in blocks]
    rest = max(1, tokens) - block_tokens * len(blocks)
    if rest > 0:
        parts.append(_block(seed, rest))
    return " ".join(list(chain.from_iterable(parts))[: max(1, tokens)])


def shared_words(count: int) -> tuple[str, ...]:
    """Return the first `count` words of those that prompts share; fewer are the first of more."""
    return _block("shared", count)


@cache
def _block(seed: str, count: int) -> tuple[str, ...]:
    return tuple(random.Random(seed).choices(_WORDS, k=count))  # noqa: S311 - repeatable words, not a secret
