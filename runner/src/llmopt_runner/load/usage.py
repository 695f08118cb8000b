"""Reads a server's token counts, and says which of them cannot be true."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

# No model's context is longer: a count beyond it is an error of the server.
_MOST_PROMPT_TOKENS = 100_000_000
# The names of one count at different servers, those of OpenAI's chat API first.
_PROMPT = ("prompt_tokens", "input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens")
_CACHED = ("cached_tokens", "prompt_cache_hit_tokens")


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
    """Return the counts in `usage`; with `max_tokens`, more tokens of answer or reasoning are impossible."""
    longest = _MOST_PROMPT_TOKENS if max_tokens is None else max_tokens
    prompt = _count(usage, _PROMPT, _MOST_PROMPT_TOKENS)
    output = _count(usage, _OUTPUT, longest)
    hits = _count(
        {**_details(usage, "prompt_tokens_details"), **_given(usage)},
        _CACHED,
        _MOST_PROMPT_TOKENS if prompt.sound is None else prompt.sound,
    )
    # Where a server counts it beside the output, it is added to it.
    reasoning = _count(_details(usage, "completion_tokens_details"), ("reasoning_tokens",), longest)
    wrong = [problem for count in (prompt, output, hits, reasoning) if (problem := count.problem)]
    counts = TokenCounts(prompt.sound, output.sound, hits.sound, "; ".join(wrong) or None)
    return _with_reasoning(counts, reasoning.sound, usage)


def _given(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in usage.items() if value is not None}


def _details(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = usage.get(name)
    return details if isinstance(details, Mapping) else {}


def _count(usage: Mapping[str, Any], names: Sequence[str], most: int) -> "_Count":
    name = next((each for each in names if usage.get(each) is not None), names[0])
    return _Count(name, usage.get(name), most)


def _with_reasoning(counts: TokenCounts, reasoning: int | None, usage: Mapping[str, Any]) -> TokenCounts:
    """Return `counts` with the reasoning in the output, where the server's sum shows that it is not."""
    total = _count(usage, ("total_tokens",), 2 * _MOST_PROMPT_TOKENS).sound
    if not reasoning or not total or counts.prompt is None or counts.output is None:
        return counts
    if total != counts.prompt + counts.output + reasoning:
        return counts
    return replace(counts, output=counts.output + reasoning)


@dataclass(frozen=True)
class _Count:
    name: str
    value: object
    most: int

    @property
    def sound(self) -> int | None:
        """The count where it can be true."""
        value = self.value
        if isinstance(value, float) and value.is_integer():  # JSON has one kind of number
            value = int(value)
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
    if isinstance(value, list | dict):  # it may be nested too deeply to be written out
        return f"a {type(value).__name__}"
    return repr(value)[:40]
