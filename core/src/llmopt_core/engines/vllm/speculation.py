"""What belongs together where vLLM guesses tokens ahead.

Source: vLLM 0.32 (`config/speculative.py`, `config/vllm.py`).
"""

from collections.abc import Iterator, Mapping

from llmopt_core.engines.vllm.parameters import NO_METHOD
from llmopt_core.search.configurations import Value

METHOD = "engine.speculative_method"
_TOKENS, _MODEL = "engine.num_speculative_tokens", "engine.speculative_model"
_DRAFT_SIZE = "engine.draft_tensor_parallel_size"
_LONGEST, _SHORTEST = "engine.prompt_lookup_max", "engine.prompt_lookup_min"
_ASYNC = "engine.async_scheduling"
_LOOKUPS = frozenset({"ngram", "ngram_gpu"})
_WITH_A_MODEL = frozenset({"draft_model", "eagle", "eagle3", "medusa", "mlp_speculator"})
READS_HIDDEN_STATES = frozenset({"eagle", "eagle3", "mtp"})
# How many tokens are guessed, the checkpoint of these says; suffix decides it for each request.
_DEPTH_KNOWN = frozenset({"mtp", "suffix", "eagle", "eagle3", "medusa", "mlp_speculator"})
_NOT_ASYNC = frozenset({"ngram", "medusa", "mlp_speculator", "suffix"})
# What vLLM takes where neither is set.
_LOOKED_UP = 5


def without_idle_speculation(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return `values` without what the method of guessing does not look at, its defaults filled in."""
    method = values[METHOD]
    idle = set()
    if method == NO_METHOD:
        idle = {_TOKENS, _MODEL, _DRAFT_SIZE, _LONGEST, _SHORTEST}
    elif method in _LOOKUPS:
        idle = {_MODEL, _DRAFT_SIZE}
    else:
        idle = {_LONGEST, _SHORTEST}
    kept = {name: value for name, value in values.items() if name not in idle}
    if method in _LOOKUPS:
        longest, shortest = values.get(_LONGEST), values.get(_SHORTEST)
        kept[_LONGEST] = _first(longest, shortest)
        kept[_SHORTEST] = _first(shortest, longest)
    return kept


def speculation_conflicts(values: Mapping[str, Value]) -> Iterator[str]:
    """Yield one sentence for each combination of the settled `values` that vLLM refuses."""
    method = str(values[METHOD])
    if method == NO_METHOD:
        return
    if _TOKENS not in values and method not in _DEPTH_KNOWN:
        yield f"{METHOD} {method} needs {_TOKENS}: how many tokens are guessed at a time"
    if _MODEL not in values and method in _WITH_A_MODEL:
        yield f"{METHOD} {method} needs {_MODEL}: the model that guesses"
    if method in _LOOKUPS and int(values[_SHORTEST]) > int(values[_LONGEST]):
        yield f"{_SHORTEST} {values[_SHORTEST]} is larger than {_LONGEST} {values[_LONGEST]}"
    if method in _NOT_ASYNC and values.get(_ASYNC) is True:
        yield f"{_ASYNC} does not work with {METHOD} {method}: leave it out"
    size = int(values.get(_DRAFT_SIZE, 1))
    if size not in {1, int(values["engine.tensor_parallel_size"])}:
        yield f"{_DRAFT_SIZE} {size} must be 1 or engine.tensor_parallel_size"


def _first(value: Value | None, other: Value | None) -> Value:
    if value is not None:
        return value
    return _LOOKED_UP if other is None else other
