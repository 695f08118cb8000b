"""A device that ran full, as the failure that is stored: who held what, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.occupancy import Occupancy
from llmopt_core.search.configurations import Value
from llmopt_runner.guard.levels import Level
from llmopt_runner.host.occupancy import Holder

_SHOWN_HOLDERS = 3
_CLASSES: Mapping[Literal["host", "gpu"], ErrorClass] = {
    "host": ErrorClass.HOST_OUT_OF_MEMORY,
    "gpu": ErrorClass.GPU_OUT_OF_MEMORY,
}
# What of the known engines' parameters decides how much memory they take.
_DECISIVE = (
    "n_ctx", "n_parallel", "n_batch", "n_ubatch", "cache_type_k", "cache_type_v", "n_gpu_layers",
    "cache_ram_mib", "max_model_len", "max_num_seqs", "max_num_batched_tokens", "gpu_memory_utilization",
    "kv_cache_dtype", "tensor_parallel_size", "dtype", "quantization", "cb_num_blocks", "cb_block_size",
    "cb_max_batch_tokens",
)  # fmt: skip


@dataclass(frozen=True)
class DevicePeak:
    """The highest that was seen of one device: used by all, by the engine, and by others."""

    device: str
    kind: Literal["host", "gpu"]
    total_mib: float
    used_mib: float
    engine_mib: float
    others_mib: float = 0.0


@dataclass(frozen=True)
class Incident:
    """A device at CRITICAL or EMERGENCY: how full it was, and what of it the engine held."""

    device: str
    kind: Literal["host", "gpu"]
    level: Level
    occupancy: Occupancy
    engine_mib: float
    others: tuple[Holder, ...] = ()

    def failure(self, parameters: Mapping[str, Value], *, alone_mib: float) -> Failure:
        """Return the failure; an engine that keeps below `alone_mib` would do with the device to itself."""
        seen = self.occupancy
        told = (
            f"memory of {self.device} reached {self.level.name}: {seen.used_mib:.0f} of {seen.total_mib:.0f}"
            f" MiB ({seen.percent:.0f} %) were in use, {self.engine_mib:.0f} MiB of it by the engine"
        )
        if blames_others(self.engine_mib, seen.used_mib - self.engine_mib, alone_mib):
            return busy_failure(told, self.others)
        return Failure(_CLASSES[self.kind], f"{told} ({told_parameters(parameters)})", advice(parameters))


def blames_others(engine_mib: float, others_mib: float, alone_mib: float) -> bool:
    """Say whether other processes hold most of a memory that the engine alone would fit into."""
    return others_mib > engine_mib and engine_mib < alone_mib


def busy_failure(told: str, others: tuple[Holder, ...]) -> Failure:
    """Return the failure of an engine to which others leave too little memory."""
    held = f", others' are {told_holders(others)}" if others else ""
    return Failure(
        ErrorClass.MEMORY_BUSY,
        f"{told}{held}",
        "End what else holds the memory, or give the runner memory of its own; the trial is run again.",
    )


def too_little(kind: Literal["host", "gpu"], told: str, parameters: Mapping[str, Value]) -> Failure:
    """Return the failure of a configuration that a device is too small for."""
    return Failure(_CLASSES[kind], f"{told} ({told_parameters(parameters)})", advice(parameters))


def kernel_failure(kills: int, peaks: Sequence[DevicePeak], parameters: Mapping[str, Value]) -> Failure:
    """Return the failure of an engine that the kernel killed, before any level was seen."""
    host = [peak for peak in peaks if peak.kind == "host"]
    seen = "".join(
        f"; at most {peak.used_mib:.0f} of {peak.total_mib:.0f} MiB were seen in use,"
        f" {peak.engine_mib:.0f} MiB of it by the engine"
        for peak in host
    )
    told = f"the kernel killed {kills} process{'es' * (kills > 1)} for memory{seen}"
    return too_little("host", told, parameters)


def told_holders(holders: tuple[Holder, ...]) -> str:
    """Return the largest holders in words."""
    return ", ".join(str(holder) for holder in holders[:_SHOWN_HOLDERS])


def told_parameters(parameters: Mapping[str, Value]) -> str:
    """Return the parameters that decide about memory, with their values."""
    shown = [f"{name} {parameters[name]}" for name in _DECISIVE if name in parameters]
    return ", ".join(shown) or "with the engine's own defaults"


def advice(parameters: Mapping[str, Value]) -> str:
    """Return what can be done about it, with the trial's own numbers."""
    lower = [
        f"{name} (now {parameters[name]})" for name in _DECISIVE[:2] + _DECISIVE[8:12] if name in parameters
    ]
    what = f"Lower {' or '.join(lower)}" if lower else "Use a smaller context, fewer requests at once"
    return f"{what}, quantise weights or cache, or give the runner more memory."
