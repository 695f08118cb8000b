"""What the GPU, its driver and its libraries say, against what the guard and its simulated devices assume."""

import gpu_facts
import pytest

_CONTEXT_MIB = (100, 1500)


@pytest.fixture(autouse=True)
def torch_python(python, monkeypatch):
    """The facts are asked of the Python that has torch."""
    monkeypatch.setattr(gpu_facts, "PYTHON", str(python))


def test_the_machine(gpu, finding):
    """Name, driver and the programs that compilers of kernels look for."""
    found = gpu_facts.machine()
    finding(found)
    assert found["name"]
    assert found["driver"]


def test_memory_as_nvml_and_torch_see_it(gpu, finding):
    """Total and free mean the same to both; a process's memory is its own or, in a container, unknown."""
    found = gpu_facts.memory()
    finding(found)
    v2, torch = found["v2 MiB"], found["torch with a context MiB"]
    assert gpu.total_mib() == pytest.approx(torch["total"], rel=0.002)
    assert v2["total"] - v2["reserved"] == pytest.approx(torch["total"], rel=0.002)
    assert _CONTEXT_MIB[0] < found["context MiB"] < _CONTEXT_MIB[1]
    assert found["2 GiB and a context MiB"] - found["context MiB"] == pytest.approx(2048, abs=64)
    # In a container NVML may know processes by the host's ids, and then names none of ours.
    ours = any(each["ours"] for each in found["processes as NVML lists them"])
    assert found["used by our pid MiB"] >= 2048 if ours else found["used by our pid MiB"] == 0


def test_what_the_guard_asks_often_is_cheap(gpu, finding):
    """Memory and processes take well below a thousandth of the guard's shortest pause of 10 ms each."""
    found = gpu_facts.calls()
    finding(found)
    assert found["memory"] < 1000
    assert found["processes"] < 1000


def test_energy_is_what_the_power_readings_add_up_to(gpu, finding):
    """The counter and the integral of power agree within a quarter, where the GPU counts energy."""
    if gpu.energy_joules() is None:
        pytest.skip("NOT TESTED: this GPU counts no energy")
    found = gpu_facts.energy()
    finding(found)
    assert found["counter J"] == pytest.approx(found["integral of power J"], rel=0.25)
    assert found["counter J"] > 50


def test_the_same_gpus_are_visible_to_cuda_and_to_us(gpu, finding):
    """Whatever CUDA_VISIBLE_DEVICES says, torch and llmopt see the same number of GPUs."""
    found = gpu_facts.visibility()
    finding(found)
    assert {name: int(each["torch"]) for name, each in found.items()} == {
        name: each["llmopt"] for name, each in found.items()
    }


def test_a_gpu_that_is_filled_on_purpose_is_at_no_level(gpu, finding):
    """What is reserved counts for no level, up to 97 % of the GPU."""
    found = gpu_facts.levels()
    finding(found)
    assert {each["reserved as held"] for each in found.values()} <= {"SAFE", "WARNING"}


def test_no_sampling_sees_a_gpu_fill_up(gpu, finding):
    """A program fills the card within seconds: the guard bounds what stays, not what is asked for."""
    found = gpu_facts.allocation()
    finding(found)
    assert found["GiB"] > 0.9 * gpu.total_mib() / 1024
