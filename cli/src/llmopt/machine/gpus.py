"""Which GPUs the runners of this machine can be given, and which each of them gets."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmopt_core.api.environment import NO, Variable

COMMAND = (sys.executable, "-m", "llmopt_runner.machine_report", "--gpus")
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Deal:
    """The GPUs of each runner, by index; `there` are all that could be given."""

    there: tuple[str, ...]
    given: tuple[tuple[str, ...], ...]

    def environment(self, index: int) -> Mapping[str, str]:
        """Return what shows runner `index` its own GPUs alone, in the order of the bus."""
        if not self.there:
            return {}
        own = {"CUDA_VISIBLE_DEVICES": ",".join(self.given[index]), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
        return own | {Variable.GPUS_COUNTED: NO} if self._counted_by_another(index) else own

    def sentences(self) -> Iterator[str]:
        """Yield who has what, and what follows where GPUs are too few or left over."""
        if not self.there:
            return
        for index, names in enumerate(self.given):
            yield f"runner {index} has GPU {', '.join(names)}"
        if any(map(self._counted_by_another, range(len(self.given)))):
            yield (
                f"{len(self.given)} runners share {len(self.there)} GPU(s): their engines start one after"
                " another, and what they measure on one GPU disturbs each other; at most"
                f" {len(self.there)} runners avoid it"
            )
        left = self.there[sum(map(len, self.given)) :]
        if left:
            yield f"GPU {', '.join(left)} is left over: {len(self.given)} runners get equally many"

    def _counted_by_another(self, index: int) -> bool:
        return index >= len(self.there) > 0


def deal(names: Sequence[str], runners: int) -> Deal:
    """Return who gets which of the GPUs `names`: equally many each, neighbours together, or one in turn."""
    each = len(names) // runners
    if each:
        given = tuple(tuple(names[each * index : each * (index + 1)]) for index in range(runners))
    else:
        given = tuple((names[index % len(names)],) if names else () for index in range(runners))
    return Deal(tuple(names), given)


def assignable(command: tuple[str, ...] = COMMAND) -> tuple[str, ...]:
    """Return the GPUs and slices that a runner can be given alone; none where the runner cannot say."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return tuple(str(name) for name in json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()
