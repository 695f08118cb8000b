"""Whose a GPU's memory is: the engine's or others'. Pure: from what NVML says before a launch and now.

NVML's process ids are ours outside of containers. In a container, older drivers give the host's ids, newer
ones ours, some of these without the memory (`tests/fakes/nvml_library.py` names the sources). So 0 MiB of our
processes can mean that NVML does not know them, or that they are not on that GPU.
"""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

# What a GPU may hold without anybody being on it: a display, the driver's own.
NOBODYS_MIB = 256.0


@dataclass(frozen=True)
class View:
    """A GPU at one moment: memory in use, and what each listed process holds (None: not reported).

    `here` are those of the listed ids that are processes of this machine as we see it.
    """

    used_mib: float
    listed: Mapping[int, float | None]
    here: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Share:
    """What the engine holds of a GPU, and what others do. `mib` is None where that is not known.

    `neighbours` are the listed processes of others.
    """

    mib: float | None
    others_mib: float
    neighbours: AbstractSet[int] = frozenset()

    @property
    def shared(self) -> bool:
        """Whether others use the GPU, too."""
        return bool(self.neighbours) or self.others_mib > NOBODYS_MIB


def shares(before: Sequence[View], now: Sequence[View], engine: Collection[int]) -> list[Share]:
    """Return the engine's share of each GPU, whose views are in the same order.

    Where NVML lists any process by an id of ours, it lists the engine wherever that is. Only where it knows
    none does what was added since the launch count as the engine's, and only on a GPU that was nobody's.
    """
    ours = frozenset(engine)
    known = any(ours & view.listed.keys() or view.here - ours for view in now)
    judge = _listed_share if known else _added_share
    return [judge(then, view, ours) for then, view in zip(before, now, strict=True)]


def _listed_share(before: View, now: View, engine: frozenset[int]) -> Share:
    ours = [mib for pid, mib in now.listed.items() if pid in engine]
    neighbours = now.listed.keys() - engine
    reported_mib = sum(mib for mib in ours if mib is not None)
    if None not in ours:
        return Share(reported_mib, max(0.0, now.used_mib - reported_mib), neighbours)
    if neighbours or before.used_mib > NOBODYS_MIB:
        return Share(None, before.used_mib, neighbours)
    return Share(max(0.0, now.used_mib - before.used_mib), before.used_mib)


def _added_share(before: View, now: View, engine: frozenset[int]) -> Share:
    if not engine:
        return Share(0.0, now.used_mib)
    if before.listed or before.used_mib > NOBODYS_MIB:
        return Share(None, before.used_mib, frozenset(before.listed))
    return Share(max(0.0, now.used_mib - before.used_mib), before.used_mib)
