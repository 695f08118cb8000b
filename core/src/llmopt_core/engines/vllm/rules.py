"""Which of vLLM's settings come to the same, and which it refuses.

Source: vLLM 0.32 (`config/scheduler.py`, `config/cache.py`, `config/parallel.py`, `config/offload.py`,
`config/speculative.py`, `config/vllm.py`, `sampling_params.py`), checked on its server. What depends on the
model, on the device or on a default that is not known here is left to the server.
"""

from collections.abc import Iterator, Mapping, Sequence

from llmopt_core.engines.declarations import ParameterDeclaration, completed
from llmopt_core.engines.vllm.speculation import (
    METHOD,
    READS_HIDDEN_STATES,
    speculation_conflicts,
    without_idle_speculation,
)
from llmopt_core.search.configurations import Configuration, Value

# A temperature above 0 and below this is raised to it.
LOWEST_TEMPERATURE = 1e-2
_IDLE_WHEN_GREEDY = ("top_p", "top_k", "min_p", "seed")
_IDLE_WHEN_EAGER = (
    "compilation_mode", "cudagraph_mode", "max_cudagraph_capture_size", "cudagraph_capture_sizes",
)  # fmt: skip
_HALVES = 2  # of a batch that is split
_ABOVE_ZERO = {
    "engine.gpu_memory_utilization": "1.0 is all of it",
    "sampling.top_p": "1.0 switches it off",
    "sampling.repetition_penalty": "1.0 switches it off",
}

Parameters = Mapping[str, ParameterDeclaration]


def canonical(configuration: Configuration, parameters: Parameters) -> Configuration:
    """Return the complete configuration that all with the same behaviour as `configuration` share.

    A sampling parameter that is not set stays unset: the model's generation_config.json decides. Greedy
    answers need neither what only removes less likely tokens nor a seed; penalties act on them too. What
    belongs to another way to guess tokens, to halved batches or to compilation has no effect without it.
    """
    return Configuration.from_flat(_settled(configuration, parameters))


def conflicts(configuration: Configuration, parameters: Parameters) -> tuple[str, ...]:
    """Return one sentence per combination that vLLM refuses to start with or to answer."""
    values = _settled(configuration, parameters)
    return (
        *_zeros(values),
        *_batches(values),
        *_parallel(values),
        *_offload(values),
        *_caches(values),
        *_capture_sizes(values),
        *speculation_conflicts(values),
    )


def _settled(configuration: Configuration, parameters: Parameters) -> dict[str, Value]:
    """The canonical configuration by full name."""
    values = completed(configuration, parameters)
    if values.get("sampling.top_k") == -1:
        values["sampling.top_k"] = 0
    temperature = _number(values, "sampling.temperature")
    if temperature == 0:
        for name in _IDLE_WHEN_GREEDY:
            values.pop(f"sampling.{name}", None)
    elif temperature is not None:
        values["sampling.temperature"] = max(temperature, LOWEST_TEMPERATURE)
    if values["engine.enforce_eager"] is True:
        for name in _IDLE_WHEN_EAGER:
            values.pop(f"engine.{name}", None)
    return without_idle_speculation(values)


def _zeros(values: Mapping[str, Value]) -> Iterator[str]:
    for name, way_out in _ABOVE_ZERO.items():
        if values.get(name) == 0:
            yield f"{name} must be above 0: {way_out}"


def _batches(values: Mapping[str, Value]) -> Iterator[str]:
    batched = _number(values, "engine.max_num_batched_tokens")
    seqs = _number(values, "engine.max_num_seqs")
    length = _number(values, "engine.max_model_len")
    if batched is not None and seqs is not None and batched < seqs:
        yield (
            f"engine.max_num_batched_tokens {batched:.0f} is smaller than engine.max_num_seqs {seqs:.0f}: "
            "every request needs a token in each step"
        )
    whole_prompts = values.get("engine.enable_chunked_prefill") is False
    if whole_prompts and batched is not None and length is not None and batched < length:
        yield (
            f"engine.max_num_batched_tokens {batched:.0f} is smaller than engine.max_model_len {length:.0f}: "
            "without engine.enable_chunked_prefill a prompt must fit into one step"
        )
    threshold = _number(values, "engine.long_prefill_token_threshold")
    if threshold is not None and length is not None and threshold > length:
        yield (
            f"engine.long_prefill_token_threshold {threshold:.0f} is larger than engine.max_model_len"
            f" {length:.0f}: no prompt is so long"
        )


