"""Real control groups with small limits, and the files by which a HostMemory finds them."""

import contextlib
import os
import sys
import time
import uuid
from pathlib import Path

from fakes.fake_engine import FakeEngine

from llmopt_runner.engines.base import ServerCommand
from llmopt_runner.host.cgroups import control_groups
from llmopt_runner.host.host_memory import CGROUP_ROOT, PROC, HostMemory

MIB = 1024 * 1024
_ENTER = 'echo $$ > "$0" && exec "$@"'


class ControlGroup:
    """A group below this process's own, limited to `mib`; processes enter it by `entering`."""

    def __init__(self, mib, scratch):
        own = control_groups(CGROUP_ROOT, PROC / "self" / "cgroup")
        if not own:
            raise OSError("this machine has no memory control groups")
        self._parent = own[0]
        self.folder = self._parent.folder / f"llmopt-test-{uuid.uuid4().hex[:8]}"
        self.folder.mkdir()
        try:
            (self.folder / self._parent.version.limit).write_text(str(mib * MIB))
        except OSError:
            self.folder.rmdir()
            raise
        self._scratch = scratch

    def memory(self):
        """Main memory as a process in the group sees it."""
        proc = self._scratch / "proc"
        (proc / "self").mkdir(parents=True)
        (proc / "meminfo").symlink_to("/proc/meminfo")
        lines = (PROC / "self" / "cgroup").read_text().splitlines()
        inside = [f"{line.rstrip('/')}/{self.folder.name}" for line in lines if self._is_ours(line)]
        (proc / "self" / "cgroup").write_text("\n".join(inside) + "\n")
        return HostMemory(CGROUP_ROOT, proc)

    def _is_ours(self, line):
        controllers = line.split(":")[1]
        return "memory" in controllers.split(",") or (
            controllers == "" and (CGROUP_ROOT / "cgroup.procs").exists()
        )

    def entering(self, *argv):
        """The command line that runs `argv` in the group."""
        return ("/bin/sh", "-c", _ENTER, str(self.folder / "cgroup.procs"), *argv)

    def remove(self):
        for pid in (self.folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), 9)
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.folder.rmdir()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)


class GroupedEngine(FakeEngine):
    """The misbehaving engine, in a control group."""

    def __init__(self, group):
        self._group = group
        self.program = sys.executable

    def command(self, settings):
        return ServerCommand(self._group.entering(*super().command(settings).argv))


def holding(mib):
    """The command of a process that takes `mib`, says so, and keeps them until its input ends."""
    code = f"held = bytearray({mib} * 1048576); print('held', flush=True); input()"
    return (sys.executable, "-I", "-S", "-c", code)


def reading(path: Path):
    """The command of a process that reads a file into the page cache and then waits."""
    code = f"open({str(path)!r}, 'rb').read(); print('read', flush=True); input()"
    return (sys.executable, "-I", "-S", "-c", code)
