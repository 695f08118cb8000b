"""What a real GPU, its driver and its libraries do, as JSON: the basis of the tests' simulated devices.

`gpu_facts.py [FILE [FINDING …]]` needs a Python with torch for CUDA: the one in the folder that
LLMOPT_ENGINE_TRANSFORMERS names, else this one. Findings are independent: where one cannot be measured, its
reason is printed and the others continue.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pynvml

from llmopt_core.engines.registry import all_patterns
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.occupancy import Occupancy
from llmopt_runner.guard.levels import Thresholds
from llmopt_runner.host.nvml import VISIBLE_VARIABLE, visible_gpus

MIB = 2**20
PYTHON = str(Path(os.environ.get("LLMOPT_ENGINE_TRANSFORMERS", Path(sys.executable).parent)) / "python")
KILLED_GIB = 60
SAMPLE_SECONDS = 0.005
CALLS = 200
BURN_SECONDS = 5.0

HOLD = """
import sys, torch
mib, threads = int(sys.argv[1]), int(sys.argv[2])
torch.zeros(1, device="cuda")
block = torch.empty(mib * 2**20, dtype=torch.uint8, device="cuda") if mib else None
import threading, time
for _ in range(threads):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
free, total = torch.cuda.mem_get_info()
print(free, total, torch.__version__, torch.version.cuda, flush=True)
sys.stdin.read()
"""
BURN = f"""
import time, torch
a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
torch.cuda.synchronize()
print("go", flush=True)
end = time.monotonic() + {BURN_SECONDS}
while time.monotonic() < end:
    for _ in range(10):
        b = a @ a
    torch.cuda.synchronize()
"""
ALLOCATE = """
import time, torch
torch.zeros(1, device="cuda")
blocks, begin = [], time.monotonic()
while True:
    try:
        blocks.append(torch.empty(2**30, dtype=torch.uint8, device="cuda"))
    except torch.OutOfMemoryError:
        break
torch.cuda.synchronize()
print(len(blocks), time.monotonic() - begin)
"""
FAULTS = {
    "out of memory": """
import torch
torch.empty(2 * torch.cuda.mem_get_info()[1], dtype=torch.uint8, device="cuda")
""",
    "device-side assert": """
import torch
print(torch.arange(4, device="cuda")[torch.tensor([9], device="cuda")])
""",
    "no such device": """
import torch
torch.zeros(1, device="cuda:1")
""",
    "no device visible": """
import os
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import torch
torch.zeros(1, device="cuda")
""",
    "compile without a C compiler": """
import os, tempfile
os.environ["PATH"] = ""
os.environ.pop("CC", None)
os.environ["TRITON_CACHE_DIR"] = os.environ["TORCHINDUCTOR_CACHE_DIR"] = tempfile.mkdtemp()
import torch
print(torch.compile(lambda x: torch.sin(x) + torch.cos(x))(torch.ones(64, device="cuda")))
""",
    "missing flash attention": """
from transformers import LlamaConfig, LlamaForCausalLM
LlamaForCausalLM._from_config(LlamaConfig(num_hidden_layers=1), attn_implementation="flash_attention_2")
""",
    "an illegal access": """
import torch, triton, triton.language as tl
@triton.jit
def store(pointer):
    tl.store(pointer + 2**40, 1.0)
