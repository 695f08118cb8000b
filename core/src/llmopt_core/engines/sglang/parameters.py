"""What of SGLang's server changes memory, speed or quality, as its own arguments have it (0.5.23).

Names are its long flags. Nothing of it was tried on a real server here: each is declared as the source of
SGLang documents it (`sglang/srt/arg_groups/fields`).
"""

from functools import partial

from llmopt_core.engines.declarations import ParameterDeclaration, set_at_load, set_by_request

VERSION = "0.5.23"
NO_METHOD = "none"
PENALTY_LIMIT = 2
_declared = partial(set_at_load, tried=False)
_DTYPES = ("auto", "bfloat16", "float16", "float32")
_KV_DTYPES = ("auto", "bfloat16", "fp8_e4m3", "fp8_e5m2", "mxfp8", "nvfp4")
_QUANTIZATIONS = (
    "awq", "awq_marlin", "bitsandbytes", "compressed-tensors", "fp8", "gptq", "gptq_marlin", "marlin",
    "modelopt", "modelopt_fp4", "modelopt_fp8", "moe_wna16", "mxfp4", "mxfp8", "nvfp4_online", "quark",
    "w4afp8", "w8a8_fp8", "w8a8_int8",
)  # fmt: skip
_ATTENTION = (
    "aiter", "cutedsl_mla", "cutlass_mla", "dual_chunk_flash_attn", "fa3", "fa4", "flashinfer", "flashmla",
    "flex_attention", "intel_amx", "intel_xpu", "tokenspeed_mla", "torch_native", "triton", "trtllm_mha",
    "trtllm_mla", "wave",
)  # fmt: skip
_MOE = (
    "auto", "aiter", "cutlass", "deep_gemm", "flashinfer_cutedsl", "flashinfer_cutlass", "flashinfer_mxfp4",
    "flashinfer_trtllm", "marlin", "triton", "triton_kernel",
)  # fmt: skip
_ALL_TO_ALL = ("none", "deepep", "deepep_v2", "flashinfer", "megamoe", "mooncake", "mori", "nixl", "pplx")
_POLICIES = ("fcfs", "lpm", "random", "dfs-weight", "lof", "hrrn", "shortest-prefill-first")

