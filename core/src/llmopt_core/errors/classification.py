"""From what a dead engine left behind to one class, with a suggestion that has the trial's own numbers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt_core.errors.classes import ErrorClass, Failure, RetryPolicy

_LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class Evidence:
    """All that is known of a failure: exit code or signal, the whole log, and the trial's own numbers."""

    log: str = ""
    exit_code: int | None = None
    signal: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pattern:
    """A line of a log that decides the class, and what to do about it.

    `suggestion` may use the pattern's named groups and the evidence's facts as `{name}`.
    """

    error_class: ErrorClass
    line: re.Pattern[str]
    suggestion: str


def _pattern(error_class: ErrorClass, line: str, suggestion: str) -> Pattern:
    return Pattern(error_class, re.compile(line, re.MULTILINE), suggestion)


# Searched in this order over the whole log: the first that matches decides. Causes stand before consequences.
PATTERNS = (
    _pattern(
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"^.*(?:CUDA out of memory|cudaMalloc failed: out of memory|CUDA error: out of memory).*$",
        "Less fits on the GPU than this configuration asks for: lower n_gpu_layers, n_ctx or the batch size.",
    ),
    _pattern(
        ErrorClass.DISK_FULL,
        r"^.*(?:No space left on device|Errno 28).*$",
        "Free space on the disk that holds the model cache and the results folder.",
    ),
    _pattern(
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"^.*(?:failed to allocate (?:buffer for )?kv cache|failed to initialize the memory for context).*$",
        "The context does not fit into memory: lower n_ctx, or quantise cache_type_k and cache_type_v.",
    ),
    _pattern(
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"^.*(?:exceeds the available context size|maximum context length is \d+ tokens).*$",
        "A request is longer than its slot's context: raise n_ctx, lower n_parallel, or shorten the prompt.",
    ),
    _pattern(
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"^.*(?:std::bad_alloc|Cannot allocate memory|ggml_aligned_malloc: insufficient memory).*$",
        "The host has too little memory for this configuration: lower n_ctx, or raise the limit.",
    ),
    _pattern(
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"^.*?(?P<library>lib[\w.+-]+\.so[\w.]*): cannot open shared object file.*$",
        "The engine needs the system library {library}: install it (Debian has libgomp.so.1 in libgomp1).",
    ),
    _pattern(
        ErrorClass.MODEL_NOT_FOUND,
        r"^.*(?:failed to open GGUF file|gguf_init_from_file: failed to open|No such file or directory).*$",
        "Check spec.model.source: nothing was found there.",
    ),
    _pattern(
        ErrorClass.MODEL_CORRUPT,
        r"^.*(?:invalid magic characters|tensor '.*' data is not within the file bounds|corrupted or "
        r"incomplete|failed to read magic|gguf_init_from_\w+: failed).*$",
        "The model file is damaged or not a GGUF file: fetch it again and compare its checksum.",
    ),
    _pattern(
        ErrorClass.PORT_BUSY,
        r"^.*(?:address already in use|couldn't bind HTTP server socket).*$",
        "Another program took the port; the next start picks another one.",
    ),
    _pattern(
        ErrorClass.INVALID_CONFIGURATION,
        r"^.*(?:unrecognized arguments|No such option|error: invalid argument|requires flash[_ ]attn"
        r"|V cache quantization requires).*$",
        "The engine refuses this combination of parameters; take it out of the search space.",
    ),
)

POLICIES: Mapping[ErrorClass, RetryPolicy] = {
    ErrorClass.GPU_OUT_OF_MEMORY: RetryPolicy.INFEASIBLE,
    ErrorClass.HOST_OUT_OF_MEMORY: RetryPolicy.INFEASIBLE,
    ErrorClass.KV_CACHE_TOO_SMALL: RetryPolicy.INFEASIBLE,
    ErrorClass.INVALID_CONFIGURATION: RetryPolicy.INFEASIBLE,
    ErrorClass.MODEL_NOT_FOUND: RetryPolicy.FATAL,
    ErrorClass.MODEL_CORRUPT: RetryPolicy.FATAL,
    ErrorClass.ACCESS_DENIED: RetryPolicy.FATAL,
    ErrorClass.ENGINE_NOT_INSTALLED: RetryPolicy.FATAL,
    ErrorClass.DATASET_INVALID: RetryPolicy.FATAL,
    ErrorClass.DISK_FULL: RetryPolicy.FATAL,
    ErrorClass.STORAGE_UNAVAILABLE: RetryPolicy.RETRY,
    ErrorClass.PORT_BUSY: RetryPolicy.RETRY,
    ErrorClass.PREEMPTED: RetryPolicy.RETRY,
    ErrorClass.ENGINE_CRASHED: RetryPolicy.RETRY,
    ErrorClass.ENGINE_START_TIMEOUT: RetryPolicy.RETRY,
    ErrorClass.CUDA_FAULT: RetryPolicy.RETRY,
    ErrorClass.REQUESTS_FAILED: RetryPolicy.RETRY,
    ErrorClass.MEASUREMENT_VOID: RetryPolicy.RETRY,
    ErrorClass.TRIAL_TIMEOUT: RetryPolicy.INFEASIBLE,
    ErrorClass.UNKNOWN: RetryPolicy.RETRY,
}


def classify(evidence: Evidence) -> Failure:
    """Return the one class of what `evidence` shows, with its decisive line and a suggestion."""
    for pattern in PATTERNS:
        if found := pattern.line.search(evidence.log):
            numbers = {**evidence.facts, **found.groupdict()}
            message = found.group(0).strip()[:_LONGEST_MESSAGE]
            return Failure(pattern.error_class, message, pattern.suggestion.format_map(numbers))
    return _by_end(evidence)


def _by_end(evidence: Evidence) -> Failure:
    last = next((line for line in reversed(evidence.log.splitlines()) if line.strip()), "it left no log")
    message = f"{_ending(evidence)}; last line: {last.strip()}"[:_LONGEST_MESSAGE]
    if evidence.exit_code is None and evidence.signal is None:
        return Failure(ErrorClass.UNKNOWN, message, "Read the trial's log in the results folder.")
    return Failure(
        ErrorClass.ENGINE_CRASHED,
        message,
        "Read the trial's log in the results folder; the same configuration is tried once more.",
    )


def _ending(evidence: Evidence) -> str:
    if evidence.signal is not None:
        return f"the engine was ended by signal {evidence.signal}"
    if evidence.exit_code is not None:
        return f"the engine ended with exit code {evidence.exit_code}"
    return "the engine still ran"