store[(1,)](torch.zeros(4, device="cuda"))
torch.cuda.synchronize()
""",
}


class Holder:
    """A process that holds memory of the GPU while the block runs."""

    def __init__(self, mib: int, threads: int = 0) -> None:
        """Start it and wait until it holds."""
        self.process = subprocess.Popen(
            (PYTHON, "-c", HOLD, str(mib), str(threads)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().split()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate("")


def gpu() -> Any:
    return visible_gpus()[0]


def handle() -> Any:
    return pynvml.nvmlDeviceGetHandleByIndex(0)


def used_mib() -> float:
    return float(gpu().used_mib())


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def machine() -> dict[str, Any]:
    h = handle()
    return {
        "name": text(pynvml.nvmlDeviceGetName(h)),
        "driver": text(pynvml.nvmlSystemGetDriverVersion()),
        "cuda of the driver": pynvml.nvmlSystemGetCudaDriverVersion_v2(),
        "compute capability": list(pynvml.nvmlDeviceGetCudaComputeCapability(h)),
        "persistence mode": pynvml.nvmlDeviceGetPersistenceMode(h),
        "compute mode": pynvml.nvmlDeviceGetComputeMode(h),
        "programs": {name: shutil.which(name) for name in ("gcc", "g++", "nvcc", "ptxas", "nvidia-smi")},
        "/usr/local/cuda": Path("/usr/local/cuda").exists(),
        "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH"),
        "shared memory MiB": shutil.disk_usage("/dev/shm").total // MIB,  # noqa: S108 - where CUDA libraries keep it
    }


def memory() -> dict[str, Any]:
    """Memory by NVML's two versions and by torch, before and while a process holds 2 GiB."""
    h, before = handle(), used_mib()
    v1 = pynvml.nvmlDeviceGetMemoryInfo(h)
    v2 = pynvml.nvmlDeviceGetMemoryInfo(h, version=pynvml.nvmlMemory_v2)
    with Holder(0) as context:
        with_context = used_mib()
        free, total, torch_version, cuda = context.said
    with Holder(2048) as holder:
        pid = holder.process.pid
        held = used_mib()
        listed = [
            {
                "ours": each.pid == pid,
                "known here": Path(f"/proc/{each.pid}").exists(),
                "used": each.usedGpuMemory,
            }
            for each in pynvml.nvmlDeviceGetComputeRunningProcesses(h)
        ]
        by_pid = gpu().used_by_mib([pid])
    return {
        "v1 MiB": [round(getattr(v1, name) / MIB, 1) for name in ("total", "free", "used")],
        "v2 MiB": {name: round(getattr(v2, name) / MIB, 1) for name in ("total", "reserved", "free", "used")},
        "torch with a context MiB": {"free": int(free) / MIB, "total": int(total) / MIB},
        "torch": torch_version,
        "cuda of torch": cuda,
        "context MiB": with_context - before,
        "2 GiB and a context MiB": held - before,
        "processes as NVML lists them": listed,
        "used by our pid MiB": by_pid,
    }


def calls() -> dict[str, float]:
    """Median microseconds of the calls that a guard makes again and again."""
    h = handle()
    questions: dict[str, Callable[[], Any]] = {
        "memory": lambda: pynvml.nvmlDeviceGetMemoryInfo(h),
        "processes": lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(h),
        "energy": lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(h),
        "power": lambda: pynvml.nvmlDeviceGetPowerUsage(h),
        "clock events": lambda: pynvml.nvmlDeviceGetCurrentClocksEventReasons(h),
        "utilisation": lambda: pynvml.nvmlDeviceGetUtilizationRates(h),
    }
    found = {}
    for name, ask in questions.items():
        times = []
        for _ in range(CALLS):
            begin = time.perf_counter()
            ask()
            times.append((time.perf_counter() - begin) * 1e6)
        found[name] = round(statistics.median(times), 1)
    return found


def energy() -> dict[str, Any]:
    """Joules by the counter and by summed power readings over the same seconds of work."""
    h = handle()
    with subprocess.Popen((PYTHON, "-c", BURN), stdout=subprocess.PIPE, text=True) as burner:
        assert burner.stdout is not None
        burner.stdout.readline()
        begin, joules = time.monotonic(), pynvml.nvmlDeviceGetTotalEnergyConsumption(h)
        integral, last, reasons = 0.0, begin, set()
        while burner.poll() is None and time.monotonic() - begin < BURN_SECONDS - 0.5:
            time.sleep(0.02)
            now = time.monotonic()
            integral += pynvml.nvmlDeviceGetPowerUsage(h) / 1000 * (now - last)
            reasons.add(hex(pynvml.nvmlDeviceGetCurrentClocksEventReasons(h)))
            last = now
        counted = (pynvml.nvmlDeviceGetTotalEnergyConsumption(h) - joules) / 1000
    return {
        "seconds": round(last - begin, 2),
        "counter J": round(counted, 1),
        "integral of power J": round(integral, 1),
        "clock event reasons": sorted(reasons),
    }


