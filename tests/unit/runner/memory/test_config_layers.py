"""What a sequence takes of the KV cache, by kinds of layers, from the keys of config.json."""

import pytest
from fakes.model_configs import LLAMA, PUBLISHED, config, published

from llmopt_runner.memory.config_layers import cached_layers
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import LayerKind, request_bytes
from llmopt_runner.memory.paging import paged_request_bytes

GIB = 2**30
ABSENT = object()
# Two bytes an element; 2 KV heads of 8.
TOKEN = 2 * 2 * 8 * 2


def _bytes(tokens, **changes):
    keys = {key: value for key, value in {**LLAMA, **changes}.items() if value is not ABSENT}
    return request_bytes(cached_layers(config(keys)), tokens, 2, 2)


@pytest.mark.parametrize(
    ("name", "tokens", "gib"),
    [
        ("gemma-4-31b-it", 262_144, 23.9),
        ("glm-5.2-nvfp4", 131_072, 11.0),
        ("nemotron-3-nano-30b-a3b-nvfp4", 262_144, 1.61),
        ("qwen3-next-80b-a3b-fp8", 262_144, 6.0),
    ],
)
def test_one_request_of_a_published_model(name, tokens, gib):
    """What vLLM says that it needs for a request of the greatest length, in 16 bits."""
    layers = cached_layers(published(name))
    assert paged_request_bytes(layers, tokens, 2, 2) / GIB == pytest.approx(gib, rel=0.015)


@pytest.mark.parametrize(
    ("name", "tokens", "gib"),
    [("gemma-4-31b-it", 262_144, 20.8), ("nemotron-3-ultra-550b", 262_144, 3.0)],
)
def test_the_keys_and_values_of_a_published_model(name, tokens, gib):
    """The least that it can need: without states and without what is being computed."""
    growing = [each for each in cached_layers(published(name)) if each.kind is not LayerKind.STATE]
    assert request_bytes(growing, tokens, 2, 2) / GIB == pytest.approx(gib, rel=0.002)


@pytest.mark.parametrize(
    ("name", "bytes_a_token"),
    [
        ("gpt-oss-120b", 73_728),
        ("deepseek-v3", 70_272),
        ("glm-5.2-nvfp4", 89_856),
        ("qwen3.5-35b-a3b", 20_480),
    ],
)
def test_a_token_of_a_published_model(name, bytes_a_token):
    """Within every window a token takes keys and values, or one latent, of each layer that attends."""
    growing = [each for each in cached_layers(published(name)) if each.kind is not LayerKind.STATE]
    assert request_bytes(growing, 1, 2, 2) == bytes_a_token


def test_every_published_model_is_understood():
    """None of them has a layout that gives no prediction."""
    assert all(cached_layers(published(name)) for name in PUBLISHED)


