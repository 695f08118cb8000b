"""When FlashInfer's sampler is switched off: where its kernels could not be compiled."""

import sys
from pathlib import Path

import pytest

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.vllm.engine import Vllm
from llmopt_runner.engines.vllm.sampler import SAMPLER, sampler_variables

LIBRARY, COMPILED = "flashinfer-python", "flashinfer-jit-cache"


@pytest.fixture
def environment_with(tmp_path):
    """Return what makes an environment with packages, and gives its program."""

    def make(*packages):
        folder = tmp_path / "environment"
        (folder / "bin").mkdir(parents=True)
        site = folder / "packages"
        for name in packages:
            info = site / f"{name.replace('-', '_')}-1.0.dist-info"
            info.mkdir(parents=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        python = folder / "bin" / "python"
        python.write_text(
            f'#!/bin/sh\nshift 2\nexec {sys.executable} -I -c "import sys; sys.path[:] = [{str(site)!r},'
            ' *sys.path]; exec(sys.argv[1])" "$1"\n'
        )
        python.chmod(0o755)
        program = folder / "bin" / "vllm"
        program.touch(mode=0o755)
        return program

    return make


@pytest.fixture
def compilers(tmp_path):
    """Return a PATH with nvcc and g++."""
    for name in ("nvcc", "g++"):
        path = tmp_path / "compilers" / name
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o755)
    return str(tmp_path / "compilers")


@pytest.mark.parametrize(("packages", "off"), [((), False), ((LIBRARY,), True), ((LIBRARY, COMPILED), False)])
def test_without_compilers_it_needs_its_compiled_kernels(environment_with, packages, off):
    """The library alone compiles when the server starts, and the server dies."""
    expected = {SAMPLER: "0"} if off else {}
    assert sampler_variables(environment_with(*packages), {"PATH": "", "CUDA_HOME": "/nowhere"}) == expected


def test_with_compilers_it_stays_on(environment_with, compilers):
    """What vLLM does by itself is what is measured."""
    assert sampler_variables(environment_with(LIBRARY), {"PATH": compilers, "CUDA_HOME": ""}) == {}


def test_what_the_user_chose_stays(environment_with):
    """Either way."""
    assert sampler_variables(environment_with(LIBRARY), {"PATH": "", SAMPLER: "1"}) == {}


def test_the_start_and_the_command_to_paste_say_the_same(environment_with, monkeypatch, tmp_path):
    """What was measured without that sampler is served without it."""
    program = environment_with(LIBRARY)
    monkeypatch.setenv("LLMOPT_ENGINE_VLLM", str(program))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CUDA_HOME", "/nowhere")
    monkeypatch.delenv(SAMPLER, raising=False)
    settings = LaunchSettings(tmp_path, "org/a-model", tmp_path, Path(tmp_path / "log"), port=1234)
    assert Vllm().command(settings).env[SAMPLER] == "0"
    assert Vllm().serve_arguments(Configuration(), settings).startswith(f"env {SAMPLER}=0 {program} serve")
