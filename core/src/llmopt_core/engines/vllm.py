"""vLLM's server: its parameters, with the defaults that `vllm serve` has (0.32).

Names are those of `vllm serve` and of its request fields. Where vLLM decides by the model, by the machine or
by the model's generation_config.json, the default is None: what is not said is not sent, so that the baseline
is what a plain `vllm serve` does. Only the KV cache's size has a unit of its own here, MiB.
"""

from llmopt_core.engines.declarations import EngineDeclaration, Kind, ParameterDeclaration, When, by_full_name
from llmopt_core.engines.vllm_rules import canonical, conflicts
from llmopt_core.search.configurations import Configuration, Value

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


def _load(
    name: str,
    kind: Kind,
    meaning: str,
    *,
    default: Value | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
) -> ParameterDeclaration:
    return ParameterDeclaration(name, "engine", kind, When.LOAD, default, meaning, low, high, choices)


def _request(
    name: str,
    kind: Kind,
    meaning: str,
    *,
    neutral: Value | None,
    low: float | None = None,
    high: float | None = None,
) -> ParameterDeclaration:
    """Declare a field of requests; unset, the model's generation_config.json decides, else `neutral`."""
    return ParameterDeclaration(
        name, "sampling", kind, When.REQUEST, None, meaning, low, high, neutral=neutral
    )


_ENGINE = (
    _load("max_num_seqs", "int", "requests served at the same time; unset: by the device", low=1),
    _load(
        "max_num_batched_tokens",
        "int",
        "tokens computed in one step; at least max_num_seqs; unset: by the device",
        low=1,
    ),
    _load("max_model_len", "int", "tokens of prompt and answer; unset: what the model has", low=1),
    _load(
        "gpu_memory_utilization",
        "float",
        "share of the device's memory that is taken, weights and KV cache together",
        default=0.92,
        low=0,
        high=1,
    ),
    _load(
        "kv_cache_memory_mib",
        "int",
        "MiB of KV cache on each device; unset: what gpu_memory_utilization leaves; to be set on CPUs",
        low=1,
    ),
    _load("dtype", "text", "type of weights and activations", default="auto", choices=DTYPES),
    _load(
        "quantization",
        "text",
        "how the weights are quantised; unset: as the model says",
        choices=QUANTIZATIONS,
    ),
    _load("kv_cache_dtype", "text", "type of the KV cache", default="auto", choices=KV_CACHE_DTYPES),
    _load("enable_prefix_caching", "bool", "a prompt's prefix is not computed again; unset: by the model"),
    _load("enable_chunked_prefill", "bool", "long prompts are read in several steps; unset: by the model"),
    _load("enforce_eager", "bool", "no compilation and no CUDA graphs: a faster start", default=False),
    _load("tensor_parallel_size", "int", "devices that share each layer", default=1, low=1),
    _load("block_size", "int", "tokens in one block of the KV cache; unset: by the device", low=1),
    _load(
        "cpu_threads_bind",
        "text",
        'on CPUs: the cores of each worker, as in "0-3"; auto leaves one core free',
        default="auto",
    ),
)
_SAMPLING = (
    _request("temperature", "float", "0 is greedy", neutral=1.0, low=0, high=MAX_TEMPERATURE),
    _request(
        "top_p", "float", "only the likeliest tokens up to this mass, above 0", neutral=1.0, low=0, high=1
    ),
    _request("top_k", "int", "only the k likeliest tokens; 0: off", neutral=0, low=-1),
    _request("min_p", "float", "only tokens at least so likely against the best", neutral=0.0, low=0, high=1),
    _request(
        "repetition_penalty",
        "float",
        "penalty on tokens of prompt and answer, above 0",
        neutral=1.0,
        low=0,
    ),
    _request(
        "presence_penalty",
        "float",
        "penalty on tokens that the answer has",
        neutral=0.0,
        low=-PENALTY_LIMIT,
        high=PENALTY_LIMIT,
    ),
    _request(
        "frequency_penalty",
        "float",
        "penalty per occurrence of a token in the answer",
        neutral=0.0,
        low=-PENALTY_LIMIT,
        high=PENALTY_LIMIT,
    ),
    _request("seed", "int", "unset: a new one for each request", neutral=None, low=0, high=2**31 - 1),
)

_PARAMETERS = by_full_name((*_ENGINE, *_SAMPLING))


def _canonical(configuration: Configuration) -> Configuration:
    return canonical(configuration, _PARAMETERS)


def _conflicts(configuration: Configuration) -> tuple[str, ...]:
    return conflicts(configuration, _PARAMETERS)


VLLM = EngineDeclaration(
    name="vllm",
    summary="the server of vLLM: safetensors models on GPUs, and on CPUs",
    needs_model_file=False,
    parameters=_PARAMETERS,
    canonical=_canonical,
    conflicts=_conflicts,
)
