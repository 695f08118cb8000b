"""Which of vLLM's settings come to the same, and which it refuses.

Source: vLLM 0.32 (`config/scheduler.py`, `config/cache.py`, `sampling_params.py`), checked on its server.
What depends on the model, on the device or on a default that is not known here is left to the server.
"""

from collections.abc import Iterator, Mapping

from llmopt_core.engines.declarations import ParameterDeclaration, completed
from llmopt_core.search.configurations import Configuration, Value

# A temperature above 0 and below this is raised to it.
LOWEST_TEMPERATURE = 1e-2
_IDLE_WHEN_GREEDY = ("top_p", "top_k", "min_p", "seed")
_ABOVE_ZERO = {
    "engine.gpu_memory_utilization": "1.0 is all of it",
    "sampling.top_p": "1.0 switches it off",
    "sampling.repetition_penalty": "1.0 switches it off",
}

Parameters = Mapping[str, ParameterDeclaration]


def canonical(configuration: Configuration, parameters: Parameters) -> Configuration:
    """Return the complete configuration that all with the same behaviour as `configuration` share.

    A sampling parameter that is not set stays unset: the model's generation_config.json decides. Greedy
    answers need neither what only removes less likely tokens nor a seed; penalties act on them too.
    """
    return Configuration.from_flat(_settled(configuration, parameters))


def conflicts(configuration: Configuration, parameters: Parameters) -> tuple[str, ...]:
    """Return one sentence per combination that vLLM refuses to start with or to answer."""
    values = _settled(configuration, parameters)
    return (*_zeros(values), *_batches(values))


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
    return values


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


def _number(values: Mapping[str, Value], name: str) -> float | None:
    value = values.get(name)
    if isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, not a number")
    return value
