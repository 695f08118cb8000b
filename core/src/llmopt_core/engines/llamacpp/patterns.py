"""What llama.cpp's server says when it fails, as of October 2026."""

import re

from llmopt_core.engines.engine_logs import EngineLogs
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.drafts import DraftModel
from llmopt_core.errors.patterns.base import pattern
from llmopt_core.errors.remedies import Change, Remedy

_WITHOUT_DRAFT = Remedy("spec_type", Change.TAKE, value="none")
_PATTERNS = (
    pattern(
        "gpu-buffer-out-of-memory",
        ErrorClass.GPU_OUT_OF_MEMORY,
        r"(?:cuda|hip|musa)Malloc failed: out of memory|Device memory allocation of size \d+ failed"
        r"|ErrorOutOfDeviceMemory|(?:failed|unable) to allocate (?:CUDA|ROCm|MUSA|Vulkan|SYCL|Metal"
        r"|CANN)\d* buffer"
        r"|unable to allocate backend buffer|CallbackErrorOutOfMemory",
        "Less fits on the GPU than this configuration asks for: lower n_gpu_layers ({n_gpu_layers}), n_ctx"
        " ({n_ctx}) or n_batch ({n_batch}).",
        Remedy("n_ctx", Change.HALVE),
        Remedy("n_ubatch", Change.HALVE),
        Remedy("n_gpu_layers", Change.HALVE),
    ),
    pattern(
        "kv-buffer-out-of-memory",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"failed to allocate (?:buffer for )?kv cache|failed to initialize the memory for context",
        "The context does not fit into memory: lower n_ctx ({n_ctx}), or quantise cache_type_k"
        " ({cache_type_k}) and cache_type_v ({cache_type_v}).",
        Remedy("n_ctx", Change.HALVE),
    ),
    pattern(
        "no-free-cells",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"failed to find (?:a memory slot|free space in the KV cache)",
        "The KV cache is full: raise n_ctx ({n_ctx}), or lower n_parallel ({n_parallel}).",
        Remedy("n_ctx", Change.DOUBLE),
        Remedy("n_parallel", Change.HALVE),
    ),
    pattern(
        "prompt-longer-than-slot",
        ErrorClass.KV_CACHE_TOO_SMALL,
        r"exceeds the available context size",
        "A request is longer than its slot's context: raise n_ctx ({n_ctx}), lower n_parallel"
        " ({n_parallel}), or shorten the prompt.",
        Remedy("n_ctx", Change.DOUBLE),
        Remedy("n_parallel", Change.HALVE),
    ),
    pattern(
        "host-out-of-memory",
        ErrorClass.HOST_OUT_OF_MEMORY,
        r"std::bad_alloc|ggml_aligned_malloc: insufficient memory|unable to allocate CPU\w* buffer"
        r"|ggml_backend_cpu_buffer_type_alloc_buffer: failed",
        "The host has too little memory for this configuration: lower n_ctx ({n_ctx}), or raise the limit.",
        Remedy("n_ctx", Change.HALVE),
    ),
    # Before what is said of the model itself: the file that could not be loaded is the one that guesses.
    pattern(
        "draft-not-loaded",
        ErrorClass.INVALID_CONFIGURATION,
        r"failed to load draft model, '(?P<draft>[^']{1,400})'",
        "The model that guesses, {draft}, could not be loaded: correct spec_draft_model, or take it out of"
        " the search space.",
        _WITHOUT_DRAFT,
    ),
    pattern(
        "projector-of-another-build",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"unknown projector type: ?(?P<projector>[\w.-]{0,80})",
        "This build of llama.cpp cannot use the projector for images (mmproj): install a newer one, or start"
        " without it.",
    ),
    pattern(
        "projector-not-loaded",
        ErrorClass.INVALID_CONFIGURATION,
        r"clip_init: failed to load model|[Ff]ailed to load CLIP model from|failed to load multimodal model",
        "The projector for images (mmproj) could not be loaded: take the one that was made for this model and"
        " this version of llama.cpp, or start without it.",
    ),
    pattern(
        "gguf-part-missing",
        ErrorClass.MODEL_NOT_FOUND,
        r"illegal split file idx|invalid split file name|failed to load GGUF split from (?P<file>\S+)"
        r"|must be loaded with the first split",
        "The model is in several files: keep all of them in one folder, and name the first part in"
        " spec.model.source.",
    ),
    pattern(
        "download-failed",
        ErrorClass.MODEL_NOT_FOUND,
        r"failed to download model from Hugging Face|(?:GET|HEAD) failed(?: \(|, status: )404"
        r"|invalid http status code received: 404",
        "The hub has no such file: check spec.model.source.",
    ),
    pattern(
        "gguf-not-found",
        ErrorClass.MODEL_NOT_FOUND,
        r"failed to open GGUF file|gguf_init_from_file: failed to open",
        "Check spec.model.source: nothing was found there.",
    ),
    pattern(
        "architecture-unknown",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"unknown model architecture: '(?P<type>[^']{1,80})'",
        "This build of llama.cpp has no models of the type {type}: install a newer one.",
    ),
    pattern(
        "gguf-too-new",
        ErrorClass.ENGINE_NOT_INSTALLED,
        r"unknown pre-tokenizer type: '(?P<tokenizer>[^']{1,80})'|has invalid ggml type (?P<type>\d+)"
        r"|GGUFv\d+ is not supported",
        "The file was made for a newer llama.cpp: install a newer build.",
    ),
    pattern(
        "keys-missing",
        ErrorClass.MODEL_CORRUPT,
        r"key not found in model: (?P<key>[\w.-]{1,120})",
        "The file's header lacks {key}: it was converted by a version that does not go with this build. Fetch"
        " another, or update llama.cpp.",
    ),
    pattern(
        "tensors-missing",
        ErrorClass.MODEL_CORRUPT,
        r"missing tensor '[^']{1,120}'|wrong number of tensors; expected \d+, got \d+"
        r"|(?:check_tensor_dims|create_tensor): tensor '[^']{1,120}' (?:not found|has wrong shape)",
        "The file's tensors are not those that its architecture has: it was converted by a version that does"
        " not go with this build, or is one part of several. Fetch another, or update llama.cpp.",
    ),
    pattern(
        "gguf-damaged",
        ErrorClass.MODEL_CORRUPT,
        r"invalid magic characters|tensor '.*' data is not within the file bounds|corrupted or incomplete"
        r"|failed to read magic|gguf_init_from_\w+: failed",
        "The model file is damaged or not a GGUF file: fetch it again and compare its checksum.",
    ),
    pattern(
        "port-busy",
        ErrorClass.PORT_BUSY,
        r"couldn't bind HTTP server socket",
        "Another program took the port; the next start picks another one.",
    ),
    pattern(
        "batch-under-prompt",
        ErrorClass.INVALID_CONFIGURATION,
        r"input is too large to process\. increase the physical batch size",
        "A prompt must fit into one step here: raise n_ubatch ({n_ubatch}) and n_batch ({n_batch}).",
        Remedy("n_ubatch", Change.MOST),
    ),
    pattern(
        "draft-of-another-vocabulary",
        ErrorClass.INVALID_CONFIGURATION,
        r"draft model vocab (?:type )?must match|the target and draft vocabs are not compatible",
        "The draft model has another vocabulary: take one of the same family.",
    ),
    pattern(
        "projector-of-another-model",
        ErrorClass.INVALID_CONFIGURATION,
        r"mismatch between text model .* and mmproj",
        "The projector for images (mmproj) belongs to another model: take the one of this model.",
    ),
    pattern(
        "template-not-supported",
        ErrorClass.INVALID_CONFIGURATION,
        r"(?:this custom|the supplied chat) template is not supported|tools param requires --jinja",
        "The model's chat template needs the argument --jinja, or another template (--chat-template).",
    ),
    pattern(
        "template-not-parsed",
        ErrorClass.INVALID_CONFIGURATION,
        # But not where it goes on with another one.
        r"chat template parsing error|failed to initialize chat template"
        r"|[Ff]ailed to (?:parse|apply) (?:custom )?(?:chat )?template(?! \(defaulting)",
        "llama.cpp cannot read the model's chat template: give another (--chat-template-file), or turn its"
        " parser off (--no-jinja).",
    ),
    pattern(
        "no-layers-that-guess",
        ErrorClass.INVALID_CONFIGURATION,
        r"requested but model doesn't contain MTP layers|failed to create MTP context",
        "The model has no layers that guess tokens: take spec_type draft-mtp out of the search space.",
        Remedy("spec_type", Change.TAKE, value="none"),
    ),
    pattern(
        "too-few-devices",
        ErrorClass.INVALID_CONFIGURATION,
        r"LLAMA_SPLIT_MODE_\w+ needs >= \d+ devices|invalid value for main_gpu",
        "There are fewer GPUs than split_mode ({split_mode}) and main_gpu ({main_gpu}) ask for: take"
        " split_mode layer, or give the runner more GPUs.",
        Remedy("split_mode", Change.TAKE, value="layer"),
    ),
    pattern(
        "no-such-buffer",
        ErrorClass.INVALID_CONFIGURATION,
        r"unknown buffer type",
        "override_tensor ({override_tensor}) names a buffer that this build or machine does not have: CPU is"
        " always there, CUDA0 with a GPU.",
    ),
    pattern(
        "cache-needs-flash-attention",
        ErrorClass.INVALID_CONFIGURATION,
        r"(?:V cache quantization|quantized V cache) (?:requires|was requested)",
        "A quantised cache_type_v ({cache_type_v}) needs flash attention: set flash_attn (it is"
        " {flash_attn}) to on, or cache_type_v to f16.",
        Remedy("flash_attn", Change.TAKE, value="on"),
        Remedy("cache_type_v", Change.TAKE, value="f16"),
    ),
    pattern(
        "cache-type-over-heads",
        ErrorClass.INVALID_CONFIGURATION,
        r"(?P<part>[KV]) cache type (?P<type>\w+) with block size (?P<block>\d+) does not divide"
        r" n_embd_head_[kv]=(?P<size>\d+)",
        "Cache types in blocks of {block} need heads whose size is a multiple of it, and the model's are"
        " {size}: take cache_type_k ({cache_type_k}) and cache_type_v ({cache_type_v}) f16.",
        Remedy("cache_type_k", Change.TAKE, value="f16"),
        Remedy("cache_type_v", Change.TAKE, value="f16"),
    ),
    pattern(
        "adapter-not-loaded",
        ErrorClass.INVALID_CONFIGURATION,
        r"failed to (?:load|apply) lora adapter '(?P<adapter>[^']{1,400})'",
        "The adapter {adapter} could not be loaded: take one that was made for this model, as GGUF.",
    ),
    pattern(
        "parameters-do-not-go-together",
        ErrorClass.INVALID_CONFIGURATION,
        r"error: invalid argument|requires flash[_ ]attn",
        "llama.cpp refuses this combination of parameters; take it out of the search space.",
    ),
)
LLAMACPP_LOGS = EngineLogs(
    patterns=_PATTERNS,
    draft=DraftModel("spec_draft_model", _WITHOUT_DRAFT),
    mark=re.compile(r"\bggml_|\bllama_\w+:|\bllama-server\b|\bgguf_init|\bsrv +\w+:"),
)
