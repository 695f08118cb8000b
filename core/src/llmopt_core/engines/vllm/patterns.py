"""What `vllm serve` says when it fails, as of 0.32; on GPUs also what torch 2.13 and NCCL say below it."""

import re

from llmopt_core.engines.engine_logs import EngineLogs
from llmopt_core.engines.vllm.refusals import LESS_LIFTS, MORE_LIFTS, OTHER_LIFTS, REFUSALS
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.drafts import DraftModel
from llmopt_core.errors.limits import LimitRule
from llmopt_core.errors.patterns.base import consequence, pattern
from llmopt_core.errors.patterns.libraries import COMMUNICATION
from llmopt_core.errors.patterns.machine import (
    BUILD,
    COMPILERS,
    GPU_FAULT,
    GPUS,
    HUB_REFUSES,
    REMOTE_CODE,
    SHARED_MEMORY,
)
from llmopt_core.errors.remedies import Change, Remedy

# Said by vLLM's API server when the process that computes has died: no request is answered any more.
DEAD = r"EngineDeadError|EngineCore encountered (?:a fatal error|an issue)"
# The rest of a traceback, from where it says what was done to what went wrong.
_SOON = r"(?:.*\n){0,40}?.*"
_WITHOUT_DRAFT = Remedy("speculative_method", Change.TAKE, value="none")
_MODEL = (
    REMOTE_CODE,
    # Before what is said of the model itself: what could not be found is the one that guesses.
    consequence(
        "draft-not-found",
        ErrorClass.INVALID_CONFIGURATION,
        rf"in create_speculative_config\n{_SOON}(?:Invalid repository ID|Repo id must be in the form|Entry"
        r"NotFoundError|RepositoryNotFoundError|outgoing traffic has been disabled)",
        "The model that guesses, speculative_model ({speculative_model}), is not there: correct it, or take"
        " it out of the search space.",
        _WITHOUT_DRAFT,
    ),
    pattern(
        "model-folder-not-found",
        ErrorClass.MODEL_NOT_FOUND,
        r"HFValidationError: Repo id must be in the form|Invalid repository ID or local directory specified",
        "Check spec.model.source: there is no such folder, or it holds no config.json.",
    ),
    pattern(
        "model-not-cached",
        ErrorClass.MODEL_NOT_FOUND,
        r"LocalEntryNotFoundError|outgoing traffic has been disabled",
        "The model is not in the hub's cache, and it may not be fetched: download it first, or unset"
        " HF_HUB_OFFLINE.",
    ),
    HUB_REFUSES,
    pattern(
        "model-or-weights-not-found",
        ErrorClass.MODEL_NOT_FOUND,
        r"RepositoryNotFoundError|RevisionNotFoundError|Cannot find any model weights with",
        "Check spec.model.source: the hub or the folder has no such model, revision or weights.",
    ),
    pattern(
        "architecture-unknown",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Model architectures (?P<type>\[[^\]]{1,200}\]) are not supported for now"
        r"|model type `(?P<kind>[^`]+)` but Transformers does not recognize this architecture"
        r"|GGUF model with architecture (?P<gguf>\S+) is not supported",
        "This version of vLLM, or of transformers beside it, has no such model: install a newer one.",
    ),
    pattern(
        "configuration-without-type",
        ErrorClass.MODEL_CORRUPT,
        r"Unrecognized model in .*Should have a `model_type` key",
        "The model's config.json does not say what it is: fetch the files again, or take those in the format"
        " of transformers.",
    ),
    pattern(
        "files-damaged",
        ErrorClass.MODEL_CORRUPT,
        r"SafetensorError: Error while deserializing header|is not a valid JSON file"
        # The length and the text of a header, read by vLLM itself.
        r"|^OverflowError: cannot fit 'int' into an index-sized integer|^struct\.error: unpack requires"
        r"|^json\.decoder\.JSONDecodeError|^UnicodeDecodeError"
        r"|Value error, .*: line \d+ column \d+ \(char \d+\)"
        r"|f\.read\(length_of_metadata\)[^\n]*\n[^\n]*\n?MemoryError",
        "The model's files are damaged: fetch them again and compare their checksums.",
    ),
)
_CONTEXT_LIMIT = LimitRule(
    "max_model_len",
    most="fits",
    value="length",
    more_lifts=MORE_LIFTS,
    less_lifts=(*LESS_LIFTS, "max_num_seqs"),
    other_lifts=OTHER_LIFTS,
)
_OUT_OF_MEMORY = r"(?:(?:CUDA|HIP|XPU) out of memory|(?:CUDA|HIP) error: out of memory)"
_MORE_MEMORY = Remedy("gpu_memory_utilization", Change.MOST)

