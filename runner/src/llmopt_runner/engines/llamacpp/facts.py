"""Reads what llama.cpp's server says about itself in its log (level 4), as of build b11549."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_MIB = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}
_SIZE = r"(\d{1,12}(?:\.\d{1,9})?) (KiB|MiB|GiB)"
# One device a line; a model with windowed attention has two caches.
_SUMMED_SIZES = {
    "weights_mib": re.compile(rf"model buffer size = +{_SIZE}"),
    "kv_cache_mib": re.compile(rf"llama_kv_cache(?:_\w+)?: size = +{_SIZE}"),
    "compute_buffer_mib": re.compile(rf"compute buffer size = +{_SIZE}"),
}
_VALUES: Mapping[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "n_ctx": (re.compile(r"llama_context: n_ctx += (\d{1,18})"), int),
    "n_ctx_per_slot": (re.compile(r"n_ctx_slot = (\d{1,18})"), int),
    "n_parallel": (re.compile(r"n_slots = (\d{1,18})"), int),
    "n_ctx_train": (re.compile(r"n_ctx_train += (\d{1,18})"), int),
    "n_batch": (re.compile(r"llama_context: n_batch += (\d{1,18})"), int),
    "n_ubatch": (re.compile(r"llama_context: n_ubatch += (\d{1,18})"), int),
    "n_threads": (re.compile(r"system_info: n_threads = (\d{1,18})"), int),
    "n_threads_batch": (re.compile(r"n_threads_batch = (\d{1,18})"), int),
    "n_layers": (re.compile(r"print_info: n_layer += (\d{1,18})"), int),
    "cache_type_k": (re.compile(r"llama_kv_cache(?:_\w+)?: size = .*\bK \((\w+)\)"), str),
    "cache_type_v": (re.compile(r"llama_kv_cache(?:_\w+)?: size = .*\bV \((\w+)\)"), str),
    # Asked for: the first form. Left to llama.cpp: the second, once it has decided.
    "flash_attn": (re.compile(r"(?:llama_context: flash_attn +=|Flash Attention) (enabled|disabled)"), str),
}
_LOADED = re.compile(r"^(\d{1,9})\.(\d{1,9})\.(\d{3})\.(\d{3}) I .*: model loaded$", re.MULTILINE)


def read_facts(log_text: str) -> dict[str, Any]:
    """Return what the log says; what it does not say is not among the keys."""
    facts: dict[str, Any] = {}
    for name, pattern in _SUMMED_SIZES.items():
        if found := pattern.findall(log_text):
            facts[name] = round(sum(float(size) * _MIB[unit] for size, unit in found), 3)
    for name, (pattern, read) in _VALUES.items():
        if match := pattern.search(log_text):
            facts[name] = read(match[1])
    if match := _LOADED.search(log_text):
        minutes, seconds, milliseconds, microseconds = (int(group) for group in match.groups())
        facts["load_seconds"] = minutes * 60 + seconds + milliseconds / 1e3 + microseconds / 1e6
    return facts
