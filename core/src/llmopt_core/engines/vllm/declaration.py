"""vLLM's server: its parameters, with the defaults that `vllm serve` has (0.32).

Names are those of `vllm serve` and of its request fields; those of the server are in `parameters`. Where vLLM
decides by the model, the machine or the model's generation_config.json, the default is None: what is not said
is not sent, so that the baseline is what a plain `vllm serve` does. Only the KV cache's size has a unit of
its own here, MiB.
"""

from functools import partial

from llmopt_core.engines.containers import EngineContainer
from llmopt_core.engines.declarations import EngineDeclaration, by_full_name, set_by_request
from llmopt_core.engines.first_settings import shared_by_gpus
from llmopt_core.engines.memory_parameters import MemoryParameters
from llmopt_core.engines.packaging import Packaging
from llmopt_core.engines.vllm.known_arguments import VERSION
from llmopt_core.engines.vllm.model_fields import VLLM_FIELDS
from llmopt_core.engines.vllm.parameters import ENGINE_PARAMETERS
from llmopt_core.engines.vllm.patterns import VLLM_LOGS
from llmopt_core.engines.vllm.preset import VLLM_PRESET
from llmopt_core.engines.vllm.quantisation_tables import TABLES
from llmopt_core.engines.vllm.rules import canonical, conflicts
from llmopt_core.engines.vllm.serving import VLLM_SERVER

MAX_TEMPERATURE = 2
PENALTY_LIMIT = 2
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

_PARAMETERS = by_full_name((*ENGINE_PARAMETERS, *_SAMPLING))

VLLM = EngineDeclaration(
    name="vllm",
    summary="the server of vLLM: safetensors models on GPUs, and on CPUs",
    needs_model_file=False,
    parameters=_PARAMETERS,
    canonical=partial(canonical, parameters=_PARAMETERS),
    conflicts=partial(conflicts, parameters=_PARAMETERS),
    server=VLLM_SERVER,
    logs=VLLM_LOGS,
    needs_gpu=lambda _fixed: True,
    preset=VLLM_PRESET,
    memory=MemoryParameters(
        decisive=(
            "max_model_len",
            "max_num_seqs",
            "max_num_batched_tokens",
            "gpu_memory_utilization",
            "kv_cache_memory_mib",
            "kv_cache_dtype",
            "tensor_parallel_size",
            "dtype",
            "quantization",
        ),
        lowered=("max_model_len", "max_num_seqs", "max_num_batched_tokens", "gpu_memory_utilization"),
    ),
    container=EngineContainer(
        "vllm",
        8000,
        ("--host", "0.0.0.0", "--port", "8000"),  # noqa: S104 - in a container others must reach it
        "/root/.cache/huggingface",
        "vllm/vllm-openai:latest",
        released="vllm/vllm-openai:v{version}",
    ),
    packaging=Packaging(
        extra="vllm",
        separable=True,
        distributions=("vllm", "torch"),
        version=VERSION,
        caches={"VLLM_CACHE_ROOT": "vllm"},
        variables=("VLLM_", "FLASHINFER_"),
    ),
    suited=partial(shared_by_gpus, "vllm", size="tensor_parallel_size", length="max_model_len"),
    fixed_length=lambda _tokens: {"ignore_eos": True},
    model_fields=VLLM_FIELDS,
    tables=TABLES,
)
