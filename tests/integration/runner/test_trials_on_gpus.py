"""What a trial says of the GPU that it was measured on; engine, study and load are real processes.

The engine is a stand-in for vLLM, and NVML's library one below pynvml.
"""

import pytest
from fakes.fake_vllm import install as install_vllm
from fakes.nvml_library import Gpu
from fakes.nvml_library import install as install_nvml

from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.sampling.opening import own_study
from llmopt_core.storage.records import OutcomeKind
from llmopt_runner.loop.assembly import search_runner, shared
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.progress import Progress

NEIGHBOUR, GPU_MIB = 999_999_777, 81_000
COMPILES = "INFO 01-01 00:00:00 [backends.py:1] Compiling a graph for compile range (1, 2048) takes 9.81 s\n"


def _resource(model):
    return LLMOptimization.model_validate(
        {
            "apiVersion": "llmopt.dev/v1alpha1",
            "kind": "LLMOptimization",
            "metadata": {"name": "study"},
            "spec": {
                "model": {"source": f"file://{model}"},
                "engine": {"name": "vllm"},
                "workload": {
                    "dataset": {"name": "arithmetic", "samples": 4},
                    "load": {"concurrency": 1, "warmupRequests": 1},
                    "maxTokens": 4,
                },
                "search": {
                    "sampler": {"name": "random"},
                    "pruner": {"name": "none"},
                    "space": {"sampling": [{"name": "temperature", "float": {"low": "0.1", "high": "1"}}]},
                },
                "objectives": [{"metric": "output_tokens_per_second"}],
            },
        }
    )


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that counts 5 J more with each look at its energy."""
    gpu = Gpu(total_mib=GPU_MIB, millijoules=0)
    library = install_nvml(monkeypatch, gpu)
    count = library.nvmlDeviceGetTotalEnergyConsumption

    def counting(handle, millijoules):
        gpu.millijoules += 5_000
        return count(handle, millijoules)

    library.nvmlDeviceGetTotalEnergyConsumption = counting
    return gpu


@pytest.fixture
def trials(tmp_path, monkeypatch):
    """Return what measures one more trial, all on one engine, and gives runner and outcome."""
    model = tmp_path / "model"
    model.mkdir()
    monkeypatch.setenv("LLMOPT_ENGINE_VLLM", str(install_vllm(tmp_path / "bin", says=COMPILES)))
    with open_for_search(f"sqlite:///{tmp_path / 'study.db'}") as storage:
        resource = _resource(model)
        study = own_study(storage, resource)
        common = shared(resource.spec, study, tmp_path, StopSignal(), Progress(), {})
        runner = search_runner(resource.spec, common)

        def measure():
            claim = study.claim("runner", budget=9)
            outcome = runner.run(claim)
            study.finish(claim, outcome)
            assert outcome.kind is OutcomeKind.MEASURED, outcome.failure
            return outcome

        yield runner, measure
        runner.slot.close()


def _reported(outcome, words):
    return any(words in warning for warning in outcome.warnings)


def test_a_trial_says_who_used_its_gpu_and_whether_its_start_was_a_first_one(gpu, trials):
    """A neighbour disturbs it and takes its energy from the figures; alone there is nothing to say."""
    runner, measure = trials
    first = measure()
    assert _reported(first, "gpu0: visible, and the engine holds less than 100 MiB")
    assert _reported(first, "the engine compiled kernels in this start")
    assert "engine_start_seconds" in first.metrics
    assert "energy_joules_per_token" not in first.metrics

    for pid in runner.slot.memory.guard.pids_seen:
        gpu.hold(pid, 10_000)
    alone = measure()
    assert not _reported(alone, "compiled kernels")
    assert not _reported(alone, "other programs used gpu0")
    assert alone.metrics["energy_joules_per_token"] > 0
    assert alone.metrics["peak_gpu_memory_mib"] >= 10_000

    gpu.hold_elsewhere(NEIGHBOUR, 5_000)
    beside = measure()
    assert _reported(beside, "other programs used gpu0 during the measurement (1 processes, 5000 MiB)")
    assert beside.disturbed
    assert "energy_joules_per_token" not in beside.metrics
    for process in list(gpu.processes):
        gpu.processes.remove(process)
