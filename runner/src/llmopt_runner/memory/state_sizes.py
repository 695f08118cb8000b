"""How large the state of a layer is that keeps no tokens: state-space, linear attention, short convolution.

Source: vLLM 0.32 (`model_executor/layers/mamba/mamba_utils.py`). What a configuration leaves out is what its
class in transformers 5.19 has.
"""

from collections.abc import Callable

from llmopt_runner.models.model_configs import ModelConfig, whole
from llmopt_runner.models.tensor_types import named_type

_ACTIVATION_BYTES = 2
_EXACT_BYTES = 4
_HEADS = ("mamba_num_heads", "mamba_n_heads", "n_mamba_heads")
_HEAD_SIZE = ("mamba_head_dim", "mamba_d_head", "mamba_headdim")
_STATE_SIZE = ("ssm_state_size", "mamba_d_state", "state_size")
_GROUPS = ("n_groups", "mamba_n_groups", "mamba_ngroups")
_KERNEL = ("conv_kernel", "mamba_d_conv")
_USUAL_STATE, _USUAL_KERNEL, _USUAL_GROUPS, _USUAL_EXPANSION = 128, 4, 1, 2
_NEMOTRON_GROUPS = 8

_CONVOLVING_WHAT_IS_CACHED = "inkling"


def state_bytes(config: ModelConfig, cached_elements: int = 0) -> int:
    """Return the size of one layer's state for one sequence; 0: the configuration does not say it.

    `cached_elements`: how many numbers the layer caches of a token besides.
    """
    if config.model_type.startswith(_CONVOLVING_WHAT_IS_CACHED):
        return _convolutions(config, cached_elements)
    return next((size(config) for is_named, size in _KINDS if is_named(config)), 0)


def _convolutions(config: ModelConfig, cached_elements: int) -> int:
    """Keys, values and what attention and the feed-forward part give are convolved (Inkling)."""
    kernel = config.first("conv_kernel_size")
    return max(0, kernel - 1) * (cached_elements + 2 * config.number("hidden")) * _ACTIVATION_BYTES


def _has(*keys: str) -> Callable[[ModelConfig], bool]:
    return lambda config: any(config.value(key) for key in keys)


def _delta_attention(config: ModelConfig) -> int:
    """Kimi's delta attention: queries, keys and values are convolved, the state is exact."""
    attention = config.part("linear_attn_config")
    heads = whole(attention.get("num_heads")) or config.first("linear_num_heads") or config.number("heads")
    size = whole(attention.get("head_dim")) or config.first("linear_head_dim") or config.number("head_dim")
    kernel = whole(attention.get("short_conv_kernel_size")) or config.first(
        "linear_conv_kernel_dim", "short_conv_kernel_size"
    )
    return _delta_bytes(heads, size, kernel or _USUAL_KERNEL)


def _delta_bytes(heads: int, size: int, kernel: int) -> int:
    return 3 * heads * size * (kernel - 1) * _ACTIVATION_BYTES + heads * size * size * _EXACT_BYTES


def _gated_delta(config: ModelConfig) -> int:
    """Gated DeltaNet of Qwen3-Next and its successors."""
    key_heads = config.first("linear_num_key_heads") or 16
    value_heads = config.first("linear_num_value_heads") or 32
    key_size = config.first("linear_key_head_dim") or 128
    value_size = config.first("linear_value_head_dim") or 128
    kernel = config.first("linear_conv_kernel_dim") or _USUAL_KERNEL
    convolved = 2 * key_heads * key_size + value_heads * value_size
    state = value_heads * value_size * key_size
    return convolved * (kernel - 1) * _ACTIVATION_BYTES + round(state * _element_bytes(config))


def _short_convolution(config: ModelConfig) -> int:
    kernel = config.first("conv_L_cache")
    return max(0, kernel - 1) * _hidden(config, "conv_dim") * _ACTIVATION_BYTES


def _lightning(config: ModelConfig) -> int:
    heads = config.number("heads")
    size = config.number("head_dim") or (config.number("hidden") // heads if heads else 0)
    return round(heads * size * size * _element_bytes(config))


def _recurrent_unit(config: ModelConfig) -> int:
    width = _hidden(config, "lru_width")
    kernel = config.first("conv1d_width") or _USUAL_KERNEL
    return width * ((kernel - 1) * _ACTIVATION_BYTES + _EXACT_BYTES)


def _state_space(config: ModelConfig) -> int:
    """Mamba of both generations; the second has heads, and groups that share what is convolved."""
    heads, size = config.first(*_HEADS), config.first(*_HEAD_SIZE)
    if not heads and config.first("state_size") and config.first("num_heads"):  # Mamba-2 without attention
        heads, size = config.first("num_heads"), config.first("head_dim")
    kernel = config.first(*_KERNEL) or _USUAL_KERNEL
    inner = _inner_size(config, heads * size)
    if not inner:
        return 0
    if not heads:
        state = config.first(*_STATE_SIZE) or 16
        return round(inner * ((kernel - 1) * _ACTIVATION_BYTES + state * _element_bytes(config)))
    state = config.first(*_STATE_SIZE) or _USUAL_STATE
    groups = config.first(*_GROUPS) or (
        _NEMOTRON_GROUPS if "mamba_num_heads" in config.values else _USUAL_GROUPS
    )
    # The first Zamba has the heads of the second generation, and convolves as the first one does.
    convolved = inner if config.model_type == "zamba" else inner + 2 * groups * state
    return convolved * (kernel - 1) * _ACTIVATION_BYTES + round(inner * state * _element_bytes(config))


def _inner_size(config: ModelConfig, by_heads: int) -> int:
    if by_heads:
        return by_heads
    if inner := config.first("mamba_d_ssm"):
        return inner
    if not config.first(*_STATE_SIZE, *_HEADS):
        return 0
    if not config.number("heads") and (inner := config.first("intermediate_size")):
        return inner  # Falcon-Mamba says another expansion, and has this size
    expansion = config.first("mamba_expand", "expand") or _USUAL_EXPANSION
    return expansion * config.number("hidden")


def _hidden(config: ModelConfig, key: str) -> int:
    return config.first(key) or config.number("hidden")


def _element_bytes(config: ModelConfig) -> float:
    """Return the size of a number of the state: as configured, else 32 bits for Nemotron-H, 16 for others."""
    name = config.values.get("mamba_ssm_cache_dtype") or config.values.get("mamba_ssm_dtype")
    known = named_type(str(name)[:40]) if name else None
    if known is not None and known.is_plain_float:
        return known.bytes_per_element
    return _EXACT_BYTES if config.model_type.startswith("nemotron_h") else _ACTIVATION_BYTES


# The first kind that a configuration speaks of.
_KINDS: tuple[tuple[Callable[[ModelConfig], bool], Callable[[ModelConfig], int]], ...] = (
    (_has("linear_attn_config", "linear_num_heads", "short_conv_kernel_size"), _delta_attention),
    (_has("linear_num_value_heads", "linear_value_head_dim"), _gated_delta),
    (_has("conv_L_cache"), _short_convolution),
    (_has("lru_width", "block_types", "_block_types"), _recurrent_unit),
    (
        _has("linear_attn_alpha_factor", "full_attn_alpha_factor", "layer_group_size", "attn_type_list"),
        _lightning,
    ),
    (lambda config: config.model_type == "minimax", _lightning),
    (lambda _config: True, _state_space),
)
