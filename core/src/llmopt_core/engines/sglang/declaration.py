"""SGLang's server, with the defaults that `sglang serve` has (0.5.23).

Where SGLang decides by the model, the machine or the model's generation_config.json, the default is None:
what is not said is not sent, so that the baseline is what a plain server does.
"""

from functools import partial

from llmopt_core.engines.containers import EngineContainer
from llmopt_core.engines.declarations import EngineDeclaration, by_full_name
from llmopt_core.engines.first_settings import shared_by_gpus
from llmopt_core.engines.memory_parameters import MemoryParameters
from llmopt_core.engines.packaging import Packaging
from llmopt_core.engines.sglang.model_fields import SGLANG_FIELDS
from llmopt_core.engines.sglang.parameters import PARAMETERS, VERSION
from llmopt_core.engines.sglang.patterns import SGLANG_LOGS
from llmopt_core.engines.sglang.preset import SGLANG_PRESET
from llmopt_core.engines.sglang.rules import canonical, conflicts
from llmopt_core.engines.sglang.serving import SGLANG_SERVER, other_names

_PARAMETERS = by_full_name(PARAMETERS)

SGLANG = EngineDeclaration(
    name="sglang",
    summary="the server of SGLang: safetensors models on GPUs",
    needs_model_file=False,
    parameters=_PARAMETERS,
    canonical=partial(canonical, parameters=_PARAMETERS),
    conflicts=partial(conflicts, parameters=_PARAMETERS),
    server=SGLANG_SERVER,
    other_names=other_names(),
    fixed_length=lambda _tokens: {"ignore_eos": True},
    needs_gpu=lambda _fixed: True,
    logs=SGLANG_LOGS,
    preset=SGLANG_PRESET,
    memory=MemoryParameters(
        decisive=(
            "context_length",
            "max_running_requests",
            "chunked_prefill_size",
            "mem_fraction_static",
            "max_total_tokens",
            "kv_cache_dtype",
            "tensor_parallel_size",
            "dtype",
            "quantization",
        ),
        lowered=("context_length", "max_running_requests", "chunked_prefill_size", "mem_fraction_static"),
    ),
    container=EngineContainer(
        "sglang",
        30000,
        ("--host", "0.0.0.0", "--port", "30000"),  # noqa: S104 - in a container others must reach it
        "/root/.cache/huggingface",
        "lmsysorg/sglang:latest",
        released="lmsysorg/sglang:v{version}",
    ),
    packaging=Packaging(
        install="pip install sglang, in an environment of its own that LLMOPT_ENGINE_SGLANG names",
        image=None,
        distributions=("sglang", "torch"),
        variables=("SGLANG_", "SGL_", "FLASHINFER_"),
        version=VERSION,
    ),
    model_fields=SGLANG_FIELDS,
    suited=partial(shared_by_gpus, "sglang", size="tensor_parallel_size", length="context_length"),
)
