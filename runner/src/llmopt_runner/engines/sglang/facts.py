"""Reads what SGLang says about itself in its log and its metrics, by the format strings of 0.5.23."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from llmopt_runner.engines.reported_values import summed_counters

_GIB_IN_MIB = 1024.0
_NUMBER = r"(\d{1,9}(?:\.\d{1,6})?)"
_SIZES: Mapping[str, re.Pattern[str]] = {
    "weights_mib": re.compile(rf"Load weight end\. .*mem usage={_NUMBER} GB"),
    "graphs_mib": re.compile(rf"Capture .*(?:CUDA|cuda) graph end\. .*mem usage={_NUMBER} GB"),
}
_CACHE = re.compile(
    rf"KV Cache is allocated\. .*#tokens: (\d{{1,12}}), (?:K size: {_NUMBER} GB, V size: {_NUMBER} GB"
    rf"|KV size: {_NUMBER} GB)"
)
_VALUES: Mapping[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "load_seconds": (re.compile(rf"Load weight end\. elapsed={_NUMBER} s"), float),
    "kv_cache_tokens": (re.compile(r"max_total_num_tokens=(\d{1,12})"), int),
    "chunked_prefill_size": (re.compile(r"chunked_prefill_size=(-?\d{1,9}), max_prefill"), int),
    "max_running_requests": (re.compile(r"max_running_requests=(\d{1,9}), context_len"), int),
    "n_ctx": (re.compile(r"context_len=(\d{1,12})"), int),
}
_COUNTERS: Mapping[str, str] = {
    "prompt_tokens": "sglang:prompt_tokens_total",
    "cached_tokens": "sglang:cached_tokens_total",
    "preemptions": "sglang:num_retracted_requests_total",
}


def read_facts(log_text: str) -> dict[str, Any]:
    """Return what the log says; what it does not say is not among the keys."""
    facts: dict[str, Any] = {}
    for name, pattern in _SIZES.items():
        if found := pattern.findall(log_text):
            facts[name] = round(sum(float(size) for size in found) * _GIB_IN_MIB, 3)
    if caches := _CACHE.findall(log_text):
        sizes = (float(size) for _, *parts in caches for size in parts if size)
        facts["kv_cache_mib"] = round(sum(sizes) * _GIB_IN_MIB, 3)
    for name, (pattern, read) in _VALUES.items():
        if match := pattern.search(log_text):
            facts[name] = read(match[1])
    return facts


def read_counters(metrics_text: str) -> dict[str, float]:
    """Return the counters, each summed over the server's engines."""
    return summed_counters(metrics_text, _COUNTERS)
