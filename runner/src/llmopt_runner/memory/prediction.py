"""Whether a configuration can fit at all: its engine's own model of its need, corrected by what was seen."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from llmopt_core.engines.memory_parameters import MemoryWords
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_runner.guard.incidents import blames_others, busy_failure, too_little
from llmopt_runner.host.occupancy import Holder
from llmopt_runner.memory.needs import MemoryNeed

NEED_FACT = "memory_need_mib"
GUARD_FACT = "memory_guard"
# What the engine's model may be wrong by before anything was measured: the share shrinks with each start.
_FIRST_MARGIN_SHARE = 0.2
# A part of the need, and the fact that says what it really was.
_PARTS: Mapping[str, str] = {
    "weights_mib": "weights_mib",
    "kv_cache_mib": "kv_cache_mib",
    "activations_mib": "compute_buffer_mib",
}


@dataclass(frozen=True)
class Observation:
    """One start: what was predicted by part, what the engine said of these parts, what was measured."""

    need: MemoryNeed
    reported_mib: Mapping[str, float]
    measured_mib: float


@dataclass(frozen=True)
class Estimate:
    """A need as it is expected; it is surely not below `low_mib`."""

    mib: float
    margin_mib: float

    @property
    def low_mib(self) -> float:
        """The least it may be."""
        return self.mib - self.margin_mib


@dataclass(frozen=True)
class DeviceCapacity:
    """What one kind of memory offers: up to `capacity_mib` may be used, `others_mib` others use already."""

    device: str
    kind: Literal["host", "gpu"]
    total_mib: float
    capacity_mib: float
    others_mib: float


def need_facts(need: MemoryNeed) -> dict[str, Any]:
    """Return a need as an outcome's facts have it."""
    return {
        **{name: round(getattr(need, name), 1) for name in (*_PARTS, "overhead_mib")},
        "place": need.place,
        "devices": need.devices,
    }


def observations(facts: Iterable[Mapping[str, Any]], *, gpus: bool) -> list[Observation]:
    """Return what the facts of earlier outcomes show about needs; `gpus`: the machine has some."""
    found = []
    for each in facts:
        predicted, guarded = each.get(NEED_FACT), each.get(GUARD_FACT)
        if not isinstance(predicted, Mapping) or not isinstance(guarded, Mapping):
            continue
        need = MemoryNeed(**predicted)
        places = _kinds(need, gpus=gpus)
        peaks = [one["peak_engine_mib"] for one in guarded["devices"].values() if one["kind"] in places]
        if sum(peaks) > 0:
            reported = {part: float(each[fact]) for part, fact in _PARTS.items() if fact in each}
            found.append(Observation(need, reported, sum(peaks)))
    return found


def estimate(need: MemoryNeed, seen: Sequence[Observation]) -> Estimate:
    """Return what `need` will come to.

    Each part is scaled by the median of what engines reported of it against what was predicted; what remained
    between that and what was measured is added as its median. The margin is the widest that was seen around
    this median, and a share of the need that shrinks with the number of starts.
    """
    factors = {part: _factor(part, seen) for part in _PARTS}
    scaled = _scaled(need, factors)
    residuals = [each.measured_mib - _scaled(each.need, factors) for each in seen]
    middle = median(residuals) if residuals else 0.0
    spread = max((abs(each - middle) for each in residuals), default=0.0)
    return Estimate(scaled + middle, spread + scaled * _FIRST_MARGIN_SHARE / (1 + len(seen)))


def refusal(
    need: MemoryNeed,
    expected: Estimate,
    devices: Sequence[DeviceCapacity],
    words: MemoryWords,
    holders: Callable[[], tuple[Holder, ...]],
) -> Failure | None:
    """Return why the need surely does not fit into `devices` together, None when it may.

    `holders` is asked only where others are to blame.
    """
    capacity_mib = sum(device.capacity_mib for device in devices)
    others_mib = sum(device.others_mib for device in devices)
    if not devices or expected.low_mib <= max(0.0, capacity_mib - others_mib):
        return None
    names = " and ".join(device.device for device in devices)
    total_mib = sum(device.total_mib for device in devices)
    expectation = (
        f"predicted not to fit, not started: it needs about {expected.mib:.0f} MiB, at least"
        f" {expected.low_mib:.0f} ({_parts_text(need)}); of {total_mib:.0f} MiB of {names}"
        f" {capacity_mib:.0f} may be used, {others_mib:.0f} of which others hold"
    )
    if blames_others(expected.low_mib, others_mib, capacity_mib):
        return busy_failure(expectation, holders())
    return too_little(devices[0].kind, expectation, words)


def too_few_gpus(need: MemoryNeed, gpus: int) -> Failure | None:
    """Return why an engine that is spread over more than `gpus` GPUs cannot start; None where it may.

    0: there are none, and an engine may be spread over processors.
    """
    if not gpus or need.devices is None or need.place == "host" or need.devices <= gpus:
        return None
    return Failure(
        ErrorClass.INVALID_CONFIGURATION,
        f"not started: its parallel sizes spread it over {need.devices} GPUs, and this runner sees {gpus}",
        "Lower a parallel size, or give each runner more GPUs.",
    )


def devices_of(need: MemoryNeed, devices: Sequence[DeviceCapacity]) -> list[DeviceCapacity]:
    """Return the memory that `need` can be taken from: of more GPUs than it lies on, those with most left."""
    kinds = _kinds(need, gpus=any(device.kind == "gpu" for device in devices))
    fitting = [device for device in devices if device.kind in kinds]
    if need.devices is None or kinds != {"gpu"}:
        return fitting
    return sorted(fitting, key=lambda device: device.others_mib - device.capacity_mib)[: need.devices]


def _kinds(need: MemoryNeed, *, gpus: bool) -> frozenset[str]:
    if need.place == "both":
        return frozenset({"host", "gpu"})
    return frozenset({need.place or ("gpu" if gpus else "host")})


def _parts_text(need: MemoryNeed) -> str:
    return (
        f"weights {need.weights_mib:.0f}, KV cache {need.kv_cache_mib:.0f}, activations"
        f" {need.activations_mib:.0f}, overhead {need.overhead_mib:.0f} by its engine's own model"
    )


def _factor(part: str, seen: Sequence[Observation]) -> float:
    quotients = [
        each.reported_mib[part] * (each.need.devices or 1) / predicted
        for each in seen
        if part in each.reported_mib and (predicted := getattr(each.need, part)) > 0
    ]
    return median(quotients) if quotients else 1.0


def _scaled(need: MemoryNeed, factors: Mapping[str, float]) -> float:
    parts: float = sum(getattr(need, part) * factor for part, factor in factors.items())
    return parts + need.overhead_mib