_MODEL = (
    _declared("context_length", "int", "tokens of prompt and answer; unset: what the model has", low=1),
    _declared(
        "dtype",
        "text",
        "type of weights and activations",
        default="auto",
        choices=_DTYPES,
        changes_answers=True,
    ),
    _declared(
        "quantization",
        "text",
        "how the weights are quantised; unset: as the model says",
        choices=_QUANTIZATIONS,
        changes_answers=True,
    ),
    _declared(
        "kv_cache_dtype",
        "text",
        "type of the KV cache",
        default="auto",
        choices=_KV_DTYPES,
        changes_answers=True,
    ),
    _declared("enable_deterministic_inference", "bool", "answers do not depend on the batch", default=False),
)
_MEMORY = (
    _declared(
        "mem_fraction_static",
        "float",
        "share of the device's memory for weights and KV cache; unset: by the device",
        low=0,
        high=1,
    ),
    _declared("max_total_tokens", "int", "tokens of KV cache; unset: what fits", low=1),
    _declared("page_size", "int", "tokens in one page of the KV cache; unset: by the kernels", low=1),
    _declared("disable_radix_cache", "bool", "a prompt's prefix is computed again", default=False),
    _declared(
        "radix_eviction_policy", "text", "which prefix is forgotten first", default="lru",
        choices=("lru", "lfu", "slru", "priority"),
    ),
    _declared("enable_hierarchical_cache", "bool", "prefixes are kept in main memory as well", default=False),
    _declared("hicache_ratio", "float", "main memory for prefixes against the device's; unset: 2", low=0),
    _declared("hicache_size", "int", "GB of main memory for prefixes; 0: by hicache_ratio", default=0, low=0),
    _declared(
        "hicache_write_policy", "text", "when prefixes are copied to main memory", default="write_through",
        choices=("write_back", "write_through", "write_through_selective"),
    ),
    _declared("swa_full_tokens_ratio", "float", "tokens of windowed layers against full ones", low=0, high=1),
    _declared("cpu_offload_gb", "int", "GB of weights in main memory", default=0, low=0),
)  # fmt: skip
_SCHEDULER = (
    _declared("max_running_requests", "int", "requests served at the same time; unset: by memory", low=1),
    _declared(
        "chunked_prefill_size", "int", "tokens of a prompt read in one step; -1: all", low=-1
    ),
    _declared("max_prefill_tokens", "int", "tokens of prompts read in one step", default=16384, low=1),
    _declared("schedule_policy", "text", "which request is next", default="fcfs", choices=_POLICIES),
    _declared(
        "schedule_conservativeness", "float", "above 1: requests wait rather than being put back",
        default=1.0, low=0,
    ),
    _declared("enable_mixed_chunk", "bool", "prompts and answers share a step", default=False),
    _declared("disable_overlap_schedule", "bool", "the next step is planned after this one", default=False),
    _declared("num_continuous_decode_steps", "int", "steps between two looks at the queue", default=1, low=1),
    _declared("stream_interval", "int", "tokens in one piece of a stream", default=1, low=1),
)  # fmt: skip
_PARALLEL = (
    _declared("tensor_parallel_size", "int", "devices that share each layer", default=1, low=1),
    _declared("pipeline_parallel_size", "int", "stages that the layers are split into", default=1, low=1),
    _declared("data_parallel_size", "int", "replicas of the model behind one address", default=1, low=1),
    _declared("expert_parallel_size", "int", "devices that share the experts as a whole", default=1, low=1),
    _declared("disable_custom_all_reduce", "bool", "sums over devices by NCCL", default=False),
    _declared("enable_two_batch_overlap", "bool", "two halves of a batch overlap", default=False),
    _declared(
        "moe_a2a_backend", "text", "how tokens get to the devices of their experts", default="none",
        choices=_ALL_TO_ALL,
    ),
)  # fmt: skip
_KERNELS = (
    _declared(
        "attention_backend", "text", "attention kernels; unset: by model and device", choices=_ATTENTION
    ),
    _declared("moe_runner_backend", "text", "kernels of experts", default="auto", choices=_MOE),
    _declared(
        "disable_decode_cuda_graph", "bool", "no CUDA graphs for answers: starts faster", default=False
    ),
    _declared(
        "disable_prefill_cuda_graph", "bool", "no CUDA graphs for prompts: starts faster", default=False
    ),
    _declared(
        "cuda_graph_max_bs_decode", "int", "largest batch with a CUDA graph; unset: by the device", low=1
    ),
    _declared("enable_torch_compile", "bool", "the model is compiled by torch", default=False),
    _declared("torch_compile_max_bs", "int", "largest batch that is compiled for", default=32, low=1),
)
_SPECULATION = (
    _declared(
        "speculative_algorithm", "text", "how tokens are guessed ahead", default=NO_METHOD,
        choices=(NO_METHOD, "NGRAM", "EAGLE", "EAGLE3", "NEXTN", "STANDALONE", "DFLASH"),
    ),
    _declared("speculative_draft_model_path", "text", "folder or hub repository of the model that guesses"),
    _declared("speculative_num_steps", "int", "steps of guessing; unset: by the model", low=1),
    _declared("speculative_eagle_topk", "int", "guesses that are followed in each step", low=1),
    _declared("speculative_num_draft_tokens", "int", "tokens that are checked at a time", low=1),
)  # fmt: skip
_SAMPLING = (
    set_by_request("temperature", "float", "0 is greedy", neutral=1.0, low=0),
    set_by_request(
        "top_p", "float", "only the likeliest tokens up to this mass, above 0", neutral=1.0, low=0, high=1
    ),
    set_by_request("top_k", "int", "only the k likeliest tokens; -1: off", neutral=-1, low=-1),
    set_by_request(
        "min_p", "float", "only tokens at least so likely against the best", neutral=0.0, low=0, high=1
    ),
    set_by_request(
        "repetition_penalty", "float", "penalty on tokens of prompt and answer, above 0", neutral=1.0, low=0,
        high=PENALTY_LIMIT,
    ),
    set_by_request(
        "presence_penalty", "float", "penalty on tokens that the answer has", neutral=0.0,
        low=-PENALTY_LIMIT, high=PENALTY_LIMIT,
    ),
    set_by_request(
        "frequency_penalty", "float", "penalty per occurrence of a token in the answer", neutral=0.0,
        low=-PENALTY_LIMIT, high=PENALTY_LIMIT,
    ),
    set_by_request(
        "seed", "int", "only with enable_deterministic_inference", neutral=None, low=0, high=2**31 - 1
    ),
)  # fmt: skip

PARAMETERS: tuple[ParameterDeclaration, ...] = (
    *_SCHEDULER, *_MEMORY, *_MODEL, *_SPECULATION, *_PARALLEL, *_KERNELS, *_SAMPLING,
)  # fmt: skip
