"""Which metrics a person means by a word that is no metric's name, such as `throughput` or `ttft`."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType

_MOST_SHOWN = 5
_SHORTEST_PART = 3  # ms, s and of say nothing
_LIST = "`llmopt list --type metrics` shows all"
_OUTPUT_TOKENS = ("output_tokens_per_second",)
_REQUESTS = ("requests_per_second",)
_LATENCY = ("ttft_ms_p95", "tpot_ms_p95", "e2e_ms_p95")
# By the word without its signs. What is a part of metrics' names (ttft, memory) needs no entry.
_MEANT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "delay": _LATENCY,
        "f1": ("token_f1",),
        "latency": _LATENCY,
        "qps": _REQUESTS,
        "quality": ("accuracy", "good_answers_per_second"),
        "responsetime": _LATENCY,
        "rps": _REQUESTS,
        "speed": (*_OUTPUT_TOKENS, *_REQUESTS),
        "throughput": (*_OUTPUT_TOKENS, *_REQUESTS),
        "toks": _OUTPUT_TOKENS,
        "tps": _OUTPUT_TOKENS,
        "vram": ("peak_gpu_memory_mib",),
    }
)


def suggested_metrics(word: str, known: Iterable[str]) -> str:
    """Return which of the `known` metrics `word` may stand for, else where they are listed."""
    names = tuple(known)
    found = get_close_matches(word, names, n=1) or _by_meaning(word, names)
    if not found:
        return _LIST
    shown = found[:_MOST_SHOWN]
    if len(found) == 1:
        return f"did you mean {shown[0]}?"
    return f"did you mean {', '.join(shown[:-1])} or {shown[-1]}? {_LIST}"


def _by_meaning(word: str, names: tuple[str, ...]) -> list[str]:
    """Return the metrics that the word, or the longest of its parts that says something, stands for."""
    parts = [each for each in re.split(r"[^a-z0-9]+", word.lower()) if each]
    found = (_named(part, names) for part in ("".join(parts), *sorted(parts, key=len, reverse=True)))
    return next(filter(None, found), [])


def _named(part: str, names: tuple[str, ...]) -> list[str]:
    if part in _MEANT:
        return [name for name in _MEANT[part] if name in names]
    if len(part) < _SHORTEST_PART:
        return []
    return sorted((name for name in names if part in name), key=lambda name: not name.endswith("p95"))
