"""One start at a time on each GPU of a machine: engines that measure what is free mis-size each other.

The lock is a file's (flock(2)), which the kernel gives back however a runner ended. It holds for the runners
of one user that share a folder of temporary files; runners in pods do not.
"""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from llmopt_runner.host.nvml import NvmlDevice
from llmopt_runner.host.occupancy import DeviceUnreadable, MemoryDevice
from llmopt_runner.stopping import Interrupted

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2


@contextmanager
def alone_on(
    devices: Sequence[MemoryDevice],
    cancelled: Callable[[], bool],
    *,
    folder: Path | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[None]:
    """Let no other runner start an engine on one of the GPUs among `devices` while the block runs.

    It waits for those that start now. Raises Interrupted once `cancelled`.
    """
    # By name: two runners that wait for each other's GPUs would wait for ever.
    names = sorted(uuid for device in devices if isinstance(device, NvmlDevice) and (uuid := _uuid(device)))
    with ExitStack() as held:
        for name in names:
            lock = _lock_file(folder or _folder(), name)
            if lock is not None:
                held.callback(os.close, lock)
                _wait_for(lock, name, cancelled, sleep)
        yield


def _wait_for(lock: int, name: str, cancelled: Callable[[], bool], sleep: Callable[[float], None]) -> None:
    logged = False
    while not _taken(lock):
        if cancelled():
            raise Interrupted("asked to stop while another engine started on the same GPU")
        if not logged:
            log.info("an engine is being started on %s by another runner: waiting for it", name)
            logged = True
        sleep(_LOOK_SECONDS)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / f"llmopt-gpus-{os.getuid()}"


def _lock_file(folder: Path, name: str) -> int | None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        log.warning("starts on %s are not made one after another: %s", name, error)
        return None


def _uuid(device: NvmlDevice) -> str:
    try:
        return device.uuid.replace("/", "_")  # slices have had slashes in their names
    except DeviceUnreadable:
        return ""
