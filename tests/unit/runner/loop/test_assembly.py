"""What a runner is put together from."""

import json
from pathlib import Path
from typing import Any

import pytest
from fakes.model_configs import LLAMA
from fakes.nvml_library import Gpu, install

from llmopt_core.resources.serving import Engine, MemoryGuard, Model
from llmopt_core.search.configurations import Configuration
from llmopt_runner.loop.assembly import RemoteCodeDenied, Served, Shared
from llmopt_runner.stopping import StopSignal


def _shared(guard: Any = None, stopping: Any = None) -> Shared:
    nothing: Any = None  # what the study and the workload are is not looked at
    return Shared(nothing, nothing, "10m", guard, Path(), stopping, nothing, {})


def test_a_models_own_code_is_denied_whatever_the_study_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant can write a candidate into its study: where the operator denies remote code, none is run."""
    monkeypatch.setenv("LLMOPT_REMOTE_CODE", "deny")
    model = Model(source="hf://org/name", trust_remote_code=True)
    with pytest.raises(RemoteCodeDenied, match=r"hf://org/name .*settings\.policy\.trustRemoteCode"):
        _shared().slot(Served(model, Engine(name="vllm"), None, None))


def test_what_a_slot_refuses_is_known_by_the_models_files_and_the_visible_gpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both are read when it is made; without NVML only the files say something."""
    quantised = {**LLAMA, "quantization_config": {"quant_method": "awq"}}
    (tmp_path / "config.json").write_text(json.dumps(quantised))
    header = {"model.layers.0.qweight": {"dtype": "I32", "shape": [8, 8], "data_offsets": [0, 256]}}
    text = json.dumps(header).encode()
    (tmp_path / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(256))
    served = Served(Model(source=f"file://{tmp_path}"), Engine(name="vllm"), None, None)
    asked = Configuration(engine={"quantization": "fp8_per_tensor"})
    cached = Configuration(engine={"kv_cache_dtype": "fp8"})

    install(monkeypatch, Gpu("GPU-a", name="Tesla T4", capability=(7, 5)))
    slot = _shared(guard=MemoryGuard(), stopping=StopSignal()).slot(served)
    assert "already, as awq" in slot.unsupported(asked)[0]
    assert "gpu0 (Tesla T4)" in slot.unsupported(cached)[0]

    install(monkeypatch, driver=False)
    slot = _shared(guard=MemoryGuard(), stopping=StopSignal()).slot(served)
    assert slot.unsupported(asked)
    assert not slot.unsupported(cached)


@pytest.mark.parametrize(("reported", "counted"), [(None, 1), ("no", 0)])
def test_the_hours_of_gpus_that_another_runner_counts_are_not_counted_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reported: str | None, counted: int
) -> None:
    """Whoever shares the GPUs out says so; the GPUs are watched all the same."""
    install(monkeypatch, Gpu("GPU-a"))
    monkeypatch.delenv("LLMOPT_GPUS_COUNTED", raising=False)
    if reported is not None:
        monkeypatch.setenv("LLMOPT_GPUS_COUNTED", reported)
    served = Served(Model(source=f"file://{tmp_path}"), Engine(name="vllm"), None, None)
    memory = _shared(guard=MemoryGuard(), stopping=StopSignal()).slot(served).memory
    assert (memory.gpus, memory.counted_gpus) == (1, counted)