def kill() -> dict[str, Any]:
    """A process of many threads and much memory is killed: when is what gone, in ms after the signal."""
    before = used_mib()
    mib = min(KILLED_GIB * 1024, int(gpu().occupancy().free_mib * 0.8))
    with Holder(0):
        with_neighbour = used_mib()
        holder = Holder(mib, threads=16)
        pid = holder.process.pid
        held = used_mib()
        tasks = Path(f"/proc/{pid}/task")
        begin = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        gone: dict[str, float] = {}
        while len(gone) < 4 and time.monotonic() - begin < 30:
            now = round((time.monotonic() - begin) * 1000, 1)
            state = _state(pid)
            if state in {None, "Z"}:
                gone.setdefault("the leader is a zombie", now)
            if not tasks.exists() or len(list(tasks.iterdir())) <= 1:
                gone.setdefault("the other tasks are gone", now)
            if used_mib() - with_neighbour < 64:
                gone.setdefault("the memory is free", now)
            if all(each.pid != pid for each in pynvml.nvmlDeviceGetComputeRunningProcesses(handle())):
                gone.setdefault("NVML lists it no more", now)
            time.sleep(SAMPLE_SECONDS)
        holder.process.communicate()
    time.sleep(0.5)
    return {
        "held MiB": round(held - with_neighbour, 1),
        "ms after SIGKILL": gone,
        "left MiB": round(used_mib() - before, 1),
    }


def _state(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None


def visibility() -> dict[str, Any]:
    """What CUDA and our own list see by CUDA_VISIBLE_DEVICES."""
    uuid = text(pynvml.nvmlDeviceGetUUID(handle()))
    count = "import torch; print(torch.cuda.device_count())"
    found = {}
    for name, value in (
        ("unset", None), ("empty", ""), ("0", "0"), ("1", "1"), ("-1", "-1"), ("0,7", "0,7"), ("7,0", "7,0"),
        ("uuid", uuid), ("start of the uuid", uuid[:12]), ("garbage", "gpu"), ("0,0", "0,0"),
    ):  # fmt: skip
        environment = {key: each for key, each in os.environ.items() if key != VISIBLE_VARIABLE}
        if value is not None:
            environment[VISIBLE_VARIABLE] = value
        done = subprocess.run(
            (PYTHON, "-c", count), env=environment, capture_output=True, text=True, check=False
        )
        found[name] = {"torch": done.stdout.strip(), "llmopt": len(visible_gpus(environment))}
    return found


def levels() -> dict[str, Any]:
    """The level of a GPU that an engine fills on purpose to a share, with and without a reserve."""
    found = {}
    for share in (0.85, 0.92, 0.97):
        with Holder(int(gpu().total_mib() * share) - int(used_mib())):
            seen: Occupancy = gpu().occupancy()
            thresholds = Thresholds()
            found[str(share)] = {
                "used percent": round(seen.percent, 2),
                "no reserve": thresholds.level(seen, "gpu").name,
                "reserved as held": thresholds.level(seen, "gpu", reserved_mib=share * seen.total_mib).name,
            }
    return found


def allocation() -> dict[str, float]:
    """How fast a program can fill the card, by blocks of 1 GiB."""
    done = subprocess.run((PYTHON, "-c", ALLOCATE), capture_output=True, text=True, check=True)
    blocks, seconds = done.stdout.split()
    return {
        "GiB": int(blocks),
        "seconds": float(seconds),
        "MiB a second": round(int(blocks) * 1024 / float(seconds)),
    }


def faults() -> dict[str, Any]:
    """What real faults write, and the class that we give them."""
    found = {}
    for name, program in FAULTS.items():
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(program)
            file.flush()
            done = subprocess.run(
                (PYTHON, file.name), capture_output=True, text=True, check=False, timeout=120
            )
        failure = classify(Evidence(done.stderr, exit_code=done.returncode, patterns=all_patterns()))
        found[name] = {
            "exit": done.returncode,
            "class": failure.error_class.value,
            "message": failure.message,
            "last lines": done.stderr.splitlines()[-6:],
        }
    return found


FINDINGS = (machine, memory, calls, energy, visibility, levels, allocation, kill, faults)


def main() -> None:
    if not visible_gpus():
        print("no GPU is visible here: nothing was measured")
        return
    found: dict[str, Any] = {}
    wanted = set(sys.argv[2:]) or {measure.__name__ for measure in FINDINGS}
    for measure in (measure for measure in FINDINGS if measure.__name__ in wanted):
        begin = time.monotonic()
        try:
            found[measure.__name__] = measure()
        except (pynvml.NVMLError, OSError, subprocess.SubprocessError, ValueError, AttributeError) as error:
            found[measure.__name__] = {"not measured": f"{type(error).__name__}: {error}"}
        seconds = time.monotonic() - begin
        print(f"{measure.__name__} ({seconds:.1f} s): {json.dumps(found[measure.__name__])}", flush=True)
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
