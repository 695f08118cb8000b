"""What a runner is put together from."""

from pathlib import Path
from typing import Any

import pytest

from llmopt_core.resources.serving import Engine, Model
from llmopt_runner.loop.assembly import RemoteCodeDenied, Served, Shared


def _shared() -> Shared:
    nothing: Any = None  # what the study and the workload are is not looked at
    return Shared(nothing, nothing, "10m", nothing, Path(), nothing, nothing, {})


def test_a_models_own_code_is_denied_whatever_the_study_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant can write a candidate into its study: where the operator denies remote code, none is run."""
    monkeypatch.setenv("LLMOPT_REMOTE_CODE", "deny")
    model = Model(source="hf://org/name", trust_remote_code=True)
    with pytest.raises(RemoteCodeDenied, match=r"hf://org/name .*settings\.policy\.trustRemoteCode"):
        _shared().slot(Served(model, Engine(name="vllm"), None, None))
