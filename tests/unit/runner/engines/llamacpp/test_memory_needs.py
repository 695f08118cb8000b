"""What llama.cpp's server is said to need; the figures are those its own log gave for this model."""

from dataclasses import replace

import pytest
from fakes.gguf_files import gguf, gguf_llama, gguf_number

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.llamacpp.engine import LlamaCpp
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import CachedLayers, LayerKind
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import StoredWeights
from llmopt_runner.models.tensor_types import TensorType

SMOLLM2 = ModelShape(
    weights=StoredWeights(stored_bytes=96_576_768, kept_bytes=96_576_768),
    cache=(CachedLayers(LayerKind.FULL, 30, heads=3, key_elements=3 * 64, value_elements=3 * 64),),
    max_context=8192,
    dtype=TensorType.Q4_1,
    is_gguf=True,
)


def _need(**engine):
    return LlamaCpp().memory_need(SMOLLM2, Configuration(engine=engine))


@pytest.mark.parametrize(
    ("engine", "mib"),
    [
        ({}, 180),  # the model's own context
        ({"n_ctx": 4096, "n_parallel": 4}, 90),
        ({"n_ctx": 65_536, "n_parallel": 8}, 1440),
        ({"n_ctx": 8192, "cache_type_k": "q8_0", "cache_type_v": "q8_0"}, 180 * 34 / 64),
        ({"n_ctx": 8192, "cache_type_k": "q8_0", "cache_type_v": "f16"}, 90 + 90 * 34 / 64),
        ({"n_ctx": 1000, "n_parallel": 4, "kv_unified": True}, 22.5),
        ({"n_ctx": 1000, "n_parallel": 4}, 22.5),
    ],
)
def test_the_kv_cache(engine, mib):
    """Tokens over all slots, rounded as llama.cpp does, in the types of keys and values."""
    assert _need(**engine).kv_cache_mib == pytest.approx(mib)


@pytest.mark.parametrize(
    ("engine", "measured_mib"),
    [
        ({"n_ctx": 4096, "n_parallel": 4}, 242),
        ({"n_ctx": 32_768, "n_parallel": 4}, 873),
        ({"n_ctx": 65_536, "n_parallel": 8}, 1593),
        ({"n_ctx": 65_536, "n_parallel": 8, "cache_type_k": "q8_0", "cache_type_v": "q8_0"}, 918),
        ({"n_ctx": 8192, "n_parallel": 4, "n_ubatch": 2048}, 332),
        ({"n_ctx": 8192, "n_parallel": 4, "flash_attn": "off"}, 332),
    ],
)
def test_the_whole_is_what_was_measured(engine, measured_mib):
    """Within a twentieth of the peaks that bench/memory_prediction.py measured on a CPU."""
    assert _need(**engine).total_mib == pytest.approx(measured_mib, rel=0.05)


def test_the_weights_are_what_the_file_holds():
    """All tensors, as they are stored."""
    assert _need().weights_mib == pytest.approx(92.1, abs=0.1)


def test_where_it_is_taken_from():
    """What does not fit on the GPUs goes to the host; with no layer there, all of it does."""
    assert _need().place == "both"
    assert _need(n_gpu_layers=0).place == "host"


@pytest.mark.parametrize(
    ("engine", "kept"),
    [
        ({"n_ctx": 65_536}, 1024),  # a window of 512 and a step of 512
        ({"n_ctx": 65_536, "n_parallel": 4}, 4 * 1024),
        ({"n_ctx": 65_536, "n_parallel": 4, "kv_unified": True}, 4 * 512 + 512),
        ({"n_ctx": 65_536, "n_ubatch": 100}, 768),
        ({"n_ctx": 512}, 512),
    ],
)
def test_a_window_is_kept_with_the_step_that_is_computed(engine, kept):
    """Rounded up to 256 tokens, and never more than the context."""
    windowed = CachedLayers(LayerKind.WINDOWED, 1, key_elements=2**19, value_elements=0, window=512)
    need = LlamaCpp().memory_need(replace(SMOLLM2, cache=(windowed,)), Configuration(engine=engine))
    assert need.kv_cache_mib == kept


