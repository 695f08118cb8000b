"""What a sequence takes of the KV cache of a GGUF model, from the file's metadata."""

import pytest

from llmopt_runner.memory.gguf_layers import gguf_cached_layers
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import LayerKind, request_bytes
from llmopt_runner.memory.shapes import gguf_shape
from llmopt_runner.models.gguf_headers import GgufHeader

LLAMA = {
    "block_count": 4,
    "embedding_length": 64,
    "attention.head_count": 8,
    "attention.head_count_kv": 2,
    "context_length": 512,
}
TOKEN = 2 * 2 * 8 * 2
STATES = {"ssm.conv_kernel": 4, "ssm.inner_size": 128, "ssm.state_size": 16, "ssm.group_count": 2}
STATE_BYTES = (3 * (128 + 2 * 2 * 16) + 128 * 16) * 4


def _header(architecture="llama", **changes):
    values = {
        f"{architecture}.{key}": value for key, value in {**LLAMA, **changes}.items() if value is not None
    }
    return GgufHeader({"general.architecture": architecture, **values}, {}, ())


def _bytes(tokens, architecture="llama", **changes):
    return request_bytes(gguf_cached_layers(_header(architecture, **changes)), tokens, 2, 2)


@pytest.mark.parametrize(
    ("architecture", "changes", "hundred_tokens"),
    [
        ("llama", {}, 4 * TOKEN * 100),
        ("llama", {"attention.head_count_kv": None}, 4 * TOKEN * 4 * 100),
        ("llama", {"attention.key_length": 16, "attention.value_length": 16}, 4 * TOKEN * 2 * 100),
        ("llama", {"attention.key_length": 8, "attention.value_length": 4}, 4 * TOKEN * 0.75 * 100),
        ("llama", {"attention.head_count_kv": [0, 2, 0, 2]}, 2 * TOKEN * 100),
        # Which layers have the window the file does not say: the least that they can need.
        ("llama", {"attention.sliding_window": 10}, 4 * TOKEN * 10),
        ("gemma2", {"attention.sliding_window": 10}, TOKEN * (2 * 10 + 2 * 100)),
        ("gpt-oss", {"attention.sliding_window": 10}, TOKEN * (2 * 10 + 2 * 100)),
        (
            "gemma4",
            {
                "attention.sliding_window": 10,
                "attention.sliding_window_pattern": [True, True, True, False],
                "attention.head_count_kv": [2, 2, 2, 1],
                "attention.key_length": 32,
                "attention.key_length_swa": 8,
                "attention.value_length": 32,
                "attention.value_length_swa": 8,
            },
            TOKEN * (3 * 10 + 2 * 100),
        ),
        ("gemma3n", {"attention.sliding_window": 10, "attention.shared_kv_layers": 2}, 2 * TOKEN * 10),
        ("llama4", {"attention.chunk_size": 10}, TOKEN * (3 * 10 + 100)),
        ("glm4moe", {"block_count": 5, "nextn_predict_layers": 1}, 4 * TOKEN * 100),
        (
            "deepseek2",
            {"attention.kv_lora_rank": 24, "attention.key_length": 32, "attention.key_length_mla": 24,
             "attention.head_count_kv": 1, "rope.dimension_count": 8},
            4 * 32 * 2 * 100,
        ),
        # Converted before latents were cached: whole heads.
        (
            "deepseek2",
            {"attention.kv_lora_rank": 24, "attention.key_length": 24, "attention.value_length": 16,
             "attention.head_count_kv": 8, "rope.dimension_count": 8},
            4 * 8 * (24 + 16) * 2 * 100,
        ),
        ("qwen35", {**STATES, "full_attention_interval": 4}, TOKEN * 100 + 3 * STATE_BYTES),
        ("qwen3next", STATES, TOKEN * 100 + 3 * STATE_BYTES),
        ("jamba", {**STATES, "attention.head_count_kv": [0, 0, 0, 2]}, TOKEN * 100 + 3 * STATE_BYTES),
        (
            "nemotron_h",
            {**STATES, "attention.head_count_kv": [0, 0, 0, 2], "feed_forward_length": [0, 64, 64, 0]},
            TOKEN * 100 + STATE_BYTES,
        ),
        ("falcon-h1", STATES, 4 * (TOKEN * 100 + STATE_BYTES)),
        # A window that llama.cpp does not use.
        ("phi3", {"attention.sliding_window": 10}, 4 * TOKEN * 100),
        # The first of four sees everything, where it is not said otherwise.
        ("laguna", {"block_count": 5, "attention.sliding_window": 10}, TOKEN * (3 * 10 + 2 * 100)),
        ("exaone-moe", {"block_count": 5, "attention.sliding_window": 10}, TOKEN * (4 * 10 + 100)),
        ("llama4", {}, 4 * TOKEN * 100),
        ("llama4", {"attention.sliding_window": 0}, 4 * TOKEN * 100),
        ("gemma3n", {"block_count": 30, "attention.sliding_window": 10}, TOKEN * (16 * 10 + 4 * 100)),
        # Values are as large as heads of queries, not as keys (MiniCPM3).
        ("minicpm3", {"attention.kv_lora_rank": 24, "attention.key_length": 12, "attention.head_count_kv": 8},
         4 * 8 * (12 + 8) * 2 * 100),
        ("llama", {"attention.key_length": 12}, 4 * 2 * (12 + 8) * 2 * 100),
        ("rwkv7", {"wkv.head_size": 16, "attention.head_count": 0, "attention.head_count_kv": 0},
         4 * (2 + 16) * 64 * 4),
        ("rwkv6qwen2", {"wkv.head_size": 16, "token_shift_count": 1}, 4 * (1 + 16) * 64 * 4),
        (
            "kimi-linear",
            {"ssm.conv_kernel": 4, "kda.head_dim": 16, "attention.head_count_kv": [0, 0, 0, 1],
             "attention.kv_lora_rank": 24, "attention.key_length": 32, "attention.key_length_mla": 24,
             "rope.dimension_count": 8},
            32 * 2 * 100 + 3 * (3 * 3 * 8 * 16 + 8 * 16 * 16) * 4,
        ),
        ("lfm2", {"shortconv.l_cache": 3, "attention.head_count_kv": [0, 0, 0, 2]},
         TOKEN * 100 + 3 * 2 * 64 * 4),
        ("mamba", {**STATES, "attention.head_count": 0, "attention.head_count_kv": 0}, 4 * STATE_BYTES),
    ],
)  # fmt: skip
def test_what_a_hundred_tokens_take(architecture, changes, hundred_tokens):
    """Heads, windows, latents, shared layers and states in 32 bits each count as llama.cpp keeps them."""
    assert _bytes(100, architecture, **changes) == hundred_tokens


