"""What `transformers serve` says when it fails, as of 5.23, with the libraries below it."""

import re

from llmopt_core.engines.engine_logs import EngineLogs
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.patterns.base import consequence, pattern
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
        "model-folder-not-found",
        ErrorClass.MODEL_NOT_FOUND,
        r"Repo id must be in the form|is not a local folder and is not a valid model identifier",
        "Check spec.model.source: there is no such folder, and no such model on the hub.",
    ),
    pattern(
        "model-not-cached",
        ErrorClass.MODEL_NOT_FOUND,
        r"couldn't find them in the cached files|Cannot find the requested files in the disk cache",
        "The model is not in the hub's cache and cannot be fetched: download it first, correct its name and"
        " revision, or unset HF_HUB_OFFLINE.",
    ),
    HUB_REFUSES,
    pattern(
        "no-weights-in-folder",
        ErrorClass.MODEL_NOT_FOUND,
        r"Error no file named model\.safetensors|does not appear to have a file named",
        "Check spec.model.source: the folder has no safetensors weights or no config.json.",
    ),
    pattern(
        "files-damaged",
        ErrorClass.MODEL_CORRUPT,
        r"SafetensorError: |is not a valid JSON file|Unrecognized processing class in"
        r"|StrictDataclass\w+Error"
        r"|Reinit due to size mismatch|newly initialized because missing|size mismatch for [\w.]+:",
        "The model's files are damaged or do not belong together: fetch them again and compare their"
        " checksums.",
    ),
    pattern(
        "architecture-unknown",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"model type `(?P<type>[^`]+)` but Transformers does not recognize this architecture",
        "This version of transformers has no models of the type {type}: install a newer one.",
    ),
)
_CONFIGURATION = (
    FLASH_ATTENTION,
    pattern(
        "no-bitsandbytes",
        ErrorClass.INVALID_CONFIGURATION,
        r"pip install -U \W*bitsandbytes|No package metadata was found for \W*bitsandbytes",
        "quantization ({quantization}) needs the package bitsandbytes beside transformers:"
        " pip install bitsandbytes in the environment of transformers, or take it out of the search space.",
    ),
    pattern(
        "bitsandbytes-broken",
        ErrorClass.INVALID_CONFIGURATION,
        r"CUDA Setup failed despite (?:CUDA|GPU)|bitsandbytes (?:CUDA binary|native library)"
        r"|has no attribute 'c(?:de)?quantize_\w+'",
        "bitsandbytes has no library for this version of CUDA or ROCm: install a version that has (python -m"
        " bitsandbytes says which it looks for), or take quantization ({quantization}) out of the search"
        " space.",
    ),
    pattern(
        "quantization-without-gpu",
        ErrorClass.INVALID_CONFIGURATION,
        r"A GPU is needed for quantization|quantized models? (?:is|are) only supported on GPUs",
        "This device has no kernels for quantization ({quantization}): take it out of the search space.",
    ),
    pattern(
        "no-quantization-package",
        ErrorClass.INVALID_CONFIGURATION,
        r"(?:quantized model|quantization) requires (?P<package>[\w-]+)",
        "quantization ({quantization}) needs the package {package} beside transformers: install it, or take"
        " it out"
        " of the search space.",
    ),
    pattern(
        "attention-not-supported",
        ErrorClass.INVALID_CONFIGURATION,
        r"does not support an attention implementation through|FlashAttention only supports? fp16 and bf16",
        "attn_implementation ({attn_implementation}) does not go with this model or dtype ({dtype}): take"
        " eager.",
    ),
    pattern(
        "no-bnb-4bit-options",
        ErrorClass.INVALID_CONFIGURATION,
        r"bnb_4bit options need the server of (?P<version>transformers [\d.]+)",
        "This version of transformers cannot be given bnb_4bit_quant_type, bnb_4bit_use_double_quant and"
        " bnb_4bit_compute_dtype: install {version} for them, or take them out of the search space.",
    ),
    pattern(
        "bnb-4bit-options-not-taken",
        ErrorClass.INVALID_CONFIGURATION,
        r"the model was loaded with (?P<option>bnb_4bit_\w+)",
        "The model's files are quantised already, and stay as they are: take {option} out of the search"
        " space, or serve files with plain weights.",
    ),
    pattern(
        "no-flash-attention",
        ErrorClass.INVALID_CONFIGURATION,
        r"FlashAttention\d has been toggled on, but it cannot be used",
        "attn_implementation ({attn_implementation}) needs the package flash-attn and a GPU that it"
        " supports: install it, or take sdpa.",
        Remedy("attn_implementation", Change.TAKE, value="sdpa"),
    ),
    pattern(
        "no-quanto",
        ErrorClass.INVALID_CONFIGURATION,
        r"You need to install optimum-quanto",
        "cache_implementation quantized needs the package optimum-quanto beside transformers: install it, or"
        " take dynamic.",
    ),
    consequence(
        "offloaded-cache-without-gpu",
        ErrorClass.INVALID_CONFIGURATION,
        r"\.prefetch_stream = torch\.",
        "cache_implementation ({cache_implementation}) needs a GPU whose cache it keeps in main memory: take"
        " dynamic or static.",
    ),
    pattern(
        "value-unknown",
        ErrorClass.INVALID_CONFIGURATION,
        r"Unsupported (?:dtype|quantization method|attention implementation): '(?P<value>[^']*)'",
        "transformers has no {value}: take it out of the search space.",
    ),
    pattern(
        "no-such-device",
        ErrorClass.INVALID_CONFIGURATION,
        r"Torch not compiled with CUDA enabled|Found no NVIDIA driver|No CUDA GPUs are available"
        r"|invalid device ordinal|When passing device_map as a string",
        "There is no device {device} here, or this build of torch cannot use it: set engine.args.device to"
        " auto or cpu, or give the GPU to the runner.",
    ),
    pattern(
        "batching-not-supported",
        ErrorClass.INVALID_CONFIGURATION,
        r"is not supported for continuous batching|page_size must be at least|got safety_margin",
        "continuous_batching does not go with attn_implementation ({attn_implementation}) and cb_block_size"
        " ({cb_block_size}): take the combination out of the search space.",
        Remedy("attn_implementation", Change.TAKE, value="sdpa"),
    ),
)
_MEMORY = (
    pattern(
        "model-over-gpu",
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"Some modules are dispatched on the CPU or the disk|Cannot copy out of meta tensor",
        "The model does not fit on the GPU: quantise its weights more strongly (quantization"
        " {quantization}), or"
        " take a smaller model.",
    ),
    pattern(
        "paged-cache-full",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"No requests can be scheduled and no requests can be offloaded",
        "A prompt and its answer need more than the paged cache has, {cb_num_blocks} blocks of"
        " {cb_block_size} tokens: raise cb_num_blocks, shorten the prompt, or lower workload.maxTokens.",
        Remedy("cb_num_blocks", Change.DOUBLE),
    ),
    pattern(
        "paged-cache-too-large",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"Memory footprint (?P<need>\d+) is more than available memory (?P<free>\d+)"
        r"|Invalid values: max_batch_tokens = ",
        "The paged cache does not fit into the share of memory that is left: lower cb_num_blocks"
        " ({cb_num_blocks}) or cb_max_batch_tokens ({cb_max_batch_tokens}), or raise cb_max_memory_percent"
        " ({cb_max_memory_percent}).",
        Remedy("cb_num_blocks", Change.HALVE),
        Remedy("cb_max_memory_percent", Change.MOST),
        Remedy("cb_max_batch_tokens", Change.HALVE),
    ),
    pattern(
        "gpu-out-of-memory",
        ErrorClass.GPU_OUT_OF_MEMORY,
        OUT_OF_GPU_MEMORY,
        "Less fits on the GPU than this configuration asks for: quantise the weights (quantization"
        " {quantization}), lower cb_num_blocks ({cb_num_blocks}), cb_max_batch_tokens"
        " ({cb_max_batch_tokens}) or cb_max_memory_percent ({cb_max_memory_percent}), or shorten prompts.",
        Remedy("cb_num_blocks", Change.HALVE),
        Remedy("cb_max_batch_tokens", Change.HALVE),
        Remedy("cb_max_memory_percent", Change.LOWER),
    ),
    pattern(
        "host-out-of-memory",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"DefaultCPUAllocator: (?:can't allocate|not enough) memory|^MemoryError|OSError: \[Errno 12\]"
        r"|Cannot allocate memory|failed to map segment from shared object",
        "The host has too little memory: take dtype bfloat16 (it is {dtype}) or a quantization"
        " ({quantization}), set or lower cb_num_blocks ({cb_num_blocks}), or raise the limit.",
        Remedy("cb_num_blocks", Change.HALVE),
        Remedy("dtype", Change.TAKE, value="bfloat16"),
    ),
)
_DEVICE = (
    BUILD,
    *COMPILERS,
    *GPUS,
    SHARED_MEMORY,
    GPU_FAULT,
)
TRANSFORMERS_LOGS = EngineLogs(
    patterns=(*_MODEL, *_CONFIGURATION, *_MEMORY, *_DEVICE),
    mark=re.compile(r"\btransformers (?:serve|chat)\b|\[transformers\]|\btransformers[./]"),
)