_MEMORY = (
    pattern(
        "context-over-kv-cache",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"max seq len \((?P<length>\d+)\).*estimated maximum model length is (?P<fits>\d+)",
        "The KV cache holds {fits} tokens, a request may have {length}: set engine.args.max_model_len to"
        " {fits} or less, or give the cache more by kv_cache_memory_mib ({kv_cache_memory_mib}) or"
        " gpu_memory_utilization ({gpu_memory_utilization}).",
        _CONTEXT_LIMIT,
        _MORE_MEMORY,
    ),
    pattern(
        "context-over-kv-blocks",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"max seq len \((?P<length>\d+)\) is larger than the maximum number of tokens that can be stored in"
        r" KV cache \((?P<fits>\d+)\)",
        "The KV cache holds {fits} tokens, a request may have {length}: set engine.args.max_model_len to"
        " {fits} or less, or raise gpu_memory_utilization ({gpu_memory_utilization}).",
        _CONTEXT_LIMIT,
        _MORE_MEMORY,
    ),
    pattern(
        "no-memory-for-one-request",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"max seq len \((?P<length>\d+)\).*larger than the available KV cache memory"
        r"|No available memory for the cache blocks",
        "No memory for one request is left beside the weights: lower max_model_len ({max_model_len}) or"
        " quantise the weights, or give the cache more by kv_cache_memory_mib ({kv_cache_memory_mib}) or"
        " gpu_memory_utilization ({gpu_memory_utilization}).",
        _MORE_MEMORY,
    ),
    pattern(
        "memory-changed-while-measured",
        ErrorClass.MEMORY_BUSY,
        r"Error in memory profiling",
        "Another program gave memory of the GPU back while vLLM measured what is free: give each engine a GPU"
        " of its own, or start them one after another.",
    ),
    pattern(
        "utilization-over-free-memory",
        # Where others held memory, the memory guard knows it.
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"(?:\((?P<free>[\d.]+)/(?P<whole>[\d.]+) GiB\) on startup )?is less than desired GPU memory"
        r" utilization(?: \((?P<asked>[\d.]+))?",
        "The driver and each program on the GPU take a part of it before vLLM does: lower"
        " gpu_memory_utilization ({gpu_memory_utilization}), or end what else is there.",
        LimitRule("gpu_memory_utilization", share=("free", "whole"), value="asked"),
    ),
    pattern(
        "cpu-utilization-over-free-memory",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"is less than desired CPU memory utilization",
        "On a CPU vLLM takes gpu_memory_utilization ({gpu_memory_utilization}) of the whole memory by"
        " default: set engine.args.kv_cache_memory_mib.",
    ),
    pattern(
        "kv-cache-over-host-memory",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"on kv cache allocation is less than requested memory for kv",
        "The KV cache does not fit into memory: lower kv_cache_memory_mib ({kv_cache_memory_mib}).",
        Remedy("kv_cache_memory_mib", Change.HALVE),
    ),
    pattern(
        "host-out-of-memory",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"DefaultCPUAllocator: (?:can't allocate|not enough) memory",
        "The host has too little memory: lower kv_cache_memory_mib ({kv_cache_memory_mib}) or"
        " max_num_batched_tokens ({max_num_batched_tokens}), or raise the limit.",
        Remedy("kv_cache_memory_mib", Change.HALVE),
    ),
    pattern(
        "out-of-memory-while-warming-up",
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"CUDA out of memory occurred when warming up",
        "The GPU cannot sample for so many requests at once: lower max_num_seqs ({max_num_seqs}) or"
        " gpu_memory_utilization ({gpu_memory_utilization}).",
        Remedy("max_num_seqs", Change.HALVE),
    ),
    consequence(
        "out-of-memory-while-capturing",
        ErrorClass.GPU_OUT_OF_MEMORY,
        rf"(?:in capture_model|Capturing CUDA graphs (?!.*100%)).*\n{_SOON}{_OUT_OF_MEMORY}",
        "CUDA graphs do not fit beside the KV cache: lower gpu_memory_utilization ({gpu_memory_utilization}),"
        " max_num_seqs ({max_num_seqs}) or max_cudagraph_capture_size ({max_cudagraph_capture_size}), or set"
        " enforce_eager.",
        Remedy("gpu_memory_utilization", Change.LOWER),
        Remedy("max_cudagraph_capture_size", Change.HALVE),
        Remedy("enforce_eager", Change.TAKE, value=True),
        Remedy("max_num_seqs", Change.HALVE),
    ),
    consequence(
        "out-of-memory-while-loading",
        ErrorClass.GPU_OUT_OF_MEMORY,
        rf"in load_model.*\n{_SOON}{_OUT_OF_MEMORY}",
        "The weights do not fit on the GPU: quantise them (quantization {quantization}), or raise"
        " tensor_parallel_size ({tensor_parallel_size}).",
        Remedy("tensor_parallel_size", Change.DOUBLE),
    ),
    pattern(
        "gpu-out-of-memory",
        ErrorClass.GPU_OUT_OF_MEMORY,
        _OUT_OF_MEMORY,
        "Less fits on the GPU than this configuration asks for. While weights load: quantise them, or raise"
        " tensor_parallel_size ({tensor_parallel_size}); after that: lower max_num_batched_tokens"
        " ({max_num_batched_tokens}), max_num_seqs ({max_num_seqs}) or gpu_memory_utilization"
        " ({gpu_memory_utilization}), or set enforce_eager.",
        Remedy("max_num_batched_tokens", Change.HALVE),
        Remedy("max_num_seqs", Change.HALVE),
    ),
)
_DEVICE = (
    BUILD,
    *COMPILERS,
    SHARED_MEMORY,
    *COMMUNICATION,
    *GPUS,
    pattern(
        "no-gpu",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"Found no NVIDIA driver|CUDA driver initialization failed"
        r"|No CUDA GPUs are available|Failed to infer device type",
        "This build of vLLM finds no GPU that it can use: check the driver and, in a container, that the GPU"
        " is given to it; without a GPU install vLLM's build for CPUs.",
    ),
    GPU_FAULT,
)
# Requests that are too long are refused while the server lives on.
_REQUESTS = (
    pattern(
        "no-chat-template",
        ErrorClass.INVALID_CONFIGURATION,
        r"default chat template is no longer allowed",
        "The model has no chat template: take a model that was trained for chat, or give the server one"
        " (--chat-template).",
    ),
    pattern(
        "prompt-over-context",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"maximum context length is (?P<length>\d+) tokens",
        "A request is longer than max_model_len ({length}): raise it, shorten the prompt, or lower"
        " workload.maxTokens.",
    ),
)
_ENDS = (
    pattern(
        "start-took-too-long",
        ErrorClass.ENGINE_START_TIMEOUT,
        r"Timed out waiting for engine(?:s| core processes) to",
        "The weights were not loaded, or kernels not compiled, in the time that vLLM gives its processes:"
        " raise VLLM_ENGINE_READY_TIMEOUT_S in the engine's environment.",
    ),
    consequence(
        "process-died",
        ErrorClass.ENGINE_CRASHED,
        rf"Worker proc \S+ died unexpectedly|{DEAD}",
        "One of vLLM's processes died: read the trial's log in the results folder; the same configuration is"
        " tried once more.",
    ),
)
# Causes before consequences: what ends a worker is repeated by all who waited for it.
VLLM_LOGS = EngineLogs(
    patterns=(*_MODEL, *REFUSALS, *_MEMORY, *_DEVICE, *_REQUESTS, *_ENDS),
    mark=re.compile(r"\bvllm\b|\(EngineCore|\(APIServer|\((?:Vllm)?Worker\w* pid="),
    arguments=re.compile(r"non-default args: (\{.{1,20000}\})\s*$", re.MULTILINE),
    draft=DraftModel("speculative_model", _WITHOUT_DRAFT, re.compile(r"Loading drafter model")),
)
