"""Run by a Python that has transformers: builds small models, and measures what they cache of a sequence.

Arguments: a folder, and names of model types. Each gets a folder of its own with what `save_pretrained`
writes, and with `measured.json`: the bytes of its parameters and of its buffers, and for each layer how many
numbers it keeps of a token, whether it keeps those of a window only, and the shapes of what does not grow.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM

WINDOW = 10
LENGTHS = (4, 8, 24, 40)  # two within the window, two beyond it
# Sizes of which no two that matter are equal, by the names that configurations have for them.
SIZES: dict[str, int] = {
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "lru_width", "conv_dim", "block_dim"), 64),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), 8),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), 8),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads"), 2),
    **dict.fromkeys(("intermediate_size", "ffn_hidden_size", "n_inner", "block_ff_dim"), 48),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size"), 40),
    **dict.fromkeys(("vocab_size", "vocab_size_per_layer_input", "n_positions"), 128),
    **dict.fromkeys(("max_position_embeddings", "expert_ffn_hidden_size"), 128),
    **dict.fromkeys(("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "moe_topk", "moe_k"), 2),
    **dict.fromkeys(("n_group", "topk_group", "n_shared_experts"), 1),
    **dict.fromkeys(("sliding_window", "sliding_window_size", "attention_chunk_size", "window_size"), WINDOW),
    **dict.fromkeys(("mamba_d_state", "ssm_state_size", "state_size"), 6),
    **dict.fromkeys(("mamba_n_heads", "mamba_num_heads", "n_mamba_heads"), 8),
    **dict.fromkeys(("mamba_d_head", "mamba_head_dim", "mamba_headdim", "hidden_size_per_layer_input"), 16),
    **dict.fromkeys(("mamba_n_groups", "n_groups", "mamba_ngroups", "mamba_expand", "expand"), 2),
    "head_dim": 16, "rotary_dim": 8, "mamba_d_ssm": 128, "mamba_dt_rank": 4, "time_step_rank": 4,
    "mamba_chunk_size": 8,
    "linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 10,
    "linear_value_head_dim": 14, "q_lora_rank": 20, "kv_lora_rank": 24, "qk_rope_head_dim": 4,
    "qk_nope_head_dim": 6, "v_head_dim": 14, "num_kv_shared_layers": 2, "index_n_heads": 2,
    "index_head_dim": 8, "index_topk": 16, "swa_num_key_value_heads": 4, "swa_head_dim": 8,
}  # fmt: skip
HYBRID = ["mamba", "mamba", "attention", "mamba"] * 2
# What some need besides, or in place of the sizes.
OWN: dict[str, dict[str, Any]] = {
    "bamba": {"attn_layer_indices": [2, 5]},
    "deepseek_v2": {"first_k_dense_replace": 1, "num_experts_per_tok": 2},
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2},
    "falcon_mamba": {"intermediate_size": 96, "expand": 16},
    "gpt_neo": {"attention_types": [[["global", "local"], 4]]},
    "granitemoehybrid": {"layer_types": HYBRID},
    "lfm2_moe": {"layer_types": ["conv", "conv", "full_attention", "conv"] * 2},
    "longcat_flash": {"head_dim": 4},
    "mamba": {"intermediate_size": 96},
    "zamba2": {"layers_block_type": ["mamba", "mamba", "hybrid", "mamba"] * 2, "num_key_value_heads": 4},
}


def config_of(name: str) -> Any:
    kind = type(CONFIG_MAPPING[name]())
    keys = kind().to_dict()
    changed = {key: size for key, size in SIZES.items() if type(keys.get(key)) is int}
    changed |= {key: SIZES[key] for key in ("head_dim", "num_key_value_heads") if keys.get(key, 0) is None}
    if keys.get("kv_lora_rank"):
        changed.pop("head_dim", None)
        changed["num_key_value_heads"] = SIZES["num_attention_heads"]
    config = kind(**{**changed, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, **OWN.get(name, {})})
    config._attn_implementation = "eager"
    return config


def kept(model: Any, tokens: int) -> Iterator[tuple[int, str, torch.Tensor]]:
    """Yield the layer, the name and the numbers of everything that a sequence of `tokens` leaves behind."""
    with torch.no_grad():
        answer = model(input_ids=torch.arange(5, 5 + tokens)[None], use_cache=True)
    cache = answer.get("past_key_values") or answer.get("cache_params")
    for index, layer in enumerate(cache.layers):
        for name, value in vars(layer).items():
            parts = value.items() if isinstance(value, dict) else [("", value)]
            for number, each in parts:
                if isinstance(each, torch.Tensor) and each.is_floating_point():
                    yield index, f"{name}{number}", each


def measured(model: Any) -> list[dict[str, Any]]:
    sizes: dict[int, dict[str, list[list[int]]]] = defaultdict(lambda: defaultdict(list))
    for tokens in LENGTHS:
        for index, name, each in kept(model, tokens):
            sizes[index][name].append(list(each.shape))
    return [layer(sizes[index]) for index in sorted(sizes)]


def layer(shapes: dict[str, list[list[int]]]) -> dict[str, Any]:
    counts = {name: [prod(shape) for shape in each] for name, each in shapes.items()}
    grown = [counts[name] for name in ("keys", "values") if name in counts]
    return {
        "token": sum(each[1] - each[0] for each in grown) // (LENGTHS[1] - LENGTHS[0]),
        "windowed": any(each[2] == each[3] for each in grown if each[3]),
        "state": {
            name: each[-1] for name, each in shapes.items() if len(set(counts[name])) == 1 and counts[name][0]
        },
    }


def main(folder: Path, names: list[str]) -> None:
    torch.manual_seed(0)
    for name in names:
        model = AutoModelForCausalLM.from_config(config_of(name)).to(torch.bfloat16).eval()
        model.save_pretrained(folder / name)
        found = {
            "parameters": sum(each.numel() * each.element_size() for each in model.parameters()),
            "buffers": sum(each.numel() * each.element_size() for each in model.buffers()),
            "layers": measured(model),
        }
        (folder / name / "measured.json").write_text(json.dumps(found), encoding="utf-8")


main(Path(sys.argv[1]), sys.argv[2:])
