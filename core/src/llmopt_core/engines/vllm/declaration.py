"""vLLM's server: its parameters, with the defaults that `vllm serve` has (0.32).

Names are those of `vllm serve` and of its request fields. Where vLLM decides by the model, by the machine or
by the model's generation_config.json, the default is None: what is not said is not sent, so that the baseline
is what a plain `vllm serve` does. Only the KV cache's size has a unit of its own here, MiB.
"""

from functools import partial

from llmopt_core.engines.declarations import EngineDeclaration, by_full_name, set_at_load, set_by_request
from llmopt_core.engines.vllm.patterns import VLLM_LOGS
from llmopt_core.engines.vllm.rules import canonical, conflicts
from llmopt_core.engines.vllm.serving import VLLM_SERVER

MAX_TEMPERATURE = 2
PENALTY_LIMIT = 2
DTYPES = ("auto", "float16", "bfloat16", "float32")
KV_CACHE_DTYPES = (
    "auto",
    "float16",
    "bfloat16",
    "fp8",
    "fp8_e4m3",
    "fp8_e5m2",
    "fp8_inc",
    "fp8_ds_mla",
    "nvfp4_ds_mla",
    "turboquant_k8v4",
    "turboquant_4bit_nc",
    "turboquant_k3v4_nc",
    "turboquant_3bit_nc",
    "ultraquant_4bit",
    "int4_per_token_head",
    "int8_per_token_head",
    "fp8_per_token_head",
    "nvfp4",
    "nvfp4_4over6",
)
# Without those that vLLM itself calls deprecated.
QUANTIZATIONS = (
    "awq",
    "auto_awq",
    "fp8",
    "modelopt",
    "modelopt_fp4",
    "modelopt_mxfp8",
    "modelopt_mixed",
    "auto_gptq",
    "gptq",
    "gptq_marlin",
    "awq_marlin",
    "humming",
    "compressed-tensors",
    "experts_int8",
    "quark",
    "moe_wna16",
    "torchao",
    "inc",
    "mxfp4",
    "gpt_oss_mxfp4",
    "deepseek_v4_fp8",
    "online",
    "fp8_per_tensor",
    "fp8_per_block",
    "fp8_per_channel",
    "int8_per_channel_weight_only",
    "nvfp4_per_token",
    "mxfp8",
)


_ENGINE = (
    set_at_load("max_num_seqs", "int", "requests served at the same time; unset: by the device", low=1),
    set_at_load(
        "max_num_batched_tokens",
        "int",
        "tokens computed in one step; at least max_num_seqs; unset: by the device",
        low=1,
    ),
    set_at_load("max_model_len", "int", "tokens of prompt and answer; unset: what the model has", low=1),
    set_at_load(
        "gpu_memory_utilization",
        "float",
        "share of the device's memory that is taken, weights and KV cache together",
        default=0.92,
        low=0,
        high=1,
    ),
    set_at_load(
        "kv_cache_memory_mib",
        "int",
        "MiB of KV cache on each device; unset: what gpu_memory_utilization leaves; to be set on CPUs",
        low=1,
    ),
    set_at_load(
        "dtype",
        "text",
        "type of weights and activations",
        default="auto",
        choices=DTYPES,
        changes_answers=True,
    ),
    set_at_load(
        "quantization",
        "text",
        "how the weights are quantised; unset: as the model says",
        choices=QUANTIZATIONS,
        changes_answers=True,
    ),
    set_at_load(
        "kv_cache_dtype",
        "text",
        "type of the KV cache",
        default="auto",
        choices=KV_CACHE_DTYPES,
        changes_answers=True,
    ),
    set_at_load(
        "enable_prefix_caching", "bool", "a prompt's prefix is not computed again; unset: by the model"
    ),
    set_at_load(
        "enable_chunked_prefill", "bool", "long prompts are read in several steps; unset: by the model"
    ),
    set_at_load("enforce_eager", "bool", "no compilation and no CUDA graphs: a faster start", default=False),
    set_at_load("tensor_parallel_size", "int", "devices that share each layer", default=1, low=1),
    set_at_load("block_size", "int", "tokens in one block of the KV cache; unset: by the device", low=1),
    set_at_load(
        "cpu_threads_bind",
        "text",
        'on CPUs: the cores of each worker, as in "0-3"; auto leaves one core free',
        default="auto",
    ),
)
_SAMPLING = (
    set_by_request("temperature", "float", "0 is greedy", neutral=1.0, low=0, high=MAX_TEMPERATURE),
    set_by_request(
        "top_p", "float", "only the likeliest tokens up to this mass, above 0", neutral=1.0, low=0, high=1
    ),
    set_by_request("top_k", "int", "only the k likeliest tokens; 0: off", neutral=0, low=-1),
    set_by_request(
        "min_p", "float", "only tokens at least so likely against the best", neutral=0.0, low=0, high=1
    ),
    set_by_request(
        "repetition_penalty",
        "float",
        "penalty on tokens of prompt and answer, above 0",
        neutral=1.0,
        low=0,
    ),
    set_by_request(
        "presence_penalty",
        "float",
        "penalty on tokens that the answer has",
        neutral=0.0,
        low=-PENALTY_LIMIT,
        high=PENALTY_LIMIT,
    ),
    set_by_request(
        "frequency_penalty",
        "float",
        "penalty per occurrence of a token in the answer",
        neutral=0.0,
        low=-PENALTY_LIMIT,
        high=PENALTY_LIMIT,
    ),
    set_by_request("seed", "int", "unset: a new one for each request", neutral=None, low=0, high=2**31 - 1),
)

_PARAMETERS = by_full_name((*_ENGINE, *_SAMPLING))

VLLM = EngineDeclaration(
    name="vllm",
    summary="the server of vLLM: safetensors models on GPUs, and on CPUs",
    needs_model_file=False,
    parameters=_PARAMETERS,
    canonical=partial(canonical, parameters=_PARAMETERS),
    conflicts=partial(conflicts, parameters=_PARAMETERS),
    server=VLLM_SERVER,
    logs=VLLM_LOGS,
    fixed_length=lambda _tokens: {"ignore_eos": True},
)