def test_only_each_fourth_layer_of_a_hybrid_attends():
    """64 blocks with an interval of 4 and 4 KV heads of 256: 64 KiB a token, a quarter of all blocks'."""
    changes = {"block_count": 64, "attention.head_count_kv": 4, "attention.key_length": 256,
               "attention.value_length": 256, "full_attention_interval": 4, **STATES}  # fmt: skip
    layers = gguf_cached_layers(_header("qwen35", **changes))
    growing = [each for each in layers if each.kind is LayerKind.FULL]
    assert request_bytes(growing, 1, 2, 2) == 64 * 1024
    # Two slots of 131,072 tokens.
    assert 2 * request_bytes(growing, 131_072, 2, 2) == 16_384 * 2**20


@pytest.mark.parametrize(
    ("architecture", "changes", "said"),
    [
        ("llama", {"block_count": None}, "how many layers"),
        ("llama", {"attention.head_count_kv": [2, 2]}, "2 entries for 4 layers"),
        ("llama", {"embedding_length": None}, "how large its attention heads"),
        ("t5", {}, "encoder"),
        ("bert", {}, "writes no answers"),
        ("deepseek4", {}, "compressed"),
        ("gemma4", {"attention.sliding_window": 1, "attention.sliding_window_pattern": [True]}, "entries"),
    ],
)
def test_a_layout_that_is_not_understood_says_what(architecture, changes, said):
    """No number is better than a wrong one; the shape carries the words."""
    with pytest.raises(LayoutUnknown, match=said):
        _bytes(1, architecture, **changes)
    assert said in gguf_shape(_header(architecture, **changes)).unknown


def test_a_window_of_unknown_layers_is_said():
    """Counting the least is no guess where it is known."""
    assert "window" in gguf_shape(_header("llama", **{"attention.sliding_window": 10})).notes[0]
    assert gguf_shape(_header("gemma2", **{"attention.sliding_window": 10})).notes == ()
