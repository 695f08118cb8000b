"""The control groups that a node's containers leave behind when it is killed."""

import errno
import time
from collections.abc import Iterable
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_CONTAINERS = "k8s.io"  # where containerd puts those of pods
_PATIENCE_SECONDS = 20.0


def remove_control_groups(containers: Iterable[str]) -> None:
    """Remove the groups of ended `containers`, of every hierarchy of either version."""
    for container in containers:
        for group in (
            *_MOUNT.glob(f"{_CONTAINERS}/{container}"),
            *_MOUNT.glob(f"*/{_CONTAINERS}/{container}"),
        ):
            _remove(group)


def _remove(group: Path) -> None:
    """Remove `group` once its killed processes have left it: the kernel keeps it busy until then."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            group.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
