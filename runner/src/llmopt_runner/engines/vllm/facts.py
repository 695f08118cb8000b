"""Reads what vLLM says about itself in its log and its metrics, as of 0.32."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from llmopt_runner.engines.reported_values import read_value, summed_counters

_MIB = 2**20
_GIB_IN_MIB = 1024.0
_NUMBER = r"([\d.,]+)"


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _mib(text: str) -> float:
    return round(_number(text) * _GIB_IN_MIB, 3)


_LOGGED: Mapping[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    # On GPUs what they hold after the load; a CPU build reports only the files' size.
    "weights_mib": (re.compile(rf"Model loading took {_NUMBER} GiB"), _mib),
    "checkpoint_mib": (re.compile(rf"Checkpoint size: {_NUMBER} GiB"), _mib),
    "kv_cache_mib": (re.compile(rf"Available KV cache memory: {_NUMBER} GiB"), _mib),
    "graphs_mib": (re.compile(rf"Graph capturing finished in .*took {_NUMBER} GiB"), _mib),
    "load_seconds": (re.compile(rf"Loading weights took {_NUMBER} seconds"), _number),
    "warmup_seconds": (re.compile(rf"init engine \(.*\) took {_NUMBER} s"), _number),
    "compile_seconds": (
        re.compile(rf"torch\.compile (?:and initial profiling/warmup run together )?took {_NUMBER} s"),
        _number,
    ),
    "n_ctx": (re.compile(r"\bmax_seq_len=(\d+)"), int),
    "dtype": (re.compile(r"\bdtype=torch\.(\w+)"), str),
    "quantization": (re.compile(r"\bquantization=(?!None)(\w[\w-]*)"), str),
    "chunked_prefill": (re.compile(r"\benable_chunked_prefill=(True|False)"), lambda text: text == "True"),
    "max_num_batched_tokens": (
        re.compile(r"Chunked prefill is enabled with max_num_batched_tokens=(\d+)"),
        int,
    ),
}
# The last where what an earlier start saved cannot be loaded, as with 0.32 on CPUs.
_COMPILED = re.compile(
    r"Compiling a graph for compile range|saved AOT compiled function|Compiling model again due to"
)
_FOUND_COMPILED = re.compile(r"Directly load (?:the compiled graph|AOT compilation)")
_CACHE = re.compile(r"^vllm:cache_config_info\{(.*)\}", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_CACHE_LABELS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "kv_cache_tokens": ("kv_cache_size_tokens", int),
    "max_concurrency": ("kv_cache_max_concurrency", float),
    "kv_cache_mib": ("kv_cache_memory_bytes", lambda text: int(text) / _MIB),
    "block_size": ("block_size", int),
    "kv_cache_dtype": ("cache_dtype", str),
    "prefix_caching": ("enable_prefix_caching", lambda text: text == "True"),
}
_COUNTERS: Mapping[str, str] = {
    "prefix_cache_queries": "vllm:prefix_cache_queries_total",
    "prefix_cache_hits": "vllm:prefix_cache_hits_total",
    "preemptions": "vllm:num_preemptions_total",
    "draft_tokens": "vllm:spec_decode_num_draft_tokens_total",
    "accepted_draft_tokens": "vllm:spec_decode_num_accepted_tokens_total",
}


def read_facts(log_text: str, metrics_text: str) -> dict[str, Any]:
    """Return what log and metrics say; what they do not say is not among the keys."""
    facts: dict[str, Any] = {}
    for name, (pattern, read) in _LOGGED.items():
        if (found := pattern.search(log_text)) and (value := read_value(read, found[1])) is not None:
            facts[name] = value
    if cache := _compile_cache(log_text):
        facts["compile_cache"] = cache
    labels = _cache_labels(metrics_text)
    for name, (label, read) in _CACHE_LABELS.items():
        if (value := read_value(read, labels.get(label, "None"))) is not None:
            facts[name] = value
    return facts


def read_counters(metrics_text: str) -> dict[str, float]:
    """Return the counters, each summed over the server's engines."""
    return summed_counters(metrics_text, _COUNTERS)


def _compile_cache(log_text: str) -> str | None:
    """Return whether compiled graphs were found (warm) or one was compiled (cold); None: there are none."""
    if _COMPILED.search(log_text):
        return "cold"
    return "warm" if _FOUND_COMPILED.search(log_text) else None


def _cache_labels(metrics_text: str) -> dict[str, str]:
    found = _CACHE.search(metrics_text)
    return dict(_LABEL.findall(found[1])) if found else {}
