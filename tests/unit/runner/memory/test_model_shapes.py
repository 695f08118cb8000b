"""The shape of what a person calls a model, where its files are on this machine."""

import json
import re

import pytest
from fakes.gguf_files import gguf, gguf_llama
from fakes.model_configs import LLAMA

from llmopt_runner.memory.fit_report import main
from llmopt_runner.memory.model_shapes import ModelUnreadable, shape_of
from llmopt_runner.models.resolution import ModelCorrupt, ModelNotFound

HEADER = {"model.layers.0.up.weight": {"dtype": "BF16", "shape": [64, 64], "data_offsets": [0, 8192]}}


@pytest.fixture
def folder(tmp_path):
    """A folder with nothing but a configuration."""
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    return tmp_path


def _add_header(folder):
    text = json.dumps(HEADER).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)


def test_a_configuration_alone_gives_the_cache(folder):
    """Weights that are not there are unknown, not zero."""
    shape = shape_of(str(folder))
    assert (shape.weight_bytes, len(shape.cache), shape.unknown) == (0, 1, "")


def test_headers_alone_give_the_weights(folder):
    """A file may end where its data would begin."""
    _add_header(folder)
    assert shape_of(str(folder)).weight_bytes == 8192


def test_an_index_without_its_parts_says_their_size(folder):
    """Its total is all that is known of the weights: they are taken as stored."""
    index = {"metadata": {"total_size": 5000}, "weight_map": {"a": "one.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    shape = shape_of(str(folder))
    assert (shape.weight_bytes, shape.weights.is_quantised) == (5000, True)


def test_a_gguf_file_is_read_where_it_lies(tmp_path):
    """By its path or as the source of a manifest."""
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(gguf_llama()))
    assert shape_of(str(path)) == shape_of(f"file://{path}")
    assert shape_of(str(path)).weight_bytes == 12800


@pytest.mark.parametrize("name", ["./absent", "/no/such/folder", "one", "a/b/c", "http://host/model"])
def test_a_name_of_nothing_is_one_clear_error(name):
    """It names what was given."""
    with pytest.raises(ModelNotFound, match=name.split("://")[0].strip("./")):
        shape_of(name)


def test_a_folder_without_a_configuration_says_what_is_expected(tmp_path):
    """A folder of anything else is no model."""
    with pytest.raises(ModelUnreadable, match=r"config\.json"):
        shape_of(str(tmp_path))


def test_a_damaged_file_is_named(folder):
    """As a runner would name it."""
    (folder / "model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(ModelCorrupt, match=r"model\.safetensors"):
        shape_of(str(folder))


def _described(capsys, *arguments):
    assert main([*arguments, "--share=0.9", "--reserve-mib=10"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_program_prints_one_document(folder, capsys):
    """What was asked, what there is, and every choice of types with its terms."""
    _add_header(folder)
    found = _described(
        capsys, f"--model={folder}", "--gpu-memory-mib=1000", "--gpus=2", "--context=256", f"--draft={folder}"
    )
    assert (found["gpus"], found["context"], found["max_context"]) == (2, 256, 512)
    assert found["hardware"] == {"gpus": 2, "memory_mib": 1000.0, "share": 0.9, "reserve_mib": 10.0}
    assert [term["name"] for term in found["fits"][0]["terms"]][:3] == [
        "weights",
        "weights of the draft model",
        "reserve",
    ]
    assert found["fits"][0]["longest_context"] == 512
    assert found["split"] == {
        "tensor": 2, "pipeline": 1, "data": 1, "whole_experts": False, "gpus": 2,
        "assumed": ["tensor", "pipeline", "data"],
    }  # fmt: skip


@pytest.mark.parametrize(("context", "notes"), [(512, 0), (513, 1)])
def test_requests_beyond_the_context_of_the_model_are_said(folder, capsys, context, notes):
    """No number of them fits."""
    found = _described(capsys, f"--model={folder}", "--gpu-memory-mib=1000", f"--context={context}")
    assert sum("none is served" in note for note in found["notes"]) == notes


def test_sizes_without_a_number_of_gpus_say_how_many_there_are(folder, capsys):
    """Their product; what is given is not assumed."""
    sizes = ("--tensor-parallel=2", "--pipeline-parallel=2", "--data-parallel=3")
    found = _described(capsys, f"--model={folder}", "--gpu-memory-mib=1000", *sizes)
    assert (found["gpus"], found["hardware"]["gpus"], found["split"]["assumed"]) == (12, 12, [])


def test_a_split_that_cannot_be_is_an_error_in_the_document(folder, capsys):
    """It names the sizes."""
    found = _described(capsys, f"--model={folder}", "--gpus=4", "--tensor-parallel=8")
    assert found == {"error": "--tensor-parallel 8 needs 8 GPUs, there are 4: lower a size, or set --gpus 8"}


def test_a_problem_is_reported_with_the_document(folder, capsys):
    """A layout that is not understood has no cache, and says why."""
    (folder / "config.json").write_text(json.dumps({**LLAMA, "layer_types": ["new_attention"] * 4}))
    found = _described(capsys, f"--model={folder}", "--gpu-memory-mib=1000")
    assert "'new_attention'" in found["problem"]
    assert found["fits"][0]["kv_bytes_per_token"] is None


def test_a_file_of_another_kind_is_no_damaged_model(tmp_path):
    """A manifest given in place of a model is said to be none; a GGUF file of any name is read."""
    (tmp_path / "llmopt.yaml").write_text("kind: LLMOptimization\n")
    with pytest.raises(ModelUnreadable, match=r"llmopt\.yaml: this is not a GGUF file"):
        shape_of(str(tmp_path / "llmopt.yaml"))
    (tmp_path / "weights").write_bytes(gguf(gguf_llama()))
    assert shape_of(str(tmp_path / "weights")).unknown == ""


@pytest.mark.parametrize("model", ["name", "nope.gguf", "folder/nope.gguf", "./nope", "a/b/c"])
def test_a_path_where_nothing_is_is_no_model_of_the_hub(model):
    """A file that is not there is not asked of the hub."""
    with pytest.raises(ModelNotFound, match=f"^{re.escape(model)}: there is no such file or folder"):
        shape_of(model)


def test_a_model_that_is_not_there_is_an_error_in_the_document(capsys):
    """The program ends well: what is wrong is its answer."""
    assert "/no/such" in _described(capsys, "--model=/no/such")["error"]
