"""Which of llama.cpp's settings come to the same, and which it refuses.

Source: llama.cpp as of October 2026 (`llama-context.cpp`, `sampling.cpp`), checked against its server.
"""

from collections.abc import Mapping

from llmopt_core.engines.declarations import ParameterDeclaration, completed
from llmopt_core.engines.llamacpp.placement import idle_placement, placement_conflicts
from llmopt_core.engines.llamacpp.speculation import idle_speculation, speculation_conflicts
from llmopt_core.search.configurations import Configuration, Value

CONTEXT_GRAIN = 256  # a slot's context is rounded up to a multiple of this many tokens
UNQUANTISED = ("f32", "f16", "bf16")
_XTC_NEVER_ABOVE = 0.5  # two tokens cannot both be likelier than this
_RANDOM_SEED_UNSIGNED = 2**32 - 1
_PENALTIES = ("repeat_penalty", "presence_penalty", "frequency_penalty")

Values = dict[str, Value]
Parameters = Mapping[str, ParameterDeclaration]


def canonical(configuration: Configuration, parameters: Parameters) -> Configuration:
    """Return the complete configuration that all with the same behaviour as `configuration` share."""
    return Configuration.from_flat(_settled(configuration, parameters))


def conflicts(configuration: Configuration, parameters: Parameters) -> tuple[str, ...]:
    """Return one sentence per combination that llama.cpp refuses to start with or to answer."""
    values = _settled(configuration, parameters)
    found = []
    if values["engine.cache_type_v"] not in UNQUANTISED and values["engine.flash_attn"] == "off":
        found.append(
            f"engine.cache_type_v {values['engine.cache_type_v']} needs flash attention: "
            "set engine.flash_attn to auto or on, or engine.cache_type_v to f16"
        )
    if _number(values, "engine.n_batch") < _number(values, "engine.n_parallel"):
        found.append(
            f"engine.n_batch {values['engine.n_batch']} is smaller than engine.n_parallel "
            f"{values['engine.n_parallel']}: every slot needs a token in each step"
        )
    if values["sampling.repeat_penalty"] == 0:
        found.append("sampling.repeat_penalty must be above 0: 1.0 switches it off")
    return (*found, *speculation_conflicts(values), *placement_conflicts(values))


def _settled(configuration: Configuration, parameters: Parameters) -> Values:
    """The canonical configuration by full name."""
    values = completed(configuration, parameters)
    _clamp_batches(values)
    _round_context(values)
    _drop_idle_engine_settings(values, parameters)
    _reset(values, parameters, *idle_speculation(values), *idle_placement(values))
    _drop_idle_penalties(values, parameters)
    _drop_idle_companions(values, parameters)
    _settle_greedy(values, parameters)
    if values.get("sampling.seed") == _RANDOM_SEED_UNSIGNED:
        values["sampling.seed"] = -1
    return values


def slot_context(n_ctx: int, n_parallel: int, *, unified: bool) -> int:
    """Return the tokens of context that one slot has, out of `n_ctx` in all (0: unknown, the model's)."""
    total = _rounded_up(n_ctx)
    return total if unified else _rounded_up(total // n_parallel)


def _rounded_up(tokens: int) -> int:
    return -(-tokens // CONTEXT_GRAIN) * CONTEXT_GRAIN


def _number(values: Mapping[str, Value], name: str) -> float:
    value = values[name]
    if isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, not a number")
    return value


def _clamp_batches(values: Values) -> None:
    """Clamp before the context is rounded: llama.cpp compares with the value that it was given."""
    if _number(values, "engine.n_ctx") > 0:
        values["engine.n_batch"] = min(values["engine.n_batch"], values["engine.n_ctx"], key=float)
    values["engine.n_ubatch"] = min(values["engine.n_ubatch"], values["engine.n_batch"], key=float)


def _round_context(values: Values) -> None:
    n_ctx, n_parallel = int(_number(values, "engine.n_ctx")), int(_number(values, "engine.n_parallel"))
    if n_ctx <= 0:
        return
    unified = bool(values["engine.kv_unified"])
    slot = slot_context(n_ctx, n_parallel, unified=unified)
    values["engine.n_ctx"] = slot if unified else slot * n_parallel


def _drop_idle_engine_settings(values: Values, parameters: Parameters) -> None:
    if "engine.threads" in values and values.get("engine.threads_batch") == values["engine.threads"]:
        del values["engine.threads_batch"]
    if values["engine.n_parallel"] == 1:
        _reset(values, parameters, "engine.cont_batching", "engine.kv_unified")
    if not values["engine.cache_prompt"]:
        _reset(values, parameters, "engine.cache_reuse")


def _drop_idle_penalties(values: Values, parameters: Parameters) -> None:
    if values["sampling.repeat_last_n"] == 0:
        _switch_off(values, parameters, *_PENALTIES)
    if all(values[f"sampling.{name}"] == parameters[f"sampling.{name}"].neutral for name in _PENALTIES):
        _switch_off(values, parameters, "repeat_last_n")


def _drop_idle_companions(values: Values, parameters: Parameters) -> None:
    """Reset what only tunes something that is off."""
    if _number(values, "sampling.xtc_threshold") > _XTC_NEVER_ABOVE:
        _switch_off(values, parameters, "xtc_probability")
    if values["sampling.xtc_probability"] == 0:
        _switch_off(values, parameters, "xtc_threshold")
    if values["sampling.dynatemp_range"] == 0:
        _switch_off(values, parameters, "dynatemp_exponent")
    if values["sampling.dry_multiplier"] == 0:
        _switch_off(values, parameters, "dry_base", "dry_allowed_length")
    if _number(values, "sampling.top_n_sigma") <= 0:
        _switch_off(values, parameters, "top_n_sigma")


def _settle_greedy(values: Values, parameters: Parameters) -> None:
    """The likeliest token always wins: nothing that only removes less likely ones has an effect.

    Not so with typical_p and xtc, which can remove the likeliest.
    """
    if values["sampling.typical_p"] != 1 or values["sampling.xtc_probability"] != 0:
        return
    one_left = (
        values["sampling.top_k"] == 1
        or values["sampling.top_p"] == 0
        or _number(values, "sampling.min_p") >= 1
    )
    if one_left:
        values["sampling.temperature"] = 0.0
        _switch_off(values, parameters, "dynatemp_range", "dynatemp_exponent")
    if values["sampling.temperature"] == 0 and values["sampling.dynatemp_range"] == 0:
        _switch_off(values, parameters, "top_k", "top_p", "min_p", "top_n_sigma", "seed")


def _switch_off(values: Values, parameters: Parameters, *names: str) -> None:
    for name in names:
        neutral = parameters[f"sampling.{name}"].neutral
        if neutral is not None:
            values[f"sampling.{name}"] = neutral


def _reset(values: Values, parameters: Parameters, *full_names: str) -> None:
    for full_name in full_names:
        default = parameters[full_name].default
        if default is not None:
            values[full_name] = default
        else:
            values.pop(full_name, None)
