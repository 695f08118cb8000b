"""What NVML really says while a process takes memory of a GPU and gives it back."""

import subprocess
import time

from fakes.gpu_memory import HOLD, holding

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.classification import Evidence, classify

_BURN = """
import time, torch
a = torch.randn(4096, 4096, device="cuda")
end = time.monotonic() + 2
while time.monotonic() < end:
    a = (a @ a).clamp(-1, 1)
torch.cuda.synchronize()
"""
_PATIENCE_SECONDS = 30


def _until(condition):
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_memory_of_a_process_is_seen_and_comes_back(gpu, python):
    """Two GiB more are in use while they are held, and are free again when the holder has ended."""
    before = gpu.used_mib()
    assert 0 <= before < gpu.total_mib()
    with holding(python, 2048) as process:
        assert gpu.used_mib() - before >= 2048
        # In a container NVML may know processes by the host's ids, and then names none of ours.
        assert gpu.used_by_mib([process.pid]) == 0 or gpu.used_by_mib([process.pid]) >= 2048
    _until(lambda: gpu.used_mib() - before < 64)


def test_energy_grows_with_work(gpu, python):
    """Two seconds of matrix products take at least some joules, where the GPU counts them."""
    before = gpu.energy_joules()
    subprocess.run((python, "-c", _BURN), check=True)
    after = gpu.energy_joules()
    if before is None:
        assert after is None
        return
    assert after - before > 50


def test_a_real_cuda_out_of_memory_has_its_class(gpu, python):
    """What torch writes when a GPU is full is classified, and its message holds the sizes."""
    too_much = str(int(gpu.total_mib()) * 2)
    ended = subprocess.run(
        (python, "-c", HOLD, too_much), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    failure = classify(Evidence(ended.stderr, exit_code=ended.returncode))
    assert failure.error_class is ErrorClass.GPU_OUT_OF_MEMORY
    assert "GiB" in failure.message
