"""Models fetched before the first start: the hub's own library against a hub on this machine."""

import json
import os
import subprocess
import sys

import pytest
from fakes.hub_server import HubServer
from fakes.model_configs import LLAMA

pytest.importorskip("huggingface_hub", reason="the extra `hub` is not installed")

WEIGHTS_BYTES = 8 * 2**20
_HEADER = json.dumps(
    {
        "model.embed_tokens.weight": {
            "dtype": "BF16",
            "shape": [2048, 2048],
            "data_offsets": [0, WEIGHTS_BYTES],
        }
    }
).encode()
REPOSITORIES = {
    "org/llama": {
        "config.json": json.dumps(LLAMA).encode(),
        "model.safetensors": len(_HEADER).to_bytes(8, "little") + _HEADER + bytes(WEIGHTS_BYTES),
    },
    "org/whole": {
        "config.json": b"{}",
        "model.safetensors": bytes(WEIGHTS_BYTES),
        "pytorch_model.bin": bytes(WEIGHTS_BYTES),
    },
}
FETCH = """
import json, sys
from llmopt_core.errors.classes import LlmoptError
from llmopt_runner.models.hub_downloads import fetched
from llmopt_runner.models.resolution import hub_snapshot, resolve_model
from llmopt_runner.stopping import StopSignal
source, stages = sys.argv[1], []
try:
    model = resolve_model(source)
    fetched(source, model, None, apart=StopSignal().run_apart, report=stages.append)
    snapshot = hub_snapshot(model.id, model.revision)
    print(json.dumps({"files": sorted(path.name for path in snapshot.iterdir()), "stages": stages}))
except LlmoptError as error:
    print(json.dumps({"error": error.failure.error_class, "message": str(error)}))
"""

# What a runner does before its first trial; each stage that a status would show is a line.
ASSEMBLE = """
import json, sys
from pathlib import Path
from llmopt_core.resources.serving import Engine, MemoryGuard, Model
from llmopt_core.search.configurations import Configuration
from llmopt_runner.loop.assembly import Served, Shared
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.progress import Progress
class Told(Progress):
    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name == "stage":
            print(value, flush=True)
common = Shared(None, None, "10m", MemoryGuard(), Path(), StopSignal(), Told(), {})
slot = common.slot(Served(Model(source=sys.argv[1]), Engine(name="vllm"), None, None))
print(json.dumps(slot.memory._need_of(slot.engine, Configuration()).weights_mib))
"""


@pytest.fixture
def hub():
    with HubServer(REPOSITORIES) as server:
        yield server


def _start(hub, source, home, program=FETCH):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    return subprocess.Popen(
        (sys.executable, "-c", program, source), env=environment, stdout=subprocess.PIPE, text=True
    )


def _last_line(process):
    output, _ = process.communicate(timeout=120)
    return output.splitlines()[-1]


def _answer(process):
    output, _ = process.communicate(timeout=120)
    return json.loads(output)


def test_a_model_is_in_the_cache_before_any_engine_starts(hub, tmp_path):
    """Its files are where engines and predictions look, in one format; asked again, nothing is sent."""
    answer = _answer(_start(hub, "hf://org/whole", tmp_path))
    assert answer["files"] == ["config.json", "model.safetensors"]
    assert all(stage.startswith("downloading the model: ") for stage in answer["stages"])
    sent = hub.sent_bytes
    assert sent >= WEIGHTS_BYTES
    assert _answer(_start(hub, "hf://org/whole", tmp_path))["files"] == answer["files"]
    assert hub.sent_bytes == sent


def test_the_first_prediction_is_made_of_what_was_downloaded(tmp_path):
    """While it downloads the stage says how far it is; then the files' headers say what the model needs."""
    with HubServer(REPOSITORIES, held=True) as hub:
        runner = _start(hub, "hf://org/llama", tmp_path, ASSEMBLE)
        stages = iter(runner.stdout.readline, "")
        assert any(line.startswith("downloading the model: 0.0 of 0.0 GiB") for line in stages)
        hub.released.set()
        assert json.loads(_last_line(runner)) == pytest.approx(WEIGHTS_BYTES / 2**20)


def test_runners_that_share_a_cache_fetch_once(hub, tmp_path):
    """The second waits for the first, and both find the files."""
    runners = [_start(hub, "hf://org/whole", tmp_path) for _ in range(2)]
    assert {tuple(_answer(runner)["files"]) for runner in runners} == {("config.json", "model.safetensors")}
    assert hub.sent_bytes < 2 * WEIGHTS_BYTES


def test_a_model_that_is_not_there_costs_no_start(hub, tmp_path):
    """The field and the source are named, and what to do."""
    answer = _answer(_start(hub, "hf://org/absent", tmp_path))
    assert answer["error"] == "ModelNotFound"
    assert answer["message"].startswith("spec.model.source: hf://org/absent: ")


def test_a_disk_that_is_too_small_is_reported_before_anything_is_sent(hub, tmp_path):
    """How much is to be fetched, how much is free, and where."""
    small = "import shutil, types\nshutil.disk_usage = lambda _path: types.SimpleNamespace(free=1024)\n"
    answer = _answer(_start(hub, "hf://org/whole", tmp_path, small + FETCH))
    assert answer["error"] == "DiskFull"
    assert f"to {tmp_path / 'hub'}, which has 0.0; free space" in answer["message"]
    assert hub.sent_bytes < WEIGHTS_BYTES