@pytest.mark.parametrize("kv_unified", [False, True])
def test_each_slot_has_states_of_its_own(kv_unified):
    """States are of a sequence, whatever its length and however the cache is shared."""
    state = CachedLayers(LayerKind.STATE, 3, state_bytes=2**20)
    engine = {"n_ctx": 4096, "n_parallel": 4, "kv_unified": kv_unified}
    need = LlamaCpp().memory_need(replace(SMOLLM2, cache=(state,)), Configuration(engine=engine))
    assert need.kv_cache_mib == 12


def _draft(folder, values=None):
    """Write a model of 12,800 bytes, whose four layers keep 128 numbers of a token."""
    path = folder / "draft.gguf"
    path.write_bytes(gguf(gguf_llama() if values is None else values))
    return {"spec_type": "draft-simple", "spec_draft_model": str(path)}


@pytest.mark.parametrize(
    ("engine", "tokens"),
    [
        ({"n_ctx": 4096}, 4096),
        ({"n_ctx": 4096, "n_parallel": 4}, 4096),
        ({"n_ctx": 4096, "cache_type_k": "q8_0", "cache_type_v": "q8_0"}, 4096),
        ({}, 8192),  # the context of the model that it guesses for
    ],
)
def test_a_model_that_guesses_needs_memory_too(tmp_path, engine, tokens):
    """Its weights, and the cache of the same tokens in 16 bits: what the log of a server said."""
    need, alone = _need(**engine, **_draft(tmp_path)), _need(**engine)
    assert need.weights_mib - alone.weights_mib == pytest.approx(12_800 / 2**20)
    assert need.kv_cache_mib - alone.kv_cache_mib == pytest.approx(128 * 2 * tokens / 2**20)


def test_a_model_that_guesses_has_layers_on_gpus_of_its_own_accord(tmp_path):
    """Where the other has none there, both kinds of memory count."""
    assert _need(n_gpu_layers=0, **_draft(tmp_path)).place == "both"


@pytest.mark.parametrize("spec_type", ["none", "ngram-simple"])
def test_a_model_that_nothing_asks_for_is_not_loaded(tmp_path, spec_type):
    """Look-ups need no model."""
    assert _need(**_draft(tmp_path) | {"spec_type": spec_type}) == _need()


@pytest.mark.parametrize("content", [None, b"garbage"])
def test_a_model_that_cannot_be_read_is_left_out_and_said(tmp_path, content):
    """The server says what is wrong with it."""
    path = tmp_path / "none.gguf"
    if content is not None:
        path.write_bytes(content)
    need = _need(spec_type="draft-simple", spec_draft_model=str(path))
    assert need.total_mib == _need().total_mib
    assert f"engine.spec_draft_model {path} is not counted" in need.left_out


def test_a_layout_that_is_not_understood_gives_no_prediction(tmp_path):
    """It is said which model has it."""
    unknown = [*gguf_llama(), ("llama.attention.key_length", *gguf_number(0))]
    unknown = [each for each in unknown if each[0] != "llama.attention.head_count"]
    with pytest.raises(LayoutUnknown, match="spec_draft_model"):
        _need(**_draft(tmp_path, unknown))


def test_own_layers_that_guess_are_loaded_where_they_are_asked_to():
    """Multi-token prediction is stored with the model; its layer caches as the others do."""
    shape = replace(SMOLLM2, weights=replace(SMOLLM2.weights, drafting_bytes=30 * 2**20), drafting_layers=1)
    need = LlamaCpp().memory_need(shape, Configuration(engine={"n_ctx": 4096, "spec_type": "draft-mtp"}))
    alone = LlamaCpp().memory_need(shape, Configuration(engine={"n_ctx": 4096}))
    assert need.weights_mib - alone.weights_mib == pytest.approx(30)
    assert need.kv_cache_mib - alone.kv_cache_mib == pytest.approx(alone.kv_cache_mib / 30)
