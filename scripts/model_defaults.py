"""Run by a Python that has transformers: prints the sizes that its configuration classes have by themselves.

A config.json leaves out what is its class's default, above all in the parts of models with several kinds of
input. What a class derives from other sizes, such as a head's size from the hidden size, is left out here.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

# By what a quantity is called here: the names that classes have for it.
_SIZES = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads"),
    "head_dim": ("head_dim",),
    "context": ("max_position_embeddings", "n_positions", "max_seq_len"),
    "window": ("sliding_window",),
}
_OTHERS = (
    "multi_query", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim",
    "linear_num_key_heads", "linear_num_value_heads", "linear_key_head_dim", "linear_value_head_dim",
    "linear_conv_kernel_dim", "num_experts", "moe_num_experts", "n_routed_experts", "num_local_experts",
)  # fmt: skip


def _classes() -> Iterator[type[Any]]:
    seen = set()
    for name in sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES):
        try:
            kind = type(CONFIG_MAPPING[name]().get_text_config())
        except Exception:  # noqa: BLE001,S112 - a class that has no defaults raises whatever it likes
            continue
        if kind not in seen:
            seen.add(kind)
            yield kind


def _defaults(kind: type[Any]) -> dict[str, int | bool]:
    told = kind().to_dict()
    changed = {}
    for size, factor in (("heads", 2), ("hidden", 8)):  # what follows from one or both changes with them
        name = next((each for each in _SIZES[size] if type(told.get(each)) is int), None)
        changed |= {} if name is None else {name: told[name] * factor}
    try:
        other = kind(**changed).to_dict()
    except Exception:  # noqa: BLE001 - the sizes of some classes are checked together
        other = told
    own = {name: value for name, value in told.items() if name in changed or other.get(name) == value}
    sizes = ((size, own[name]) for size, names in _SIZES.items() for name in names if name in own)
    plain = {name: own[name] for name in _OTHERS if name in own}
    return {name: value for name, value in (*sizes, *plain.items()) if type(value) in {int, bool}}


def _table() -> dict[str, dict[str, int | bool]]:
    return {
        kind.model_type: found
        for kind in _classes()
        if not kind().to_dict().get("is_encoder_decoder") and (found := _defaults(kind))
    }


json.dump(_table(), sys.stdout, indent=1, sort_keys=True)
sys.stdout.write("\n")
