"""Configurations of models: a small Llama, and what of published ones decides their caches."""

import json
from pathlib import Path
from typing import Any

from llmopt_runner.models.model_configs import ModelConfig, parsed_config

LLAMA: dict[str, Any] = {
    "num_hidden_layers": 4,
    "hidden_size": 64,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 100,
    "max_position_embeddings": 512,
}
# The facts as their publishers' config.json have them, without what does not matter here.
PUBLISHED: dict[str, dict[str, Any]] = {
    "gemma-4-31b-it": {
        "text_config": {
            "model_type": "gemma4_text",
            "hidden_size": 5376,
            "num_hidden_layers": 60,
            "num_attention_heads": 32,
            "num_key_value_heads": 16,
            "head_dim": 256,
            "num_global_key_value_heads": 4,
            "global_head_dim": 512,
            "attention_k_eq_v": True,
            "num_kv_shared_layers": 0,
            "sliding_window": 1024,
            "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 10,
        }
    },
    "glm-5.2-nvfp4": {
        "model_type": "glm_moe_dsa",
        "hidden_size": 6144,
        "num_hidden_layers": 78,
        "num_attention_heads": 64,
        "num_key_value_heads": 64,
        "kv_lora_rank": 512,
        "qk_rope_head_dim": 64,
        "layer_types": ["deepseek_sparse_attention"] * 78,
    },
    "deepseek-v3": {
        "model_type": "deepseek_v3",
        "hidden_size": 7168,
        "num_hidden_layers": 61,
        "num_attention_heads": 128,
        "num_key_value_heads": 128,
        "kv_lora_rank": 512,
        "qk_rope_head_dim": 64,
    },
    "gpt-oss-120b": {
        "model_type": "gpt_oss",
        "hidden_size": 2880,
        "num_hidden_layers": 36,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
        "head_dim": 64,
        "sliding_window": 128,
        "layer_types": ["sliding_attention", "full_attention"] * 18,
    },
    "nemotron-3-nano-30b-a3b-nvfp4": {
        "model_type": "nemotron_h",
        "hidden_size": 2688,
        "num_hidden_layers": 52,
        "num_attention_heads": 32,
        "num_key_value_heads": 2,
        "head_dim": 128,
        "sliding_window": None,
        "mamba_num_heads": 64,
        "mamba_head_dim": 64,
        "hybrid_override_pattern": "MEMEM*" + "EMEMEM*" * 4 + "EMEMEMEM*" + "EMEMEMEME",
    },
    "nemotron-3-ultra-550b": {
        "model_type": "nemotron_h",
        "hidden_size": 8192,
        "num_attention_heads": 64,
        "num_key_value_heads": 2,
        "head_dim": 128,
        "sliding_window": None,
        "mamba_num_heads": 64,
        "mamba_head_dim": 64,
        "layers_block_type": ["mamba", "moe"] * 48 + ["attention"] * 12,
    },
    "qwen3-next-80b-a3b-fp8": {
        "model_type": "qwen3_next",
        "hidden_size": 2048,
        "num_hidden_layers": 48,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "head_dim": 256,
        "full_attention_interval": 4,
        "use_sliding_window": False,
        "linear_num_value_heads": 32,
    },
    "qwen3.5-35b-a3b": {
        "text_config": {
            "hidden_size": 2048,
            "num_hidden_layers": 40,
            "num_attention_heads": 16,
            "num_key_value_heads": 2,
            "head_dim": 256,
            "layer_types": (["linear_attention"] * 3 + ["full_attention"]) * 10,
        }
    },
}


def config(document: dict[str, Any]) -> ModelConfig:
    """Return `document` as it is read from a file."""
    return parsed_config(json.dumps(document).encode(), Path("config.json"))


def published(name: str) -> ModelConfig:
    """Return the configuration of a published model."""
    return config(PUBLISHED[name])
