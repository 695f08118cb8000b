"""Run by a Python that has transformers: prints the sizes that its configuration classes have by themselves.

A config.json leaves out what is its class's default, above all in the parts of models with several kinds of
input. What a class derives from other sizes, such as a head's size from the hidden size, is left out here.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)

# By what a quantity is called here: the names that classes have for it.
_SIZES = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads"),
    "head_dim": ("head_dim", "dim_head"),
    "context": ("max_position_embeddings", "n_positions", "max_seq_len"),
    "window": ("sliding_window",),
}
_OTHERS = (
    "multi_query", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim",
    "linear_num_key_heads", "linear_num_value_heads", "linear_key_head_dim", "linear_value_head_dim",
    "linear_conv_kernel_dim", "linear_num_heads", "linear_head_dim", "conv_kernel_size", "conv_L_cache",
    "mamba_d_state", "mamba_d_conv", "mamba_expand", "mamba_n_heads", "mamba_d_head", "mamba_n_groups",
    "n_mamba_heads", "mamba_headdim", "mamba_ngroups", "mamba_num_heads", "mamba_head_dim", "ssm_state_size",
    "n_groups", "state_size", "conv_kernel", "expand", "attn_layer_period", "attn_layer_offset",
    "attention_chunk_size", "index_topk", "index_head_dim", "num_experts", "moe_num_experts",
    "n_routed_experts", "num_local_experts",
)  # fmt: skip

_LAYER_COUNTS = range(25, 38)
_LONGEST_PERIOD = 12
_IRREGULAR = "irregular"
_OF_FULL_LAYERS = {"head_dim": "global_head_dim", "num_key_value_heads": "num_global_key_value_heads"}


def _classes() -> Iterator[tuple[str, type[Any]]]:
    """Yield each class of language parts by its own name, and by that of the whole whose part it is."""
    seen = set()
    for name in sorted({*MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, *MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES}):
        try:
            kind = type(CONFIG_MAPPING[name]().get_text_config())
        except Exception:  # noqa: BLE001,S112 - a class that has no defaults raises whatever it likes
            continue
        yield name, kind
        if kind not in seen:
            seen.add(kind)
            yield kind.model_type, kind


def _defaults(kind: type[Any]) -> dict[str, int | bool | str]:
    values = kind().to_dict()
    changed = {}
    for size, factor in (("heads", 2), ("hidden", 8)):  # what follows from one or both changes with them
        name = next((each for each in _SIZES[size] if type(values.get(each)) is int), None)
        changed |= {} if name is None else {name: values[name] * factor}
    try:
        other = kind(**changed).to_dict()
    except Exception:  # noqa: BLE001 - the sizes of some classes are checked together
        other = values
    own = {name: value for name, value in values.items() if name in changed or other.get(name) == value}
    sizes = ((size, own[name]) for size, names in _SIZES.items() for name in names if name in own)
    plain = {name: own[name] for name in _OTHERS if name in own}
    found = (*sizes, *plain.items(), *_of_full_layers(values).items())
    return {name: value for name, value in found if type(value) in {int, bool}} | _layer_types(kind)


def _of_full_layers(values: dict[str, Any]) -> dict[str, Any]:
    """Return what all layers without a window, and no others, have of their own."""
    own = {int(index): each for index, each in (values.get("per_layer_config") or {}).items()}
    types = enumerate(values.get("layer_types") or ())
    full = [index for index, name in types if name == "full_attention"]
    if not own or sorted(own) != full or any(each != own[full[0]] for each in own.values()):
        return {}
    return {_OF_FULL_LAYERS[name]: value for name, value in own[full[0]].items() if name in _OF_FULL_LAYERS}


def _layer_types(kind: type[Any]) -> dict[str, str]:
    """Return the types of layers that the class gives a model that does not say them, {}: it gives none.

    `layer_types` are repeated from the first layer on, or, as `layer_types_from_end`, from the last one back;
    `last_layer_type` is that of the last layer where it has its own.
    """
    derived = {count: types for count in _LAYER_COUNTS if (types := _types_of(kind, count))}
    if not derived:
        return {}
    for name, ordered in (
        ("layer_types", derived),
        ("layer_types_from_end", {count: types[::-1] for count, types in derived.items()}),
    ):
        if period := _period(ordered):
            return {name: ",".join(period)}
    last = {types[-1] for types in derived.values()}
    period = _period({count: types[:-1] for count, types in derived.items()})
    if period and len(last) == 1:
        return {"layer_types": ",".join(period), "last_layer_type": last.pop()}
    return {"layer_types": _IRREGULAR}


def _types_of(kind: type[Any], count: int) -> list[str]:
    try:
        found = kind(num_hidden_layers=count).to_dict().get("layer_types")
    except Exception:  # noqa: BLE001 - some classes take no other number of layers
        return []
    return found if isinstance(found, list) and len(found) == count else []


def _period(derived: dict[int, list[str]]) -> list[str]:
    """Return the shortest beginning that all lists repeat, [] where there is none."""
    longest = max(derived.values(), key=len)
    for length in range(1, _LONGEST_PERIOD + 1):
        period = longest[:length]
        if all(
            each == period[index % length] for types in derived.values() for index, each in enumerate(types)
        ):
            return period
    return []


def _table() -> dict[str, dict[str, int | bool | str]]:
    return {
        name: found
        for name, kind in _classes()
        if not kind().to_dict().get("is_encoder_decoder") and (found := _defaults(kind))
    }


json.dump(_table(), sys.stdout, indent=1, sort_keys=True)
sys.stdout.write("\n")
