"""What a runner finds on this machine, as JSON: `python -m llmopt_runner.machine_report [--gpus]`.

For the command that a person types, which must know what runners would do without being one. It asks no
engine to start, and says of each that cannot be asked why.
"""

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from llmopt_core.engines.registry import engine_names
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_core.installation import install_command
from llmopt_runner.engines.base import load_engine
from llmopt_runner.guard.levels import Thresholds
from llmopt_runner.host import nvml
from llmopt_runner.host.devices import DeviceUnreadable, MemoryDevice, visible_devices
from llmopt_runner.host.nvml import assignable_gpus
from llmopt_runner.host.unseen import unseen_accelerators


def describe() -> dict[str, Any]:
    """Return engines by name, memory devices, and the driver of the GPUs."""
    names = engine_names()
    with ThreadPoolExecutor() as threads:  # a version may be another Python's to say
        engines = dict(zip(names, threads.map(_engine, names), strict=True))
    return {
        "engines": engines,
        "devices": [found for device in visible_devices() if (found := _device(device))],
        "gpus": {**(found := _gpus(nvml.library())), "unseen": _unseen(found)},
    }


def _engine(name: str) -> dict[str, str | None]:
    """Return the installed version (null: not installed), and what keeps the engine from being asked."""
    try:
        return {"version": load_engine(name).installed(), "problem": None}
    except (LlmoptError, OSError) as error:
        return {"version": None, "problem": words_of(error)}


def _device(device: MemoryDevice) -> dict[str, Any] | None:
    try:
        seen = device.occupancy()
    except DeviceUnreadable:
        return None
    return {
        "name": device.name,
        "kind": device.kind,
        "total_mib": seen.total_mib,
        "used_mib": seen.used_mib,
        "level": Thresholds().level(seen, device.kind).name,
    }


def _gpus(nvml: Any | None) -> dict[str, Any]:
    """Return the GPUs' products, driver and CUDA version, or the reason why there are none to be seen.

    The reason also names a GPU that cannot be used beside others that can.
    """
    nothing: dict[str, Any] = {"products": [], "driver": None, "cuda": None}
    if nvml is None:
        reason = f"the module pynvml is not installed: {install_command('runner')}"
        return {**nothing, "reason": reason}
    try:
        nvml.nvmlInit()
        version = nvml.nvmlSystemGetCudaDriverVersion_v2()
        found = [_product(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
        return {
            "products": [product for product, _ in found if product is not None],
            "driver": nvml.nvmlSystemGetDriverVersion(),
            "cuda": f"{version // 1000}.{version % 1000 // 10}",
            "reason": "; ".join(problem for _, problem in found if problem) or None,
        }
    except nvml.NVMLError as error:
        return {**nothing, "reason": str(error)}


def _unseen(gpus: Mapping[str, Any]) -> tuple[str, ...]:
    return unseen_accelerators(nvidia_seen=bool(gpus["products"]))


def _product(nvml: Any, index: int) -> tuple[str | None, str]:
    """Return the name of a GPU, or why it cannot be used."""
    try:
        return nvml.nvmlDeviceGetName(nvml.nvmlDeviceGetHandleByIndex(index)), ""
    except nvml.NVMLError as error:
        return None, f"GPU {index} cannot be used: {error}"


def main() -> int:
    """Print the description; with `--gpus` only by which names a program can be given one GPU each."""
    document = assignable_gpus() if "--gpus" in sys.argv[1:] else describe()
    json.dump(document, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
