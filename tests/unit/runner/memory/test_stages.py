"""What each pipeline stage holds: its layers' weights and caches, and what lies before and after them."""

import pytest
from fakes.model_configs import LLAMA, config, published

from llmopt_runner.memory.layers import LayerKind, merged
from llmopt_runner.memory.shapes import config_shape
from llmopt_runner.memory.stages import stages
from llmopt_runner.memory.weights import weight_bytes
from llmopt_runner.models.safetensors_headers import StoredTensor
from llmopt_runner.models.tensor_types import TensorType


def _tensor(name, elements):
    return StoredTensor(name, TensorType.BFLOAT16, elements, 2 * elements)


def _tensors(layers, prefix="model.layers"):
    return (
        _tensor("model.embed_tokens.weight", 1000),
        *(_tensor(f"{prefix}.{layer}.mlp.up_proj.weight", 10 + layer) for layer in range(layers)),
        _tensor("visual.blocks.0.weight", 7),
        _tensor("lm_head.weight", 2000),
    )


def _shape(layers=4, prefix="model.layers", **changes):
    keys = config({**LLAMA, "num_hidden_layers": layers, **changes})
    return config_shape(keys, _tensors(layers, prefix))


def _elements(shape, count):
    return [each.weights.parameters for each in stages(shape, count)]


@pytest.mark.parametrize(
    ("layers", "count", "sizes"),
    [
        (4, 2, [2, 2]),
        (5, 2, [3, 2]),
        (6, 4, [1, 2, 2, 1]),
        (7, 4, [2, 2, 2, 1]),
        (94, 4, [23, 24, 24, 23]),
    ],
)
def test_layers_of_each_stage(layers, count, sizes):
    """Those left over go to the middle first, never to the last."""
    found = stages(_shape(layers), count)
    assert [sum(each.count for each in stage.cache) for stage in found] == sizes
    assert [stage.number for stage in found] == list(range(1, count + 1))


@pytest.mark.parametrize("prefix", ["model.layers", "transformer.h", "model.language_model.layers", "blocks"])
def test_weights_lie_where_their_layer_does(prefix):
    """Embeddings, and what has no known place, with the first; the output head with the last."""
    assert _elements(_shape(prefix=prefix), 2) == [1000 + 7 + 10 + 11, 12 + 13 + 2000]


def test_tied_embeddings_are_held_at_both_ends():
    """The last stage computes with them in place of a head."""
    assert _elements(_shape(tie_word_embeddings=True), 2) == [1000 + 7 + 10 + 11, 12 + 13 + 1000]
    assert _elements(_shape(tie_word_embeddings=True), 1) == [1000 + 7 + 46]


def test_all_stages_together_hold_the_model():
    """Nothing is lost, and nothing counted twice."""
    shape = _shape(7)
    assert sum(weight_bytes(each.weights, None) for each in stages(shape, 3)) == shape.weight_bytes
    assert merged(layer for each in stages(shape, 3) for layer in each.cache) == shape.cache


def test_weights_of_no_known_layer_are_spread_evenly():
    """An index says only how large all together are."""
    total = [StoredTensor("total", None, 0, 5000)]
    shape = config_shape(config(LLAMA), total)
    assert [each.weights.stored_bytes for each in stages(shape, 4)] == [1250] * 4


def test_layers_that_attend_are_counted_in_their_own_stage():
    """Six of the 52 layers of Nemotron 3 Nano attend, and not as many in each quarter."""
    shape = config_shape(published("nemotron-3-nano-30b-a3b-nvfp4"), ())
    attending = [
        sum(each.count for each in stage.cache if each.kind is LayerKind.FULL) for stage in stages(shape, 4)
    ]
    assert sum(attending) == 6
    words = [bool([each for each in layer if each.kind is LayerKind.FULL]) for layer in shape.stack]
    assert attending == [sum(words[begin : begin + 13]) for begin in range(0, 52, 13)]


def test_a_layer_that_attends_twice_stays_whole():
    """The stack of LongCat has two entries for each."""
    keys = {**LLAMA, "model_type": "longcat_flash", "num_layers": 3}
    del keys["num_hidden_layers"]
    shape = config_shape(config({**keys, "kv_lora_rank": 8, "qk_rope_head_dim": 8}), ())
    assert [sum(each.count for each in stage.cache) for stage in stages(shape, 2)] == [4, 2]
