"""What llama.cpp's server says when it fails, as of October 2026."""

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.patterns.base import pattern

PATTERNS = (
    pattern(
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"(?:cuda|hip|musa)Malloc failed: out of memory|Device memory allocation of size \d+ failed"
        r"|ErrorOutOfDeviceMemory|failed to allocate (?:CUDA|ROCm|MUSA|Vulkan|SYCL|Metal|CANN)\d* buffer",
        "Less fits on the GPU than this configuration asks for: lower n_gpu_layers ({n_gpu_layers}), n_ctx"
        " ({n_ctx}) or n_batch ({n_batch}).",
    ),
    pattern(
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"failed to allocate (?:buffer for )?kv cache|failed to initialize the memory for context",
        "The context does not fit into memory: lower n_ctx ({n_ctx}), or quantise cache_type_k"
        " ({cache_type_k}) and cache_type_v ({cache_type_v}).",
    ),
    pattern(
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"exceeds the available context size",
        "A request is longer than its slot's context: raise n_ctx ({n_ctx}), lower n_parallel"
        " ({n_parallel}), or shorten the prompt.",
    ),
    pattern(
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"std::bad_alloc|ggml_aligned_malloc: insufficient memory",
        "The host has too little memory for this configuration: lower n_ctx ({n_ctx}), or raise the limit.",
    ),
    pattern(
        ErrorClass.MODEL_NOT_FOUND,
        r"failed to open GGUF file|gguf_init_from_file: failed to open",
        "Check spec.model.source: nothing was found there.",
    ),
    pattern(
        ErrorClass.MODEL_CORRUPT,
        r"invalid magic characters|tensor '.*' data is not within the file bounds|corrupted or incomplete"
        r"|failed to read magic|gguf_init_from_\w+: failed",
        "The model file is damaged or not a GGUF file: fetch it again and compare its checksum.",
    ),
    pattern(
        ErrorClass.PORT_BUSY,
        r"couldn't bind HTTP server socket",
        "Another program took the port; the next start picks another one.",
    ),
    pattern(
        ErrorClass.INVALID_CONFIGURATION,
        r"error: invalid argument|requires flash[_ ]attn|V cache quantization requires",
        "llama.cpp refuses this combination of parameters; take it out of the search space.",
    ),
)