def _parallel(values: Mapping[str, Value]) -> Iterator[str]:
    tensor, data, decode, prefill = (
        int(values[f"engine.{name}"])
        for name in (
            "tensor_parallel_size",
            "data_parallel_size",
            "decode_context_parallel_size",
            "prefill_context_parallel_size",
        )
    )
    if values["engine.enable_eplb"] is True:
        if values["engine.enable_expert_parallel"] is False:
            yield "engine.enable_eplb needs engine.enable_expert_parallel: it moves whole experts"
        if tensor * data * prefill == 1:
            yield "engine.enable_eplb needs several devices: raise tensor_parallel_size or data_parallel_size"
    if prefill == 1 and tensor % decode:
        yield (
            f"engine.decode_context_parallel_size {decode} must divide engine.tensor_parallel_size {tensor}:"
            " it shares the cache among the same devices"
        )
    if prefill > 1 and decode not in {1, prefill, tensor * prefill}:
        yield (
            f"engine.decode_context_parallel_size {decode} must be 1, {prefill} or {tensor * prefill} beside"
            f" engine.prefill_context_parallel_size {prefill}"
        )
    for name in ("dbo_decode_token_threshold", "dbo_prefill_token_threshold"):
        if values["engine.enable_dbo"] is True and int(values[f"engine.{name}"]) < _HALVES:
            yield f"engine.{name} must be at least {_HALVES} with engine.enable_dbo: each half has a token"


def _offload(values: Mapping[str, Value]) -> Iterator[str]:
    group, layers, ahead = (
        int(values[f"engine.{name}"])
        for name in ("offload_group_size", "offload_num_in_group", "offload_prefetch_step")
    )
    if values["engine.offload_backend"] != "prefetch" and group == 0:
        return
    if layers > group:
        yield f"engine.offload_num_in_group {layers} is larger than engine.offload_group_size {group}"
    if ahead < 1:
        yield "engine.offload_prefetch_step must be at least 1 where layers are fetched from main memory"


def _caches(values: Mapping[str, Value]) -> Iterator[str]:
    states, length = (_number(values, f"engine.{name}") for name in ("mamba_block_size", "max_model_len"))
    if states is not None and states != length and values.get("engine.enable_prefix_caching") is False:
        yield "engine.mamba_block_size needs engine.enable_prefix_caching: without it no states are kept"
    if values["engine.kv_sharing_fast_prefill"] is True and values[METHOD] in READS_HIDDEN_STATES:
        yield (
            f"engine.kv_sharing_fast_prefill does not work with {METHOD} {values[METHOD]}, which needs what"
            " it skips"
        )


def _capture_sizes(values: Mapping[str, Value]) -> Iterator[str]:
    sizes = values.get("engine.cudagraph_capture_sizes")
    parts = () if sizes is None else str(sizes).split(",")
    if not all(part.strip().isdecimal() and int(part) for part in parts):
        yield f'engine.cudagraph_capture_sizes {sizes!r} must be whole numbers above 0, as in "1,2,4,8"'
        return
    largest = _number(values, "engine.max_cudagraph_capture_size")
    possible = _largest_captured([int(part) for part in parts], values)
    if largest is not None and possible and largest not in possible and _captures(values):
        yield (
            f"engine.max_cudagraph_capture_size {largest:.0f} must be the largest of"
            f" engine.cudagraph_capture_sizes {sizes}: leave it out"
        )


def _captures(values: Mapping[str, Value]) -> bool:
    """Say whether graphs are surely captured on GPUs: other modes fall back to none."""
    mode = values.get("engine.cudagraph_mode")
    compiled = values.get("engine.compilation_mode")
    level = int(values["engine.optimization_level"])
    return (
        mode != "NONE" and compiled in {None, "VLLM_COMPILE"} and (level > 0 or None not in {mode, compiled})
    )


def _largest_captured(sizes: Sequence[int], values: Mapping[str, Value]) -> list[int]:
    """Return what the largest of `sizes` may be: those over the tokens of a step are left out.

    What of these is not known is at least the number of requests.
    """
    batched = _number(values, "engine.max_num_batched_tokens")
    least = _number(values, "engine.max_num_seqs") or 1 if batched is None else batched
    fitting = [size for size in sizes if size <= least]
    larger = [] if batched is not None else [size for size in sizes if size > least]
    return [max(fitting, default=0), *larger] if sizes else []


def _number(values: Mapping[str, Value], name: str) -> float | None:
    value = values.get(name)
    if isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, not a number")
    return value
