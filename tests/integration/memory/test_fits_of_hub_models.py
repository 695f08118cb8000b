"""What fits of models of the hub: the hub's own library against a hub on this machine, whose bytes count."""

import json
import os
import subprocess
import sys

import pytest
from fakes.gguf_files import gguf, gguf_llama
from fakes.hub_server import HubServer
from fakes.model_configs import LLAMA

pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")

WEIGHTS_BYTES = 8 * 2**20


def _safetensors(name):
    entry = {"dtype": "BF16", "shape": [1024, 4096], "data_offsets": [0, WEIGHTS_BYTES]}
    text = json.dumps({name: entry}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(WEIGHTS_BYTES)


def _config(**changes):
    return json.dumps({**LLAMA, **changes}).encode()


REPOSITORIES = {
    "org/whole": {"config.json": _config(), "model.safetensors": _safetensors("model.layers.0.up.weight")},
    "org/parts": {
        "config.json": _config(),
        "model.safetensors.index.json": json.dumps(
            {"metadata": {}, "weight_map": {"a.weight": "one.safetensors", "b.weight": "two.safetensors"}}
        ).encode(),
        "one.safetensors": _safetensors("a.weight"),
        "two.safetensors": _safetensors("b.weight"),
    },
    "org/config-only": {"config.json": _config()},
    "org/damaged": {"config.json": _config(), "model.safetensors": b"\xff" * 4096},
    "org/gguf": {"small.gguf": gguf(gguf_llama()) + bytes(WEIGHTS_BYTES)},
}


@pytest.fixture
def hub():
    with HubServer(REPOSITORIES) as server:
        yield server


def _described(hub, model, tmp_path):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "hub"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    command = (sys.executable, "-m", "llmopt_runner.memory.fit_report")
    options = (f"--model={model}", "--gpu-memory-mib=1024", "--share=1", "--reserve-mib=0")
    ended = subprocess.run((*command, *options), env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("model", "weights_mib"), [("org/whole", 8), ("hf://org/whole", 8), ("hf://org/parts@main", 16)]
)
def test_headers_are_enough(hub, tmp_path, model, weights_mib):
    """Configuration and headers of all parts are fetched, and no weight."""
    found = _described(hub, model, tmp_path)
    assert found["fits"][0]["weights_mib"] == weights_mib
    assert found["fits"][0]["kv_bytes_per_token"] == 4 * 2 * 2 * 8 * 2
    assert hub.sent_bytes < WEIGHTS_BYTES / 4


def test_a_repository_without_safetensors_has_no_weights(hub, tmp_path):
    """Its cache is known by its configuration, its weights are not."""
    found = _described(hub, "org/config-only", tmp_path)
    assert found["fits"][0]["weights_mib"] is None
    assert found["fits"][0]["kv_bytes_per_token"] == 4 * 2 * 2 * 8 * 2


def test_a_gguf_file_is_read_by_ranges(hub, tmp_path):
    """Its header lies at its beginning."""
    found = _described(hub, "hf://org/gguf/small.gguf", tmp_path)
    assert found["fits"][0]["weights_mib"] == pytest.approx(12800 / 2**20, abs=1e-3)
    assert hub.sent_bytes < WEIGHTS_BYTES


@pytest.mark.parametrize("model", ["org/absent", "hf://org/gguf/absent.gguf", "org/damaged", "hf://org"])
def test_what_is_not_there_is_one_clear_error(hub, tmp_path, model):
    """The name is in the message, and no traceback."""
    assert (
        model.removeprefix("hf://").removesuffix("/absent.gguf") in _described(hub, model, tmp_path)["error"]
    )


def test_a_hub_that_cannot_be_reached_is_said_to_be(tmp_path):
    """Neither the model's name nor a token is to be corrected then."""
    with HubServer({}) as gone:
        pass
    said = _described(gone, "org/name", tmp_path)["error"]
    assert said.startswith("hf://org/name: the hub cannot be reached: connect this machine")
