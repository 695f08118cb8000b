"""Which models are fetched before an engine starts, and which of their files."""

from pathlib import Path

import pytest

from llmopt_runner.models.hub_downloads import fetched, fetches, wanted_files
from llmopt_runner.models.resolution import ResolvedModel

OF_THE_HUB = ResolvedModel(None, "org/name")
COMMON = ("config.json", "tokenizer.json", "README.md")


@pytest.mark.parametrize(
    ("weights", "left_out"),
    [
        (("model.safetensors",), ()),
        (("model.safetensors",), ("pytorch_model.bin", "model.gguf", "tf_model.h5", "onnx/model.onnx")),
        (
            ("a-1.safetensors", "a-2.safetensors"),
            ("consolidated.safetensors", "original/consolidated.00.pth"),
        ),
        (("pytorch_model.bin",), ("flax_model.msgpack", "rust_model.ot")),
    ],
)
def test_a_repository_is_fetched_once_and_not_in_every_format(weights, left_out):
    """Safetensors, else older weights; what other libraries load is left out."""
    assert wanted_files((*COMMON, *weights, *left_out)) == (*COMMON, *weights)


def test_weights_that_are_there_in_one_format_alone_are_fetched():
    """Some repositories have no config.json, and only the second set."""
    names = ("params.json", "tekken.json", "consolidated.safetensors")
    assert wanted_files(names) == names


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """A cache that can be written to, and a network that may be asked."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)


def test_a_model_of_the_hub_is_fetched():
    """One by its name, whose files are the hub's."""
    assert fetches(OF_THE_HUB)


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_nothing_is_fetched(monkeypatch, name):
    """What is cached serves; what is not, the engine says."""
    monkeypatch.setenv(name, "1")
    assert not fetches(OF_THE_HUB)


def test_without_the_library_the_engine_is_left_to_it(monkeypatch):
    """Nothing here can fetch it, and the engine's own environment may."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    assert not fetches(OF_THE_HUB)


def test_a_cache_that_cannot_be_written_to_is_left_alone(monkeypatch):
    """The engine then has a cache of its own."""
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert not fetches(OF_THE_HUB)


def test_a_model_on_this_machine_is_not_fetched():
    """Nobody is asked and nothing is said."""
    asked = []
    here = ResolvedModel(Path("/model"), "model")
    fetched("file:///model", here, None, apart=lambda *work: asked.append(work), report=asked.append)
    assert asked == []
