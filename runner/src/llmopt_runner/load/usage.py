"""Reads a server's token counts, and says which of them cannot be true."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# No model's context is longer: a count beyond it is an error of the server.
_MOST_PROMPT_TOKENS = 100_000_000


@dataclass(frozen=True)
class TokenCounts:
    """The counts of one answer; None: not given, or impossible. `impossible` says what cannot be true."""

    prompt: int | None = None
    output: int | None = None
    cached: int | None = None
    impossible: str | None = None

    @property
    def reported(self) -> bool:
        """Whether the server counted the answer's tokens."""
        return self.output is not None


def read_usage(usage: Mapping[str, Any], *, max_tokens: int | None = None) -> TokenCounts:
    """Return the counts in `usage`; with `max_tokens`, an answer of more tokens is impossible."""
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
    longest = _MOST_PROMPT_TOKENS if max_tokens is None else max_tokens
    prompt = _Count("prompt_tokens", usage.get("prompt_tokens"), _MOST_PROMPT_TOKENS)
    output = _Count("completion_tokens", usage.get("completion_tokens"), longest)
    hits = _Count("cached_tokens", cached, _MOST_PROMPT_TOKENS if prompt.sound is None else prompt.sound)
    wrong = [problem for count in (prompt, output, hits) if (problem := count.problem)]
    return TokenCounts(prompt.sound, output.sound, hits.sound, "; ".join(wrong) or None)


@dataclass(frozen=True)
class _Count:
    name: str
    value: object
    most: int

    @property
    def sound(self) -> int | None:
        """The count where it can be true."""
        value = self.value
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return value if 0 <= value <= self.most else None

    @property
    def problem(self) -> str | None:
        """Why the count cannot be true; None: it can, or none was given."""
        if self.value is None or self.sound is not None:
            return None
        return f"{self.name} is {_shown(self.value)}, and must be a whole number from 0 to {self.most}"


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 64:  # noqa: PLR2004
        return f"a number of {value.bit_length()} bits"  # to write out a long one takes quadratic time
    return repr(value)[:40]
