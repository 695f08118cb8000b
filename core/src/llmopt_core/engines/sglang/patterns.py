"""What SGLang's server says when it fails: the format strings of its source (0.5.23), none was met here."""

import re

from llmopt_core.engines.engine_logs import EngineLogs
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.drafts import DraftModel
from llmopt_core.errors.limits import LimitRule
from llmopt_core.errors.patterns.base import consequence, pattern
from llmopt_core.errors.patterns.libraries import COMMUNICATION, PARALLEL
from llmopt_core.errors.patterns.machine import (
    BUILD,
    COMPILERS,
    FLASH_ATTENTION,
    GPU_FAULT,
    GPUS,
    HUB_REFUSES,
    OUT_OF_GPU_MEMORY,
    REMOTE_CODE,
    SHARED_MEMORY,
)
from llmopt_core.errors.remedies import Change, Remedy

_MODEL = (
    REMOTE_CODE,
    pattern(
        "model-or-weights-not-found",
        ErrorClass.MODEL_NOT_FOUND,
        r"HFValidationError: Repo id must be in the form|Cannot find any model weights with"
        r"|RepositoryNotFoundError|RevisionNotFoundError|LocalEntryNotFoundError"
        r"|is not a local folder and is not a valid model identifier",
        "Check spec.model.source: the hub or the folder has no such model, revision or weights.",
    ),
    HUB_REFUSES,
    pattern(
        "architecture-unknown",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Model architectures (?P<type>\[[^\]]{1,200}\]) are not supported for now"
        r"|(?P<name>\w+) has no SGlang implementation"
        r"|model type `(?P<kind>[^`]+)` but Transformers does not recognize this architecture",
        "This version of SGLang has no such model: install a newer one.",
    ),
    pattern(
        "files-damaged",
        ErrorClass.MODEL_CORRUPT,
        r"SafetensorError: Error while deserializing header|is not a valid JSON file"
        r"|^json\.decoder\.JSONDecodeError|^UnicodeDecodeError",
        "The model's files are damaged: fetch them again and compare their checksums.",
    ),
)
_MEMORY = (
    pattern(
        "memory-held-by-others",
        ErrorClass.MEMORY_BUSY,
        r"The memory capacity is unbalanced",
        "Another program holds memory of one of these GPUs: end it, or give the engine GPUs of its own.",
    ),
    pattern(
        "no-memory-for-kv-cache",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"Not enough memory\. Please try to increase --mem-fraction-static|max_running_request is zero",
        "The weights leave no memory for the KV cache: raise mem_fraction_static ({mem_fraction_static}),"
        " lower context_length ({context_length}), or quantise the weights.",
        Remedy("mem_fraction_static", Change.MOST),
        Remedy("context_length", Change.HALVE),
    ),
    pattern(
        "window-pool-too-small",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"SWA pool \((?P<tokens>\d+) tokens\) cannot hold even one request",
        "The cache of windowed layers holds {tokens} tokens: raise swa_full_tokens_ratio"
        " ({swa_full_tokens_ratio}) or mem_fraction_static ({mem_fraction_static}).",
        Remedy("swa_full_tokens_ratio", Change.DOUBLE),
        Remedy("mem_fraction_static", Change.MOST),
    ),
    pattern(
        "out-of-memory-while-capturing",
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"Capture cuda graph failed: .*out of memory",
        "CUDA graphs do not fit beside the KV cache: lower mem_fraction_static ({mem_fraction_static}) or"
        " cuda_graph_max_bs_decode ({cuda_graph_max_bs_decode}).",
        Remedy("mem_fraction_static", Change.LOWER),
        Remedy("cuda_graph_max_bs_decode", Change.HALVE),
    ),
    pattern(
        "gpu-out-of-memory",
        ErrorClass.GPU_OUT_OF_MEMORY,
        OUT_OF_GPU_MEMORY,
        "Less fits on the GPU than this configuration asks for: lower mem_fraction_static"
        " ({mem_fraction_static}), chunked_prefill_size ({chunked_prefill_size}) or max_running_requests"
        " ({max_running_requests}), or raise tensor_parallel_size ({tensor_parallel_size}).",
        Remedy("tensor_parallel_size", Change.DOUBLE),
        Remedy("mem_fraction_static", Change.LOWER),
        Remedy("chunked_prefill_size", Change.HALVE),
        Remedy("max_running_requests", Change.HALVE),
    ),
)
_CONFIGURATION = (
    *PARALLEL,
    FLASH_ATTENTION,
    pattern(
        "context-over-model",
        ErrorClass.INVALID_CONFIGURATION,
        r"context_length \((?P<length>\d+)\) is greater than the derived context_length \((?P<longest>\d+)\)",
        "The model has no context of {length} tokens: lower context_length to {longest}.",
        LimitRule("context_length", most="longest", value="length"),
    ),
    pattern(
        "chunks-over-pages",
        ErrorClass.INVALID_CONFIGURATION,
        r"chunked_prefill_size must be divisible by page_size",
        "chunked_prefill_size ({chunked_prefill_size}) must be a multiple of page_size ({page_size}).",
    ),
    pattern(
        "experts-do-not-divide-devices",
        ErrorClass.INVALID_CONFIGURATION,
        r"tp_size (?P<size>\d+) must be divisible by ep_size (?P<experts>\d+)",
        "expert_parallel_size ({experts}) must divide tensor_parallel_size ({size}).",
        LimitRule(
            "expert_parallel_size", divides="size", value="experts", other_lifts=("tensor_parallel_size",)
        ),
    ),
    pattern(
        "devices-do-not-divide-width",
        ErrorClass.INVALID_CONFIGURATION,
        r"moe_intermediate_size (?P<width>\d+) must be divisible by moe_tp_size \((?P<size>\d+)\)",
        "The experts' width {width} cannot be split into {size} parts: raise expert_parallel_size"
        " ({expert_parallel_size}) or lower tensor_parallel_size ({tensor_parallel_size}).",
        Remedy("tensor_parallel_size", Change.HALVE),
    ),
    pattern(
        "draft-model-missing",
        ErrorClass.INVALID_CONFIGURATION,
        r"requires setting --speculative-draft-model-path",
        "speculative_algorithm ({speculative_algorithm}) guesses with a model: set"
        " speculative_draft_model_path.",
    ),
    pattern(
        "pipeline-and-overlap",
        ErrorClass.INVALID_CONFIGURATION,
        r"Pipeline parallelism is not compatible with overlap schedule",
        "Set disable_overlap_schedule to true beside pipeline_parallel_size ({pipeline_parallel_size}).",
        Remedy("disable_overlap_schedule", Change.TAKE, value=True),
    ),
    pattern(
        "quantization-not-supported",
        ErrorClass.INVALID_CONFIGURATION,
        r"Unknown quantization method|does not match the quantization method"
        r"|quantization is currently not supported|is not supported for the current GPU",
        "This model or this device does not allow quantization ({quantization}) with dtype ({dtype}): take"
        " it out of the search space.",
    ),
)
_REQUESTS = (
    pattern(
        "prompt-over-context",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"longer than the model's context length \((?P<length>\d+) tokens\)"
        r"|exceeds the model's maximum context length of (?P<longest>\d+) tokens",
        "A request is longer than context_length ({context_length}): raise it, shorten the prompt, or lower"
        " workload.maxTokens.",
    ),
)
_DEVICE = (
    BUILD,
    *COMPILERS,
    SHARED_MEMORY,
    *COMMUNICATION,
    *GPUS,
    GPU_FAULT,
)
_ENDS = (
    pattern(
        "process-killed",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"Subprocess \S+ \(pid=\d+\) crashed with exit code -9\b|^(?:\[[^\]]{1,40}\] )?Exit code: -9\b",
        "The kernel killed one of SGLang's processes, most likely for memory: give the engine more, or"
        " take hicache_size and the number of processes down.",
    ),
    consequence(
        "process-died",
        ErrorClass.ENGINE_CRASHED,
        r"Scheduler hit an exception|Received sigquit from a child process"
        r"|SIGQUIT received\. .*one child failed",
        "One of SGLang's processes died: read the trial's log in the results folder; the same configuration"
        " is tried once more.",
    ),
)
# Causes before consequences: what ends a worker is repeated by all who waited for it.
SGLANG_LOGS = EngineLogs(
    patterns=(*_MODEL, *_CONFIGURATION, *_MEMORY, *_DEVICE, *_REQUESTS, *_ENDS),
    mark=re.compile(r"\bsglang\b|\bserver_args=ServerArgs\(|\bCapture cuda graph failed: "),
    draft=DraftModel(
        "speculative_draft_model_path", Remedy("speculative_algorithm", Change.TAKE, value="none")
    ),
)
