"""The control groups that a node's containers leave behind when it is killed."""

from collections.abc import Iterable
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_CONTAINERS = "k8s.io"  # where containerd puts those of pods


def remove_control_groups(containers: Iterable[str]) -> None:
    """Remove the groups of ended `containers`, of every hierarchy of either version."""
    for container in containers:
        for group in (
            *_MOUNT.glob(f"{_CONTAINERS}/{container}"),
            *_MOUNT.glob(f"*/{_CONTAINERS}/{container}"),
        ):
            group.rmdir()