@pytest.mark.parametrize(
    ("changes", "hundred_tokens"),
    [
        ({}, 4 * TOKEN * 100),
        ({"num_key_value_heads": None}, 4 * TOKEN * 4 * 100),
        ({"multi_query": True}, 4 * TOKEN / 2 * 100),
        ({"multi_query": True, "new_decoder_architecture": True}, 4 * TOKEN * 100),
        ({"head_dim": 16}, 4 * TOKEN * 2 * 100),
        ({"v_head_dim": 4}, 4 * TOKEN * 0.75 * 100),
        ({"num_key_value_heads": [1, 2, 3, 2]}, 4 * TOKEN * 100),
        ({"kv_lora_rank": 24, "qk_rope_head_dim": 8}, 4 * 32 * 2 * 100),
        ({"kv_lora_rank": 24, "qk_rope_head_dim": 8, "use_mla": False, "qk_nope_head_dim": 8},
         4 * 8 * 16 * 2 * 2 * 100),
        ({"sliding_window": 10}, 4 * TOKEN * 10),
        ({"sliding_window": 10, "use_sliding_window": False}, 4 * TOKEN * 100),
        ({"sliding_window": 10, "model_type": "qwen2"}, 4 * TOKEN * 100),
        ({"sliding_window": 10, "sliding_window_pattern": 2}, TOKEN * (2 * 10 + 2 * 100)),
        ({"sliding_window": 10, "sliding_window_pattern": "LLLG"}, TOKEN * (3 * 10 + 100)),
        ({"sliding_window": 10, "model_type": "gemma2", "head_dim": 8}, TOKEN * (2 * 10 + 2 * 100)),
        ({"sliding_window": 10, "model_type": "cohere2"}, TOKEN * (3 * 10 + 100)),
        ({"sliding_window": 10, "use_sliding_window": True, "max_window_layers": 3}, TOKEN * (10 + 300)),
        ({"sliding_window": 10, "layer_types": ["sliding_attention"] * 3 + ["full_attention"]},
         TOKEN * (3 * 10 + 100)),
        ({"layer_types": ["sliding_attention"] * 4}, 4 * TOKEN * 100),
        ({"layer_types": ["deepseek_sparse_attention"] * 4}, 4 * TOKEN * 100),
        ({"layer_types": ["full_attention"] * 5}, 4 * TOKEN * 100),
        ({"layer_types": ["linear_attention"] * 3 + ["full_attention"]}, TOKEN * 100),
        ({"attention_chunk_size": 10}, TOKEN * (3 * 10 + 100)),
        ({"attention_chunk_size": 10, "no_rope_layers": [1, 1, 0, 0]}, TOKEN * (2 * 10 + 2 * 100)),
        ({"full_attention_interval": 2}, 2 * TOKEN * 100),
        ({"attn_layer_period": 4, "attn_layer_offset": 0}, TOKEN * 100),
        ({"attn_layer_indices": [1, 3]}, 2 * TOKEN * 100),
        ({"linear_attn_config": {"full_attn_layers": [4], "kda_layers": [1, 2, 3]}}, TOKEN * 100),
        ({"attn_type_list": [0, 0, 0, 1], "hidden_size": 64, "head_dim": 8}, TOKEN * 100 + 3 * 8 * 8 * 8 * 2),
        ({"hybrid_override_pattern": "M*-E"}, TOKEN * 100),
        ({"layers_block_type": ["mamba", "moe", "attention"], "num_hidden_layers": None}, TOKEN * 100),
        ({"hybrid_layer_pattern": [0, 1, 1, 1], "sliding_window": 10, "swa_num_key_value_heads": 4},
         TOKEN * (100 + 3 * 10 * 2)),
        ({"sliding_window": 10, "layer_types": ["sliding_attention"] * 3 + ["full_attention"],
          "num_global_key_value_heads": 1, "global_head_dim": 32}, TOKEN * (3 * 10 + 2 * 100)),
        ({"sliding_window": 10, "layer_types": ["sliding_attention"] * 3 + ["full_attention"],
          "num_global_key_value_heads": 1, "attention_k_eq_v": False}, TOKEN * (3 * 10 + 100)),
        ({"num_kv_shared_layers": 3}, TOKEN * 100),
        ({"hybrid_layer_pattern": [0, 1, 1, 1], "sliding_window": 10, "v_head_dim": 4},
         TOKEN * 0.75 * (100 + 3 * 10)),
        ({"model_type": "longcat_flash", "num_layers": 2, "num_hidden_layers": ABSENT,
          "kv_lora_rank": None, "head_dim": 8, "v_head_dim": None}, 4 * TOKEN * 100),
        ({"num_attention_heads": ABSENT, "attention_heads": 8}, 4 * TOKEN * 100),
        ({"use_cla": True, "cla_share_factor": 2}, 2 * TOKEN * 100),
        ({"block_configs": [{"attention": {"n_heads_in_group": 4}}, {"attention": {"no_op": True}}]},
         TOKEN * 100),
        ({"attn_config": {"kv_n_heads": 1}, "num_key_value_heads": None}, 4 * TOKEN / 2 * 100),
    ],
)  # fmt: skip
def test_what_a_hundred_tokens_take(changes, hundred_tokens):
    """Heads, latents, windows, chunks, shared layers and layers without a cache each count as they are."""
    assert _bytes(100, **changes) == hundred_tokens


