"""Families of models by what their publishers' config.json have, reduced to what decides the cache.

The expected values follow from the models' own code: heads and sizes of each layer that attends, windows,
and the sizes of states. Sources: transformers 5.23 and vLLM 0.32, by the names of the families.
"""

import pytest
from fakes.model_configs import config

from llmopt_runner.memory.config_layers import cached_layers
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import CachedLayers, LayerKind
from llmopt_runner.memory.shapes import config_shape

FULL, WINDOWED, CHUNKED = LayerKind.FULL, LayerKind.WINDOWED, LayerKind.CHUNKED
LATENT, STATE = LayerKind.LATENT, LayerKind.STATE


def keeping(kind, count, heads, size, window=0):
    return CachedLayers(kind, count, heads, heads * size, heads * size, window)


def state(count, size):
    return CachedLayers(STATE, count, state_bytes=size)


FAMILIES = {
    # What the text part of a model of images does not say is its class's.
    "gemma-3-4b": (
        {
            "model_type": "gemma3",
            "text_config": {
                "model_type": "gemma3_text", "hidden_size": 2560, "num_hidden_layers": 34,
                "sliding_window": 1024,
            },
        },
        {keeping(WINDOWED, 29, 4, 256, 1024), keeping(FULL, 5, 4, 256)},
    ),
    "gemma-3-12b": (
        {
            "text_config": {
                "model_type": "gemma3_text", "hidden_size": 3840, "num_hidden_layers": 48,
                "num_attention_heads": 16, "num_key_value_heads": 8, "sliding_window": 1024,
            }
        },
        {keeping(WINDOWED, 40, 8, 256, 1024), keeping(FULL, 8, 8, 256)},
    ),
    "gemma-3n-E4B": (
        {
            "text_config": {
                "model_type": "gemma3n_text", "hidden_size": 2048, "num_hidden_layers": 35,
                "num_kv_shared_layers": 15, "num_attention_heads": 8, "num_key_value_heads": 2,
                "head_dim": 256, "sliding_window": 512,
                "layer_types": (["sliding_attention"] * 4 + ["full_attention"]) * 7,
            }
        },
        {keeping(WINDOWED, 16, 2, 256, 512), keeping(FULL, 4, 2, 256)},
    ),
    "mistral-7b-v0.1": (
        {
            "model_type": "mistral", "hidden_size": 4096, "num_attention_heads": 32,
            "num_key_value_heads": 8, "num_hidden_layers": 32, "sliding_window": 4096,
        },
        {keeping(WINDOWED, 32, 8, 128, 4096)},
    ),
    "mistral-7b-v0.3": (
        {
            "model_type": "mistral", "hidden_size": 4096, "num_attention_heads": 32,
            "num_key_value_heads": 8, "num_hidden_layers": 32, "sliding_window": None,
        },
        {keeping(FULL, 32, 8, 128)},
    ),
    "pixtral-12b": (
        {
            "text_config": {
                "model_type": "mistral", "hidden_size": 5120, "head_dim": 128, "num_hidden_layers": 40,
                "num_key_value_heads": 8, "sliding_window": None,
            }
        },
        {keeping(FULL, 40, 8, 128)},
    ),
    "llama-4-scout": (
        {
            "text_config": {
                "model_type": "llama4_text", "attention_chunk_size": 8192, "head_dim": 128,
                "hidden_size": 5120, "num_attention_heads": 40, "num_hidden_layers": 48,
                "num_key_value_heads": 8, "no_rope_layers": [],
            }
        },
        {keeping(CHUNKED, 36, 8, 128, 8192), keeping(FULL, 12, 8, 128)},
    ),
    "deepseek-v2-lite": (
        {
            "model_type": "deepseek_v2", "hidden_size": 2048, "num_attention_heads": 16,
            "num_hidden_layers": 27, "kv_lora_rank": 512, "qk_rope_head_dim": 64, "v_head_dim": 128,
        },
        {CachedLayers(LATENT, 27, 1, 576)},
    ),
    "mamba-codestral-7b": (
        {
            "model_type": "mamba2", "hidden_size": 4096, "num_hidden_layers": 64, "state_size": 128,
            "num_heads": 128, "head_dim": 64, "n_groups": 8, "conv_kernel": 4, "expand": 2,
        },
        {state(64, (8192 + 2 * 8 * 128) * 3 * 2 + 8192 * 128 * 2)},
    ),
    "jamba-mini": (
        {
            "model_type": "jamba", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
            "num_key_value_heads": 8, "attn_layer_offset": 4, "attn_layer_period": 8, "mamba_d_conv": 4,
            "mamba_d_state": 16, "mamba_expand": 2,
        },
        {keeping(FULL, 4, 8, 128), state(28, 8192 * (3 * 2 + 16 * 2))},
    ),
    "falcon-h1-7b": (
        {
            "model_type": "falcon_h1", "hidden_size": 3072, "num_hidden_layers": 44,
            "num_attention_heads": 12, "num_key_value_heads": 2, "head_dim": 128, "mamba_d_ssm": 3072,
            "mamba_d_state": 256, "mamba_d_conv": 4, "mamba_n_heads": 24, "mamba_d_head": 128,
            "mamba_n_groups": 1,
        },
        {keeping(FULL, 44, 2, 128), state(44, (3072 + 2 * 256) * 3 * 2 + 3072 * 256 * 2)},
    ),
    "granite-4-h-small": (
        {
            "model_type": "granitemoehybrid", "hidden_size": 4096, "num_hidden_layers": 40,
            "num_attention_heads": 32, "num_key_value_heads": 8,
            "layer_types": (["mamba"] * 9 + ["attention"]) * 4, "mamba_n_heads": 128, "mamba_d_head": 64,
            "mamba_d_state": 128, "mamba_n_groups": 1, "mamba_d_conv": 4,
        },
        {keeping(FULL, 4, 8, 128), state(36, (8192 + 2 * 128) * 3 * 2 + 8192 * 128 * 2)},
    ),
    "minimax-text-01": (
        {
            "model_type": "minimax_text_01", "hidden_size": 6144, "num_hidden_layers": 80,
            "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 128,
            "attn_type_list": ([0] * 7 + [1]) * 10,
        },
        {keeping(FULL, 10, 8, 128), state(70, 64 * 128 * 128 * 2)},
    ),
    "kimi-linear-48b": (
        {
            "model_type": "kimi_linear", "hidden_size": 2304, "num_hidden_layers": 27,
            "num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 72, "kv_lora_rank": 512,
            "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "model_max_length": 1048576,
            "linear_attn_config": {
                "full_attn_layers": [4, 8, 12, 16, 20, 24, 27], "head_dim": 128, "num_heads": 32,
                "kda_layers": [1, 2, 3, 5, 6, 7], "short_conv_kernel_size": 4,
            },
        },
        {CachedLayers(LATENT, 7, 1, 576), state(20, 3 * 4096 * 3 * 2 + 32 * 128 * 128 * 4)},
    ),
    "qwen3.5, what its class has": (
        {"text_config": {"model_type": "qwen3_5_moe_text", "num_hidden_layers": 40}},
        {keeping(FULL, 10, 2, 256), state(30, (2 * 2048 + 4096) * 3 * 2 + 32 * 128 * 128 * 2)},
    ),
    "recurrentgemma-2b": (
        {
            "model_type": "recurrent_gemma", "hidden_size": 2560, "num_hidden_layers": 26,
            "num_attention_heads": 10, "num_key_value_heads": 1, "head_dim": 256, "lru_width": 2560,
            "attention_window_size": 2048, "conv1d_width": 4,
            "_block_types": ["recurrent", "recurrent", "attention"],
        },
        {keeping(WINDOWED, 8, 1, 256, 2048), state(18, 2560 * (3 * 2 + 4))},
    ),
    "chatglm with a head for each query": (
        {
            "model_type": "chatglm", "hidden_size": 4096, "num_layers": 28, "num_attention_heads": 32,
            "kv_channels": 128, "multi_query_attention": False, "multi_query_group_num": 2,
        },
        {keeping(FULL, 28, 32, 128)},
    ),
    "phi-3-mini": (
        {
            "model_type": "phi3", "hidden_size": 3072, "num_hidden_layers": 32, "num_attention_heads": 32,
            "num_key_value_heads": 32, "sliding_window": 2047,
        },
        {keeping(WINDOWED, 32, 32, 96, 2047)},
    ),
    "llama-3_1-nemotron-51b": (
        {
            "model_type": "nemotron-nas", "hidden_size": 8192, "num_hidden_layers": 3,
            "num_attention_heads": 64, "num_key_value_heads": None,
            "block_configs": [
                {"attention": {"n_heads_in_group": 8}}, {"attention": {"no_op": True}},
                {"attention": {"replace_with_linear": True}},
            ],
        },
        {keeping(FULL, 1, 8, 128)},
    ),
    "decilm-7b": (
        {
            "model_type": "deci", "hidden_size": 4096, "num_hidden_layers": 3, "num_attention_heads": 32,
            "num_key_value_heads_per_layer": [4, 2, 1],
        },
        {keeping(FULL, 1, 4, 128), keeping(FULL, 1, 2, 128), keeping(FULL, 1, 1, 128)},
    ),
    "openelm": (
        {
            "model_type": "openelm", "model_dim": 1280, "num_transformer_layers": 2, "head_dim": 64,
            "num_kv_heads": [3, 5], "num_query_heads": [12, 20],
        },
        {keeping(FULL, 1, 3, 64), keeping(FULL, 1, 5, 64)},
    ),
    "gemma-4 as transformers 5.23 writes it": (
        {
            "model_type": "gemma4_text", "hidden_size": 64, "num_hidden_layers": 6, "num_attention_heads": 8,
            "num_key_value_heads": 4, "head_dim": 16, "sliding_window": 10, "attention_k_eq_v": True,
            "layer_types": ["sliding_attention"] * 5 + ["full_attention"],
            "per_layer_config": {"5": {"head_dim": 32, "num_key_value_heads": 2}},
        },
        {keeping(WINDOWED, 5, 4, 16, 10), keeping(FULL, 1, 2, 32)},
    ),
    # The global heads' size is the class's own.
    "gemma-4 without its global heads": (
        {"model_type": "gemma4_text", "num_hidden_layers": 7, "num_key_value_heads": 4, "head_dim": 256},
        {keeping(WINDOWED, 5, 4, 256, 512), keeping(FULL, 2, 4, 512)},
    ),
    "windows of single layers": (
        {
            "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 8,
            "per_layer_config": {"1": {"sliding_window": 10}, "3": {"sliding_window": 20}},
        },
        {keeping(FULL, 2, 8, 8), keeping(WINDOWED, 1, 8, 8, 10), keeping(WINDOWED, 1, 8, 8, 20)},
    ),
    # Its expansion of 16 is not the one it has.
    "falcon-mamba-7b": (
        {
            "model_type": "falcon_mamba", "hidden_size": 4096, "intermediate_size": 8192, "expand": 16,
            "num_hidden_layers": 64, "state_size": 16, "conv_kernel": 4,
        },
        {state(64, 8192 * (3 * 2 + 16 * 2))},
    ),
    "zamba-7b": (
        {
            "model_type": "zamba", "hidden_size": 3712, "num_hidden_layers": 4, "num_attention_heads": 16,
            "num_key_value_heads": 16, "attention_head_dim": 464, "attn_layer_period": 6,
            "attn_layer_offset": 4, "layers_block_type": ["mamba", "mamba", "hybrid", "mamba"],
            "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2, "n_mamba_heads": 2,
        },
        {keeping(FULL, 1, 16, 464), state(4, 7424 * (3 * 2 + 16 * 2))},
    ),
    "mimo-v2-flash as transformers 5.23 writes it": (
        {
            "model_type": "mimo_v2_flash", "hidden_size": 4096, "num_hidden_layers": 2, "head_dim": 192,
            "v_head_dim": 128, "num_attention_heads": 64, "num_key_value_heads": 4, "sliding_window": 128,
            "layer_types": ["full_attention", "sliding_attention"],
        },
        {
            CachedLayers(FULL, 1, 4, 4 * 192, 4 * 128),
            CachedLayers(WINDOWED, 1, 8, 8 * 192, 8 * 128, 128),
        },
    ),
    "layers that take what another one keeps": (
        {
            "model_type": "mistral_large4_text", "num_hidden_layers": 6, "kv_lora_rank": 512,
            "qk_rope_head_dim": 64, "kv_source_layers": [0, 0, 2, 3, 2, 3],
            "no_rope_layers": [1, 1, 1, 0, 1, 1], "layer_types": ["indexed_attention"] * 6,
        },
        {CachedLayers(LATENT, 2, 1, 576), CachedLayers(LATENT, 1, 1, 512)},
    ),
    "inkling": (
        {
            "model_type": "inkling_text", "hidden_size": 64, "num_hidden_layers": 6, "conv_kernel_size": 4,
            "num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 16, "sliding_window_size": 10,
            "swa_num_key_value_heads": 4, "swa_head_dim": 8,
        },
        {
            keeping(WINDOWED, 5, 4, 8, 10), keeping(FULL, 1, 2, 16),
            state(6, 3 * (2 * 32 + 2 * 64) * 2),
        },
    ),
    "hrm-text": (
        {"model_type": "hrm_text", "num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 8,
         "num_key_value_heads": 2, "head_dim": 16, "H_cycles": 2, "L_cycles": 3},
        {keeping(FULL, 32, 2, 16)},
    ),
    # What its class makes of it: the window is not used.
    "laguna": (
        {"model_type": "laguna", "num_hidden_layers": 4, "sliding_window": 512},
        {keeping(FULL, 4, 8, 128)},
    ),
    "muse-glimmer": (
        {"model_type": "muse_glimmer_text", "num_hidden_layers": 6},
        {keeping(WINDOWED, 4, 2, 128, 2048), keeping(FULL, 2, 2, 128)},
    ),
    "modernbert-decoder": (
        {
            "model_type": "modernbert-decoder", "hidden_size": 768, "num_hidden_layers": 22,
            "num_attention_heads": 12, "sliding_window": 64, "global_attn_every_n_layers": 3,
        },
        {keeping(FULL, 8, 12, 64), keeping(WINDOWED, 14, 12, 64, 64)},
    ),
    "ling-3": (
        {
            "model_type": "bailing_hybrid", "hidden_size": 2560, "num_hidden_layers": 6, "head_dim": 128,
            "num_attention_heads": 32, "num_key_value_heads": 32, "kv_lora_rank": 512,
            "qk_rope_head_dim": 64, "layer_group_size": 6, "short_conv_kernel_size": 4,
        },
        {CachedLayers(LATENT, 1, 1, 576), state(5, 3 * 4096 * 3 * 2 + 32 * 128 * 128 * 4)},
    ),
    "bloom by its first names": (
        {"model_type": "bloom", "n_embed": 64, "n_layer": 2, "num_attention_heads": 8},
        {keeping(FULL, 2, 8, 8)},
    ),
    "zamba2 by its first names": (
        {
            "model_type": "zamba2", "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 8,
            "attention_head_dim": 16, "kv_channels": 8, "hybrid_layer_ids": [2], "n_mamba_heads": 8,
            "mamba_headdim": 16, "mamba_ngroups": 1, "mamba_d_state": 8, "mamba_d_conv": 4,
        },
        {keeping(FULL, 1, 8, 16), state(4, (128 + 2 * 8) * 3 * 2 + 128 * 8 * 2)},
    ),
    "falcon-7b": (
        {"model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71},
        {keeping(FULL, 32, 1, 64)},
    ),
    "falcon-40b": (
        {
            "model_type": "falcon", "hidden_size": 8192, "num_hidden_layers": 60, "num_attention_heads": 128,
            "num_kv_heads": 8, "new_decoder_architecture": True,
        },
        {keeping(FULL, 60, 8, 64)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAMILIES)
def test_what_the_layers_of_a_family_keep(name):
    """Every layer that keeps something is counted once, with its heads, its window and its state."""
    keys, expected = FAMILIES[name]
    assert set(cached_layers(config(keys))) == expected
    assert not any("states" in note for note in config_shape(config(keys), ()).notes)


def test_the_context_has_several_names():
    """Kimi calls it by its tokenizer's name; a class's own counts where nothing is written."""
    keys, _ = FAMILIES["kimi-linear-48b"]
    assert config_shape(config(keys), ()).max_context == 1_048_576
    keys, _ = FAMILIES["gemma-3-4b"]
    assert config_shape(config(keys), ()).max_context == 131_072


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"model_type": "t5", "num_layers": 12, "num_heads": 12, "d_model": 768}, "encoder and a decoder"),
        ({"model_type": "whisper", "decoder_layers": 32, "d_model": 1280}, "encoder and a decoder"),
        ({"model_type": "bert", "num_hidden_layers": 12, "num_attention_heads": 12}, "it is an encoder"),
        ({"model_type": "rwkv7", "num_hidden_layers": 24, "num_heads": 32, "head_dim": 64}, "rwkv7"),
        ({"model_type": "xlstm", "num_hidden_layers": 32, "num_heads": 8}, "xlstm"),
        ({"model_type": "zamba2", "num_hidden_layers": 54, "num_attention_heads": 32}, "which of its layers"),
        ({"model_type": "apriel_ssm_hybrid", "num_hidden_layers": 3, "num_attention_heads": 8,
          "hidden_size": 64, "hybrid_block_layout": ["t", "m2", "m2"]}, "hybrid_block_layout"),
        ({"model_type": "bert-generation", "num_hidden_layers": 24}, "it is an encoder"),
        ({"model_type": "openai-gpt", "n_layer": 12, "n_head": 12, "n_embd": 768}, "openai-gpt"),
        ({"model_type": "lfm3", "num_hidden_layers": 24}, "of what kinds its layers are"),
        ({"model_type": "llama", "num_hidden_layers": 2, "per_layer_config": {"1": {"skip": ["attention"]}}},
         "kinds of their own"),
        ({"num_hidden_layers": 3, "kv_source_layers": [0, 0]}, "2 entries for 3 layers"),
        ({"model_type": "recurrent_gemma", "num_hidden_layers": 26}, "which of its layers attend"),
        (
            {"kv_lora_rank": 512, "num_hidden_layers": 2, "sliding_window": 8,
             "layer_types": ["sliding_attention", "full_attention"]},
            "windows beside latents",
        ),
    ],
)  # fmt: skip
def test_a_family_that_is_not_understood_gives_no_prediction(keys, said):
    """It says so, and no number stands for it."""
    with pytest.raises(LayoutUnknown, match=said):
        cached_layers(config(keys))
    assert said in config_shape(config(keys), ()).unknown
