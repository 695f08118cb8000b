"""How large weights are once they are loaded: as stored, converted or quantised on the way."""

import pytest

from llmopt_runner.memory.weights import BNB_4BIT_ONCE, ONLINE, stored_weights, weight_bytes
from llmopt_runner.models.safetensors_headers import StoredTensor
from llmopt_runner.models.tensor_types import TensorType

BF16, F32, U8, I32, FP8 = (
    TensorType.BFLOAT16, TensorType.FLOAT32, TensorType.UINT8, TensorType.INT32, TensorType.FP8_E4M3,
)  # fmt: skip


def _tensor(name, elements, dtype=BF16, dimensions=2):
    size = dtype.size_bytes(elements) if dtype else elements
    return StoredTensor(name, dtype, elements, size, dimensions)


MIXTURE = (
    _tensor("model.embed_tokens.weight", 1000),
    _tensor("lm_head.weight", 1000),
    _tensor("model.layers.0.self_attn.q_proj.weight", 500),
    _tensor("model.layers.0.self_attn.q_proj.bias", 10, dimensions=1),
    _tensor("model.layers.0.input_layernorm.weight", 10, dimensions=1),
    _tensor("model.layers.0.mlp.gate.weight", 40),
    _tensor("model.layers.0.mlp.experts.0.up_proj.weight", 2000),
    _tensor("model.layers.0.mlp.experts.gate_up_proj", 2000, dimensions=3),
    _tensor("model.layers.0.mixer.conv1d.weight", 30, dimensions=3),
)


def test_plain_weights_are_sorted_by_what_quantising_does_to_them():
    """Embeddings, head, norms, biases, routers and convolutions are left as they are."""
    weights = stored_weights(MIXTURE, layers=1)
    assert (weights.embeddings, weights.linear, weights.experts) == (2000, 500, 4000)
    assert weights.other == 10 + 10 + 40 + 30
    assert weights.expert_bytes == 8000
    assert not weights.is_quantised


@pytest.mark.parametrize(
    ("method", "linear", "experts"),
    [
        (None, 2.0, 2.0),
        ("awq", 2.0, 2.0),
        ("fp8", 1.0, 1.0),
        ("fp8_per_channel", 1.0, 1.0),
        ("mxfp8", 1 + 1 / 32, 1 + 1 / 32),
        ("mxfp4", 0.5 + 1 / 32, 0.5 + 1 / 32),
        ("nvfp4_per_token", 2.0, 0.5625),
        ("int8_per_channel_weight_only", 2.0, 1.0),
        ("nvfp4_online", 0.5625, 0.5625),
        ("bitsandbytes", 4.126953125 / 8, 4.126953125 / 8),
        (BNB_4BIT_ONCE, 4.5 / 8, 4.5 / 8),
        ("experts_int8", 2.0, 1.0),
    ],
)
def test_a_method_changes_what_it_quantises(method, linear, experts):
    """The rest has 16 bits; a method that needs quantised files changes nothing."""
    weights = stored_weights(MIXTURE, layers=1)
    assert weight_bytes(weights, BF16, method) == pytest.approx(2090 * 2 + 500 * linear + 4000 * experts)


@pytest.mark.parametrize(("dtype", "stored"), [(BF16, 2), (F32, 4)])
def test_plain_weights_are_converted(dtype, stored):
    """Whatever they are stored in they have the type that is asked for, or their own."""
    weights = stored_weights([_tensor("model.layers.0.mlp.up_proj.weight", 100, dtype)])
    assert weight_bytes(weights, None) == 100 * stored
    assert (weight_bytes(weights, BF16), weight_bytes(weights, F32)) == (200, 400)


@pytest.mark.parametrize(
    "quantised",
    [
        (_tensor("model.layers.0.up.weight", 800, FP8), _tensor("model.layers.0.up.weight_scale", 8, F32)),
        (_tensor("model.layers.0.up.qweight", 200, I32), _tensor("model.layers.0.up.scales", 25),
         _tensor("model.layers.0.up.qzeros", 25, I32), _tensor("model.layers.0.up.g_idx", 64, I32)),
        (_tensor("model.layers.0.up.weight_packed", 200, I32), _tensor("model.layers.0.up.weight_scale", 25)),
        (_tensor("model.layers.0.mlp.experts.up_blocks", 400, U8),
         _tensor("model.layers.0.mlp.experts.up_scales", 25, U8)),
        (_tensor("model.layers.0.up.weight", 400, U8), _tensor("model.layers.0.up.weight_scale_2", 1, F32)),
        (_tensor("model.layers.0.up.weight", 400, None),),
    ],
    ids=["fp8", "gptq-awq", "compressed-tensors", "mxfp4", "nvfp4", "unknown type"],
)  # fmt: skip
@pytest.mark.parametrize("method", [None, *ONLINE])
def test_quantised_files_are_held_as_stored(quantised, method):
    """Packed numbers and their scales keep their size under any method; what is left in 16 bits has these."""
    weights = stored_weights([*quantised, _tensor("model.embed_tokens.weight", 100)])
    assert weights.is_quantised
    assert weight_bytes(weights, BF16, method) == sum(each.size_bytes for each in quantised) + 200


@pytest.mark.parametrize(
    "name",
    [
        "model.layers.2.mlp.up_proj.weight",
        "model.language_model.layers.2.mlp.up_proj.weight",
        "mtp.layers.0.mlp.up_proj.weight",
        "model.mtp_block.weight",
        "blk.2.ffn_up.weight",
    ],
)
def test_layers_that_only_draft_are_not_loaded(name):
    """They are stored with a model; they are counted by themselves."""
    weights = stored_weights([_tensor("model.layers.1.up.weight", 100), _tensor(name, 7)], layers=2)
    assert (weights.stored_bytes, weights.drafting_bytes) == (200, 14)


def test_towers_of_other_inputs_may_be_deeper():
    """The layers of a vision tower have numbers of their own."""
    tower = _tensor("vision_tower.encoder.layers.26.mlp.fc1.weight", 100)
    assert stored_weights([tower], layers=2).stored_bytes == 200


def test_a_tied_head_is_loaded_once():
    """A checkpoint may store the output head that is its embeddings."""
    assert stored_weights(MIXTURE, tied=True).embeddings == 1000


def test_buffers_make_no_model_quantised():
    """A few whole numbers, such as positions, are no weights."""
    weights = stored_weights([*MIXTURE, _tensor("model.position_ids", 5, I32)])
    assert not weights.is_quantised