@pytest.mark.parametrize(
    ("changes", "state_bytes"),
    [
        # Mamba-2: heads x size x state, and the convolution over the inner size and its groups.
        ({"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": 32, "mamba_n_groups": 2},
         3 * (128 + 2 * 2 * 32) * 2 + 128 * 32 * 2),
        ({"mamba_num_heads": 8, "mamba_head_dim": 16, "model_type": "nemotron_h"},
         3 * (128 + 2 * 8 * 128) * 2 + 128 * 128 * 4),
        ({"mamba_num_heads": 8, "mamba_head_dim": 16, "mamba_ssm_cache_dtype": "bfloat16",
          "model_type": "nemotron_h"}, 3 * (128 + 2 * 8 * 128) * 2 + 128 * 128 * 2),
        # Mamba-1: an inner size of twice the hidden one.
        ({"mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2}, 128 * (3 * 2 + 16 * 2)),
        # Gated DeltaNet.
        ({"linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 8,
          "linear_value_head_dim": 8, "linear_conv_kernel_dim": 4}, (2 * 16 + 32) * 3 * 2 + 4 * 8 * 8 * 2),
        ({"linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 8,
          "linear_value_head_dim": 8, "mamba_ssm_dtype": "float32"}, (2 * 16 + 32) * 3 * 2 + 4 * 8 * 8 * 4),
        # A short convolution (LFM2).
        ({"conv_L_cache": 3}, 2 * 64 * 2),
        ({}, 0),
    ],
)  # fmt: skip
def test_the_state_of_a_layer(changes, state_bytes):
    """Of a sequence of any length, in the types that vLLM keeps it in; one that is not given is left out."""
    types = {"layer_types": ["linear_attention"] + ["full_attention"] * 3}
    assert _bytes(0, **types, **changes) == state_bytes


def test_attention_and_a_state_may_be_side_by_side():
    """Each layer of Falcon-H1 has both."""
    changes = {"mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 8}
    assert _bytes(100, **changes) == 4 * (TOKEN * 100 + 3 * (64 + 2 * 8) * 2 + 64 * 8 * 2)


def test_a_model_without_attention_keeps_states_only():
    """Mamba's own configurations have no attention heads."""
    pure = {"num_hidden_layers": 4, "hidden_size": 64, "state_size": 16, "conv_kernel": 4, "expand": 2}
    layers = cached_layers(config(pure))
    assert request_bytes(layers, 1000, 2, 2) == 4 * 128 * (3 * 2 + 16 * 2)


@pytest.mark.parametrize("key", ["text_config", "llm_config", "language_config"])
def test_the_language_part_of_a_larger_model_counts(key):
    """A model of images and text has its language part in a configuration of its own, at any depth."""
    part = {**LLAMA, "num_hidden_layers": 7}
    assert request_bytes(cached_layers(config({"num_hidden_layers": 1, key: part})), 1, 2, 2) == 7 * TOKEN
    nested = {"thinker_config": {key: part}}
    assert request_bytes(cached_layers(config(nested)), 1, 2, 2) == 7 * TOKEN


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layer_types": ["compressed_sparse_attention"] * 4}, "'compressed_sparse_attention'"),
        ({"layer_types": ["full_attention"] * 3}, "4 layers have 3 layer types"),
        ({"layer_types": [1, 2]}, "no list of names"),
        ({"hybrid_override_pattern": "M*Q"}, "'Q'"),
        ({"is_encoder_decoder": True}, "encoder"),
        ({"compress_ratios": [4]}, "compress_ratios"),
        ({"cross_attention_layers": [3]}, "cross_attention_layers"),
        ({"mamba_d_state": 16}, "does not say which"),
        ({"sliding_window": [1, 2]}, "sliding_window is a list"),
        ({"num_key_value_heads": [1]}, "list of KV heads"),
        ({"head_dim": [8, 8, 16, 16]}, "head_dim is a list"),
        ({"num_kv_shared_layers": 4}, "num_kv_shared_layers"),
        ({"num_hidden_layers": 2**40}, "names"),
        ({"block_configs": [3]}, "block_configs"),
    ],
)
def test_a_layout_that_is_not_understood_says_what(changes, said):
    """No number is better than a wrong one."""
    with pytest.raises(LayoutUnknown, match=said):
        _bytes(1, **changes)
