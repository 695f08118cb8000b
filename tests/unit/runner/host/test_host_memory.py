"""Main memory under every kind of limit, by the kernel's files; tests/integration/memory has real groups."""

import os

import pytest

from llmopt_runner.host.host_memory import HostMemory
from llmopt_runner.host.occupancy import DeviceUnreadable, command_of

MIB = 1024 * 1024
NO_LIMIT_V1 = 9223372036854771712


class Machine:
    """The kernel's files of one machine: 1000 MiB, 400 of them in use."""

    def __init__(self, folder):
        self.root, self.proc = folder / "cgroup", folder / "proc"
        (self.proc / "self").mkdir(parents=True)
        self.root.mkdir()
        self.meminfo(1000, 600)
        (self.proc / "vmstat").write_text("pgfault 5\noom_kill 7\n")

    def meminfo(self, total, available):
        lines = (f"MemTotal: {total * 1024} kB", "MemFree: 1 kB", f"MemAvailable: {available * 1024} kB")
        (self.proc / "meminfo").write_text("\n".join((*lines, "Buffers: 0 kB\n")))

    def member(self, *lines):
        (self.proc / "self" / "cgroup").write_text("\n".join(lines) + "\n")

    def v2(self, path, limit, used, *, kills=0, **stat):
        folder = self.root / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(f"{limit if limit == 'max' else limit * MIB}\n")
        (folder / "memory.current").write_text(f"{used * MIB}\n")
        (folder / "memory.events").write_text(f"low 0\nmax 3\noom 1\noom_kill {kills}\n")
        (folder / "memory.stat").write_text("".join(f"{key} {mib * MIB}\n" for key, mib in stat.items()))
        return folder

    def v1(self, path, limit, used, *, kills=0, **stat):
        folder = self.root / "memory" / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.limit_in_bytes").write_text(f"{NO_LIMIT_V1 if limit is None else limit * MIB}\n")
        (folder / "memory.usage_in_bytes").write_text(f"{used * MIB}\n")
        (folder / "memory.oom_control").write_text(f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n")
        (folder / "memory.stat").write_text("".join(f"{key} {mib * MIB}\n" for key, mib in stat.items()))
        return folder

    def seen(self):
        occupancy = HostMemory(self.root, self.proc).occupancy()
        return occupancy.total_mib, occupancy.used_mib


@pytest.fixture
def machine(tmp_path):
    """A machine without any group."""
    return Machine(tmp_path)


def test_a_plain_host(machine):
    """Without groups the host's own numbers count, by what the kernel says is available."""
    assert machine.seen() == (1000, 400)
    assert HostMemory(machine.root, machine.proc).oom_kills() == 7


def test_a_host_that_reports_nothing_is_unreadable(machine):
    """Without MemAvailable there is no answer, rather than a wrong one."""
    (machine.proc / "meminfo").write_text("MemTotal: 5 kB\n")
    with pytest.raises(DeviceUnreadable, match="MemAvailable"):
        machine.seen()


def test_a_limit_of_version_2(machine):
    """Use is what is current, without the file cache that can be taken back."""
    machine.member("0::/pod/engine")
    machine.v2("pod/engine", 300, 250, kills=2, inactive_file=60, active_file=40, file_mapped=30)
    assert machine.seen() == (300, 180)
    assert HostMemory(machine.root, machine.proc).oom_kills() == 2


def test_mapped_file_cache_counts(machine):
    """Weights that are mapped and in use are no reserve."""
    machine.member("0::/pod")
    machine.v2("pod", 300, 250, inactive_file=0, active_file=200, file_mapped=230)
    assert machine.seen() == (300, 250)


def test_a_limit_of_version_1(machine):
    """The same by the older names, children counted in."""
    machine.member("9:cpu:/x", "4:memory:/docker/abc", "0::/x")
    machine.v1("docker/abc", 300, 250, kills=3, inactive_file=1, total_inactive_file=60, total_active_file=0)
    machine.v1("", None, 900)
    assert machine.seen() == (300, 190)
    assert HostMemory(machine.root, machine.proc).oom_kills() == 3


def test_the_narrowest_limit_counts(machine):
    """Any group above us may bite first: what leaves the least is what counts."""
    machine.member("0::/slice/pod/engine")
    machine.v2("slice/pod/engine", 500, 100)
    machine.v2("slice/pod", 400, 350)
    machine.v2("slice", "max", 900)
    assert machine.seen() == (400, 350)
    machine.meminfo(1000, 20)
    assert machine.seen() == (1000, 980)


def test_a_limit_that_is_none_or_above_the_host(machine):
    """`max`, version 1's largest number and a limit that no host could fill are no limits."""
    machine.member("4:memory:/a", "0::/b")
    machine.v1("a", None, 5)
    machine.v1("", 5000, 5)
    (machine.root / "unified" / "b").mkdir(parents=True)
    machine.v2("unified/b", "max", 5)
    assert machine.seen() == (1000, 400)


def test_a_container_that_sees_the_hosts_paths(machine):
    """Where the host's path is not mounted, the container's own group is what is mounted in its place."""
    machine.member("4:memory:/kubepods/burstable/pod1/abc")
    machine.v1("", 200, 150)
    assert machine.seen() == (200, 150)


def test_a_process_that_was_moved_out(machine):
    """A path that leads out of the mounted groups is not followed."""
    machine.member("0::/../../elsewhere")
    machine.v2("", 200, 150)
    assert machine.seen() == (200, 150)


def test_a_limit_that_changes_is_seen(machine):
    """A container may be resized while its runner lives."""
    machine.member("0::/pod")
    machine.v2("pod", 300, 100)
    memory = HostMemory(machine.root, machine.proc)
    assert memory.total_mib() == 300
    machine.v2("pod", 600, 100)
    assert memory.total_mib() == 600


def test_holders_are_those_under_the_limit(machine):
    """Where a group bites, its processes hold the memory, and those of the groups in it."""
    machine.member("0::/pod")
    machine.v2("pod", 300, 290)
    (machine.root / "pod" / "child").mkdir()
    (machine.root / "pod" / "cgroup.procs").write_text("999999999\n")
    (machine.root / "pod" / "child" / "cgroup.procs").write_text(f"{os.getpid()}\n")
    (holder,) = HostMemory(machine.root, machine.proc).holders()
    assert holder.pid == os.getpid()
    assert 10 < holder.mib < 2000


def test_a_command_reveals_no_secrets():
    """Of a command line only program and script are reported: it is stored and shown."""
    assert command_of(os.getpid()).startswith("python")
    assert "--" not in command_of(os.getpid())
    assert command_of(999_999_999) == "unknown"


def test_what_a_containers_neighbours_take_is_not_its_own(machine):
    """Without a limit the host decides how full it is, but only the own group shows what we left behind."""
    machine.member("0::/")
    machine.v2("", "max", 120, inactive_file=20)
    (machine.root / "cgroup.procs").write_text(f"{os.getpid()}\n")
    memory = HostMemory(machine.root, machine.proc)
    assert (memory.total_mib(), memory.used_mib()) == (1000, 400)
    held, holders = memory.own()
    assert held == 100
    assert [holder.pid for holder in holders] == [os.getpid()]


def test_without_groups_the_host_is_all_that_can_be_compared(machine):
    """A machine without control groups counts nobody apart."""
    assert HostMemory(machine.root, machine.proc).own()[0] == 400
