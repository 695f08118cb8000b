"""What a model that guesses tokens needs: its weights, and its own layers' cache of the same tokens."""

import json
from dataclasses import replace

import pytest
from fakes.model_configs import LLAMA
from fakes.small_llama import MIB, SHAPE

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.vllm.drafts import drafting
from llmopt_runner.engines.vllm.memory_needs import memory_need
from llmopt_runner.memory.drafts import Drafting
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import CachedLayers, LayerKind
from llmopt_runner.models.tensor_types import TensorType

# One layer of a Llama with 2 heads of 16 for keys and for values.
HEAD = {**LLAMA, "model_type": "llama", "num_hidden_layers": 1, "head_dim": 16}
LAYER = CachedLayers(LayerKind.FULL, 1, heads=2, key_elements=32, value_elements=32)
LATENT = CachedLayers(LayerKind.LATENT, 1, key_elements=24 + 8)
TENSOR = {"midlayer.mlp.up_proj.weight": {"dtype": "BF16", "shape": [64, 64], "data_offsets": [0, 8192]}}


def _write(folder, config, weights="model.safetensors"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    text = json.dumps(TENSOR).encode()
    (folder / weights).write_bytes(len(text).to_bytes(8, "little") + text + bytes(8192))
    return str(folder)


def _drafting(method, draft=None, shape=SHAPE):
    named = {} if draft is None else {"speculative_model": draft}
    return drafting(shape, {"speculative_method": method, **named}, TensorType.BFLOAT16)


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        ({**HEAD, "architectures": ["LlamaForCausalLMEagle3"], "draft_vocab_size": 32}, (LAYER,)),
        ({"speculators_model_type": "eagle3", "transformer_layer_config": HEAD}, (LAYER,)),
        ({"model_type": "eagle", "model": HEAD}, (LAYER,)),
        ({**HEAD, "num_hidden_layers": 3}, (replace(LAYER, count=3),)),
        ({**HEAD, "model_type": "deepseek_v3", "kv_lora_rank": 24, "qk_rope_head_dim": 8}, (LATENT,)),
    ],
)
@pytest.mark.parametrize("method", ["eagle", "eagle3", "draft_model"])
def test_the_layers_of_a_head_cache_what_its_configuration_says(tmp_path, config, layers, method):
    """In whichever form it is published."""
    assert _drafting(method, _write(tmp_path, config)) == Drafting(8192, layers)


@pytest.mark.parametrize("method", ["medusa", "mlp_speculator"])
def test_heads_without_attention_keep_nothing(tmp_path, method):
    """Their configurations need not say how many heads they have."""
    assert _drafting(method, _write(tmp_path, {"model_type": method})) == Drafting(8192)


def test_a_layout_that_is_not_understood_says_which_model_has_it(tmp_path):
    """There is then no prediction."""
    draft = _write(tmp_path, {**HEAD, "layer_types": ["new_attention"]})
    with pytest.raises(LayoutUnknown, match=f"engine.speculative_model {draft}: .*'new_attention'"):
        _drafting("eagle3", draft)


def test_a_head_in_other_files_has_a_cache_and_no_weights(tmp_path):
    """Its configuration says what it caches; that its weights are not counted is said."""
    found = _drafting("eagle", _write(tmp_path, HEAD, "pytorch_model.bin"))
    assert (found.weight_bytes, found.layers) == (0, (LAYER,))
    assert "they are no safetensors" in found.left_out


def test_a_repository_in_the_cache_of_the_hub_is_read(tmp_path, monkeypatch):
    """By its name, as vLLM finds it; nothing is fetched."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert "org/head is not counted" in _drafting("eagle3", "org/head").left_out
    _write(tmp_path / "models--org--head" / "snapshots" / "main", HEAD)
    assert _drafting("eagle3", "org/head") == Drafting(8192, (LAYER,))


@pytest.mark.parametrize("draft", ["/nowhere", "org/absent", "~/absent"])
def test_a_model_that_is_not_here_is_left_out_and_said(draft):
    """The rest of the prediction holds without it."""
    found = _drafting("eagle3", draft)
    assert found == Drafting(left_out=found.left_out)
    assert draft in found.left_out


def test_a_damaged_model_is_left_out(tmp_path):
    """The server says what is wrong with it."""
    draft = _write(tmp_path, HEAD)
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 64)
    assert "no such model can be read" in _drafting("eagle3", draft).left_out


FULL = CachedLayers(LayerKind.FULL, 4, heads=4, key_elements=128, value_elements=128)
WINDOWED = replace(FULL, kind=LayerKind.WINDOWED, window=64)
STATE = CachedLayers(LayerKind.STATE, 4, state_bytes=64)


@pytest.mark.parametrize(
    ("cache", "count", "layers"),
    [
        ((FULL,), 1, (replace(FULL, count=1),)),
        ((STATE, FULL), 2, (replace(FULL, count=2),)),
        ((FULL,), 0, ()),  # its number is not known
        ((FULL, WINDOWED), 1, ()),  # nor which of both it is
    ],
)
def test_own_layers_for_guessing_attend_as_the_others_do(cache, count, layers):
    """Those of multi-token prediction are stored with the model."""
    weights = replace(SHAPE.weights, drafting_bytes=30 * MIB)
    shape = replace(SHAPE, weights=weights, cache=cache, drafting_layers=count)
    assert _drafting("mtp", shape=shape) == Drafting(30 * MIB, layers)


def test_nothing_guesses_unless_it_is_asked_to():
    """Nor does a lookup of what was said already need memory."""
    assert _drafting("none") == _drafting("ngram") == Drafting()


@pytest.mark.parametrize(("tensor", "heads"), [(1, 2), (2, 2), (4, 4)])
def test_each_device_holds_whole_heads_of_the_draft(tmp_path, tensor, heads):
    """It is split as the model is: two heads over four devices are held twice."""
    draft = {"speculative_method": "eagle3", "speculative_model": _write(tmp_path, HEAD)}
    asked = {"max_model_len": 512, "tensor_parallel_size": tensor, "data_parallel_size": 2}
    more = memory_need(SHAPE, Configuration(engine={**asked, **draft}))
    alone = memory_need(SHAPE, Configuration(engine=asked))
    assert more.weights_mib - alone.weights_mib == pytest.approx(2 * 8192 / MIB)
    assert more.overhead_mib - alone.overhead_mib == pytest.approx(2 * 512 * heads * 2 * 16 * 2 / MIB)
