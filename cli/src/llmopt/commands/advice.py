"""What is wrong on this machine, and how to fix it: one line each. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmopt.local.histories import StudyState
from llmopt.machine.descriptions import Description
from llmopt.machine.hardware import Hardware
from llmopt.machine.processes import Found
from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.openai.declaration import OPENAI
from llmopt_core.engines.registry import usable_declarations

LITTLE_MEMORY_MIB = 2048
LITTLE_DISK_GIB = 5.0


@dataclass(frozen=True)
class Situation:
    """All that was seen. `description` is None where the runner does not start; `trouble` says why."""

    hardware: Hardware
    description: Description | None
    trouble: str
    studies: Sequence[StudyState]
    orphans: Sequence[Found]


def advice(seen: Situation) -> Iterator[str]:
    """Yield what is wrong and how to fix it, what keeps everything from working first."""
    if seen.description is None:
        yield seen.trouble
    else:
        yield from _engines(seen.description)
        yield from _gpus(seen.hardware, seen.description)
        yield from _memory(seen.description)
    if seen.hardware.disk_free_gib < LITTLE_DISK_GIB:
        yield (
            f"only {seen.hardware.disk_free_gib:.1f} GiB of disk are free: `llmopt clean` frees logs and "
            "finished results"
        )
    for state in seen.studies:
        if state.trouble:
            yield f"{state.folder.path}: {state.trouble}"
    if seen.orphans:
        pids = ", ".join(str(one.pid) for one in seen.orphans)
        yield f"processes whose owner is gone ({pids}): `llmopt clean` ends them"


def _engines(found: Description) -> Iterator[str]:
    for name, engine in found.engines.items():
        if engine.problem is not None:
            yield f"engine {name}: {engine.problem}"
        elif engine.version is None:
            yield f"engine {name} is not installed: {_installation(name)}"
    if not any(found.has(name) for name in found.engines if name != OPENAI.name):
        yield f"no engine can be started here: {LLAMACPP.packaging.installation} is the quickest way to one"


def _installation(engine: str) -> str:
    declaration = usable_declarations().get(engine)
    return (declaration and declaration.packaging.installation) or "install it as its package says"


def _gpus(hardware: Hardware, found: Description) -> Iterator[str]:
    if hardware.nvidia_cards and not found.gpus.products:
        yield (
            f"{hardware.nvidia_cards} NVIDIA card(s), but no GPU to be seen ({found.gpus.reason}): install "
            "NVIDIA's driver until nvidia-smi lists them"
        )
    elif found.gpus.reason and found.gpus.products:
        yield f"{found.gpus.reason}: the other GPUs are used"
    if others := [name for name in found.gpus.unseen if not name.startswith("NVIDIA")]:
        yield (
            f"{', '.join(others)}: runners watch and predict the memory of NVIDIA's GPUs alone; an engine on"
            " another one is started, and measured, without that"
        )


def _memory(found: Description) -> Iterator[str]:
    for device in found.devices:
        if device.level != "SAFE" or (device.kind == "host" and device.free_mib < LITTLE_MEMORY_MIB):
            yield (
                f"little memory: {device.free_mib:,.0f} of {device.total_mib:,.0f} MiB of {device.name} are "
                f"free ({device.level}): end what holds it, or take a smaller model or context"
            )
