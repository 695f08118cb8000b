"""Which settings of `transformers serve` come to the same, and which it refuses or ignores.

Source: transformers 5.23 (`cli/serving`, `generation/continuous_batching`, `generation/utils.py`), checked on
its server.
"""

from collections.abc import Iterator, Mapping

from llmopt_core.engines.declarations import ParameterDeclaration, completed
from llmopt_core.engines.transformers.bnb_4bit import NAMES, QUANTIZATION
from llmopt_core.search.configurations import Configuration, Value

# What only removes less likely tokens; all of it needs sampling to be on.
WARPERS = ("top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff", "top_h")
_IDLE_WHEN_GREEDY = (*WARPERS, "seed")
_BATCHING_ONLY = (
    "cb_block_size",
    "cb_num_blocks",
    "cb_max_batch_tokens",
    "cb_max_memory_percent",
    "cb_use_cuda_graph",
)
# transformers says of these that batching might not support them, and of the last it is known not to.
_NOT_BATCHED = ("epsilon_cutoff", "eta_cutoff", "top_h", "no_repeat_ngram_size")
# What batching has its own of, or drops.
_NEVER_BATCHED = ("sampling.repetition_penalty", "sampling.cache_implementation")
_ABOVE_ZERO = {"typical_p": "1.0 switches it off", "top_h": "leave it out to switch it off",
               "repetition_penalty": "1.0 switches it off"}  # fmt: skip

Values = dict[str, Value]
Parameters = Mapping[str, ParameterDeclaration]


def freezes_sampling(configuration: Configuration) -> bool:
    """Say whether the server keeps its first request's sampling: it does when it batches."""
    return configuration.engine.get("continuous_batching") is True


def canonical(configuration: Configuration, parameters: Parameters) -> Configuration:
    """Return the complete configuration that all with the same behaviour as `configuration` share.

    A sampling parameter that is not set stays unset: the model's generation_config.json decides.
    """
    return Configuration.from_flat(_settled(configuration, parameters))


def conflicts(configuration: Configuration, parameters: Parameters) -> tuple[str, ...]:
    """Return one sentence per combination that the server refuses, or ends with."""
    values = _settled(configuration, parameters)
    return (*_zeros(values), *_attention(values), *_cache(values), *_batched(values))


def _settled(configuration: Configuration, parameters: Parameters) -> Values:
    """The canonical configuration by full name."""
    values = completed(configuration, parameters)
    if freezes_sampling(configuration):
        values["engine.compile"] = False
        for name in _NEVER_BATCHED:
            values.pop(name, None)
    else:
        _reset(values, parameters, _BATCHING_ONLY)
    if values["engine.quantization"] != QUANTIZATION:
        _reset(values, parameters, NAMES)
    if "sampling.cache_implementation" in values:  # compile only chooses one where a request does not
        values["engine.compile"] = False
    if values["engine.device"] == "cpu":
        values.pop("engine.cb_use_cuda_graph", None)
    _settle_greedy(values)
    return values


def _reset(values: Values, parameters: Parameters, names: tuple[str, ...]) -> None:
    for name in (f"engine.{name}" for name in names):
        default = parameters[name].default
        if default is None:
            values.pop(name, None)
        else:
            values[name] = default


def _settle_greedy(values: Values) -> None:
    """Where one token is left to choose, the answer is greedy: nothing that removes others has an effect.

    typical_p, which may remove the likeliest, comes after these three.
    """
    one_left = (
        values.get("sampling.top_k") == 1
        or values.get("sampling.top_p") == 0
        or values.get("sampling.min_p") == 1
    )
    if one_left:
        values["sampling.temperature"] = 0.0
    if values.get("sampling.temperature") == 0:
        for name in _IDLE_WHEN_GREEDY:
            values.pop(f"sampling.{name}", None)


def _zeros(values: Mapping[str, Value]) -> Iterator[str]:
    for name, way_out in _ABOVE_ZERO.items():
        if values.get(f"sampling.{name}") == 0:
            yield f"sampling.{name} must be above 0: {way_out}"


def _attention(values: Mapping[str, Value]) -> Iterator[str]:
    attention = str(values.get("engine.attn_implementation", ""))
    if attention == "flex_attention" and values["engine.continuous_batching"]:
        yield (
            "engine.attn_implementation flex_attention does not go with engine.continuous_batching: "
            "take sdpa, eager or a flash attention"
        )
    if attention == "flex_attention" and _has_static_cache(values):
        yield (
            "engine.attn_implementation flex_attention does not go with a static cache, which engine.compile"
            " or sampling.cache_implementation asks for: take sdpa or eager"
        )
    if attention.startswith("flash_attention") and values["engine.device"] == "cpu":
        yield f"engine.attn_implementation {attention} needs a GPU, and engine.device is cpu: take sdpa"


def _has_static_cache(values: Mapping[str, Value]) -> bool:
    return values["engine.compile"] is True or str(values.get("sampling.cache_implementation")).endswith(
        "static"
    )


def _cache(values: Mapping[str, Value]) -> Iterator[str]:
    cache = str(values.get("sampling.cache_implementation", ""))
    if cache.startswith("offloaded") and values["engine.device"] == "cpu":
        yield f"sampling.cache_implementation {cache} needs a GPU, and engine.device is cpu: take dynamic"


def _batched(values: Mapping[str, Value]) -> Iterator[str]:
    if not values["engine.continuous_batching"]:
        return
    for name in _NOT_BATCHED:
        if values.get(f"sampling.{name}", 0) != 0:
            yield (
                f"sampling.{name} does not go with engine.continuous_batching, which supports temperature, "
                "top_k, top_p, min_p and typical_p"
            )
