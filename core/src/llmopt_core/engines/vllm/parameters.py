"""What of `vllm serve` changes memory, speed or quality, by the sections of its help.

Kinds, defaults and choices are vLLM's own, from `known_arguments`; meanings and ranges are written here. A
parameter that is `tried` is one that tests here start a real server with.
"""

from llmopt_core.engines.declarations import ParameterDeclaration, set_at_load
from llmopt_core.engines.vllm.known_arguments import CHOICES, declared

NO_METHOD = "none"
# Of the methods of speculation those that need no file of their own, or one that a manifest can name.
_METHODS = (
    "draft_model",
    "eagle",
    "eagle3",
    "medusa",
    "mlp_speculator",
    "mtp",
    "ngram",
    "ngram_gpu",
    "suffix",
)

_MODEL = (
    declared("max_model_len", "tokens of prompt and answer; unset: what the model has", low=1, tried=True),
    declared("dtype", "type of weights and activations", without=("float", "half"), changes_answers=True),
    declared("quantization", "how the weights are quantised; unset: as the model says", changes_answers=True),
    declared("enforce_eager", "no compilation and no CUDA graphs: a faster start", tried=True),
    declared("disable_sliding_window", "windows of attention are ignored", changes_answers=True),
    declared("disable_cascade_attn", "no shared computation of a common prefix; unset: by vLLM"),
    declared("performance_mode", "what vLLM's own defaults are tuned for"),
)
_CACHE = (
    declared(
        "gpu_memory_utilization",
        "share of the device's memory that is taken, weights and KV cache together",
        low=0,
        high=1,
    ),
    set_at_load(
        "kv_cache_memory_mib",
        "int",
        "MiB of KV cache on each device; unset: what gpu_memory_utilization leaves; to be set on CPUs",
        low=1,
    ),
    declared("num_gpu_blocks_override", "blocks of the KV cache, whatever fits; unset: what fits", low=1),
    declared("kv_cache_dtype", "type of the KV cache", changes_answers=True),
    declared("block_size", "tokens in one block of the KV cache; unset: by the device", low=1, tried=True),
    declared(
        "enable_prefix_caching", "a prompt's prefix is not computed again; unset: by the model", tried=True
    ),
    declared("prefix_caching_hash_algo", "how prefixes are compared"),
    declared("kv_sharing_fast_prefill", "layers that share a KV cache skip most of a prompt"),
    declared("kv_offloading_size", "GiB of main memory for KV blocks that are put aside", low=0),
    declared("kv_offloading_backend", "what moves KV blocks to main memory"),
    declared("mamba_cache_dtype", "type of a state-space layer's cache", changes_answers=True),
    declared("mamba_ssm_cache_dtype", "type of a state-space layer's state", changes_answers=True),
    declared("mamba_cache_mode", "whether states of common prefixes are kept"),
    declared("mamba_block_size", "tokens between two kept states; unset: by the model", low=1),
)
_SCHEDULER = (
    declared("max_num_seqs", "requests served at the same time; unset: by the device", low=1, tried=True),
    declared(
        "max_num_batched_tokens",
        "tokens computed in one step; at least max_num_seqs; unset: by the device",
        low=1,
        tried=True,
    ),
    declared(
        "enable_chunked_prefill", "long prompts are read in several steps; unset: by the model", tried=True
    ),
    declared(
        "long_prefill_token_threshold",
        "of a longer prompt at most so many tokens are read in one step; 0: no such limit",
        low=0,
        tried=True,
    ),
    declared("prefill_schedule_interval", "steps from one reading of prompts to the next", low=1, tried=True),
    declared("scheduling_policy", "which request is next", tried=True),
    declared(
        "async_scheduling",
        "the next step is planned while one computes; unset: where it can",
        tried=True,
    ),
    declared("stream_interval", "tokens in one piece of a stream, after the first", low=1, tried=True),
    declared("watermark", "share of KV blocks that is kept free for requests that run", low=0, high=1),
    declared("scheduler_reserve_full_isl", "a request is taken up only where its whole prompt fits"),
    declared("disable_hybrid_kv_cache_manager", "windowed layers keep all tokens; unset: by the model"),
)
_PARALLEL = (
    declared("tensor_parallel_size", "devices that share each layer", low=1),
    declared("pipeline_parallel_size", "stages that the layers are split into", low=1),
    declared("data_parallel_size", "replicas of the model behind one address", low=1),
    declared("enable_expert_parallel", "whole experts on each device, instead of a part of each"),
    declared("enable_eplb", "experts are moved between devices by their load"),
    declared("expert_placement_strategy", "which experts lie on which device"),
    declared("all2all_backend", "how tokens get to the devices of their experts"),
    declared("decode_context_parallel_size", "devices of a layer that share the KV cache by tokens", low=1),
    declared("prefill_context_parallel_size", "devices that share a prompt by tokens", low=1),
    declared("disable_custom_all_reduce", "sums over devices by NCCL instead of vLLM's own kernel"),
    declared("enable_dbo", "two halves of a batch: one computes while the other communicates"),
    declared("dbo_decode_token_threshold", "smallest batch of answers that is halved", low=1),
    declared("dbo_prefill_token_threshold", "smallest batch of prompts that is halved", low=1),
)
_OFFLOAD = (
    declared("offload_backend", "how weights in main memory reach the device"),
    declared("cpu_offload_gb", "GiB of weights in main memory, of each device", low=0),
    declared("offload_group_size", "of so many layers some lie in main memory; 0: none", low=0),
    declared("offload_num_in_group", "layers of each group that lie in main memory", low=1),
    declared("offload_prefetch_step", "layers that are fetched ahead", low=0),
)
_KERNELS = (
    declared("attention_backend", "attention kernels; unset: by model and device"),
    declared("moe_backend", "kernels of experts"),
    declared("linear_backend", "kernels of quantised layers"),
    declared("mamba_backend", "kernels of state-space layers"),
    declared("enable_flashinfer_autotune", "FlashInfer's kernels are tuned at the start; unset: by vLLM"),
)
_COMPILATION = (
    set_at_load(
        "compilation_mode",
        "text",
        "how the model is compiled; unset: by optimization_level",
        choices=CHOICES["compilation_mode"],
        tried=True,
    ),
    set_at_load(
        "cudagraph_mode",
        "text",
        "which steps are replayed as CUDA graphs; unset: by optimization_level",
        choices=CHOICES["cudagraph_mode"],
        tried=False,
    ),
    declared("max_cudagraph_capture_size", "largest batch with a CUDA graph; unset: by max_num_seqs", low=1),
    set_at_load(
        "cudagraph_capture_sizes",
        "text",
        'batches with a CUDA graph, as in "1,2,4,8"; unset: by max_cudagraph_capture_size',
        tried=False,
    ),
    set_at_load(
        "optimization_level",
        "int",
        "0: fast to start, 3: to serve",
        default=2,
        low=0,
        high=3,
        tried=True,
    ),
)
_SPECULATION = (
    set_at_load(
        "speculative_method",
        "text",
        "how tokens are guessed, to be checked in one step",
        default=NO_METHOD,
        choices=(NO_METHOD, *(each for each in _METHODS if each in CHOICES["speculative_method"])),
        tried=True,
    ),
    set_at_load("num_speculative_tokens", "int", "tokens that are guessed at a time", low=1, tried=True),
    set_at_load(
        "speculative_model", "text", "folder or hub repository of the model that guesses", tried=True
    ),
    set_at_load(
        "draft_tensor_parallel_size", "int", "devices that share the model that guesses", low=1, tried=False
    ),
    set_at_load("prompt_lookup_max", "int", "longest run of tokens that ngram looks up", low=1, tried=True),
    set_at_load("prompt_lookup_min", "int", "shortest run of tokens that ngram looks up", low=1, tried=True),
)
_ENVIRONMENT = (
    set_at_load(
        "cpu_threads_bind",
        "text",
        'on CPUs: the cores of each worker, as in "0-3"; auto leaves one core free',
        default="auto",
    ),
)

ENGINE_PARAMETERS: tuple[ParameterDeclaration, ...] = (
    *_SCHEDULER, *_CACHE, *_MODEL, *_SPECULATION, *_PARALLEL, *_KERNELS, *_COMPILATION, *_OFFLOAD,
    *_ENVIRONMENT,
)  # fmt: skip
