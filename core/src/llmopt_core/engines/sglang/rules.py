"""Which of SGLang's settings come to the same, and which it refuses.

Source: SGLang 0.5.23 (`srt/sampling/sampling_params.py`, `srt/arg_groups/speculative_hook.py`,
`srt/model_executor/model_runner_components/moe_ep_setup.py`). What depends on the model or the device is left
to the server.
"""

from collections.abc import Iterator, Mapping

from llmopt_core.engines.declarations import ParameterDeclaration, completed
from llmopt_core.engines.sglang.parameters import NO_METHOD
from llmopt_core.search.configurations import Configuration, Value

# A lower temperature is greedy.
LOWEST_TEMPERATURE = 1e-6
_IDLE_WHEN_GREEDY = ("top_p", "top_k", "min_p", "seed")
_SPECULATION = (
    "speculative_draft_model_path", "speculative_num_steps", "speculative_eagle_topk",
    "speculative_num_draft_tokens",
)  # fmt: skip
_WITH_A_MODEL = frozenset({"EAGLE3", "STANDALONE", "DFLASH"})
_ONE_STAGE = frozenset({"DFLASH"})
_ABOVE_ZERO = {
    "engine.mem_fraction_static": "leave it out and the server chooses",
    "sampling.top_p": "1.0 switches it off",
    "sampling.repetition_penalty": "1.0 switches it off",
}

Parameters = Mapping[str, ParameterDeclaration]


def canonical(configuration: Configuration, parameters: Parameters) -> Configuration:
    """Return the complete configuration that all with the same behaviour as `configuration` share.

    A sampling parameter that is not set stays unset: the model's generation_config.json decides.
    """
    return Configuration.from_flat(_settled(configuration, parameters))


def conflicts(configuration: Configuration, parameters: Parameters) -> tuple[str, ...]:
    """Return one sentence per combination that SGLang refuses to start with or to answer."""
    values = _settled(configuration, parameters)
    return (*_zeros(values), *_parallel(values), *_speculation(values))


def _settled(configuration: Configuration, parameters: Parameters) -> dict[str, Value]:
    """The canonical configuration by full name."""
    values = completed(configuration, parameters)
    for name in _idle(values):
        values.pop(name, None)
    temperature = values.get("sampling.temperature")
    if temperature is not None and float(temperature) < LOWEST_TEMPERATURE:
        values["sampling.temperature"] = 0.0
    return values


def _idle(values: Mapping[str, Value]) -> Iterator[str]:
    temperature = values.get("sampling.temperature")
    if temperature is not None and float(temperature) < LOWEST_TEMPERATURE:
        yield from (f"sampling.{name}" for name in _IDLE_WHEN_GREEDY)
    if values["engine.enable_deterministic_inference"] is False:
        yield "sampling.seed"
    if values["engine.speculative_algorithm"] == NO_METHOD:
        yield from (f"engine.{name}" for name in _SPECULATION)
    if values["engine.enable_hierarchical_cache"] is False:
        yield from (f"engine.{name}" for name in ("hicache_ratio", "hicache_size", "hicache_write_policy"))
    if values["engine.enable_torch_compile"] is False:
        yield "engine.torch_compile_max_bs"
    if values["engine.disable_radix_cache"] is True:
        yield "engine.radix_eviction_policy"
    if values["engine.disable_decode_cuda_graph"] is True:
        yield "engine.cuda_graph_max_bs_decode"


def _zeros(values: Mapping[str, Value]) -> Iterator[str]:
    for name, way_out in _ABOVE_ZERO.items():
        if values.get(name) == 0:
            yield f"{name} must be above 0: {way_out}"
    for name in ("sampling.top_k", "engine.chunked_prefill_size"):
        if values.get(name) == 0:
            yield f"{name} must be -1 or at least 1: -1 switches it off"


def _parallel(values: Mapping[str, Value]) -> Iterator[str]:
    tensor, experts = int(values["engine.tensor_parallel_size"]), int(values["engine.expert_parallel_size"])
    if tensor % experts:
        yield (
            f"engine.expert_parallel_size {experts} must divide engine.tensor_parallel_size {tensor}: experts"
            " are shared among the same devices"
        )


def _speculation(values: Mapping[str, Value]) -> Iterator[str]:
    algorithm = str(values["engine.speculative_algorithm"])
    if algorithm in _WITH_A_MODEL and "engine.speculative_draft_model_path" not in values:
        yield (
            f"engine.speculative_algorithm {algorithm} needs engine.speculative_draft_model_path: the"
            " model that guesses"
        )
    if algorithm in _ONE_STAGE and int(values["engine.pipeline_parallel_size"]) > 1:
        yield f"engine.speculative_algorithm {algorithm} works with engine.pipeline_parallel_size 1 only"
