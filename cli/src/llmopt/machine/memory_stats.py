"""The memory of this machine now, for Python: what `llmopt status` shows."""

from llmopt.machine.descriptions import COMMAND, DeviceFound, described


def memory_stats(command: tuple[str, ...] = COMMAND) -> tuple[DeviceFound, ...]:
    """Return the memory of the host (within its container's limit), then that of each GPU.

    Each device has `name`, `total_mib`, `used_mib`, `free_mib`, `percent`, and `level`: what a memory guard
    with its usual limits would report. `command` is the runner's describing program. Raises RunnerUnusable.
    """
    return described(command).devices
