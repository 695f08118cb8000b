"""Main memory by a real control group: real numbers, real kills by the kernel."""

import os
import subprocess
from contextlib import contextmanager

import pytest
from fakes.control_groups import holding, reading

FILE_MIB = 150


@contextmanager
def _running(group, argv):
    command = group.entering(*argv)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.communicate(b"\n")


def test_a_groups_limit_and_use(group):
    """The limit is the total; what a process in it takes is used, and its own share is reported."""
    memory = group.memory()
    before = memory.used_mib()
    with _running(group, holding(200)) as process:
        process.stdout.readline()
        assert memory.total_mib() == 400
        assert 195 < memory.used_mib() - before < 230
        assert 200 <= memory.used_by_mib((process.pid,)) < 230
        (holder,) = memory.holders()
        assert holder.pid == process.pid
    assert memory.used_mib() - before < 30


def test_page_cache_is_not_in_use(group, tmp_path):
    """A file that was read fills the group's use as the kernel counts it, and not as we do."""
    file = tmp_path / "weights"
    file.write_bytes(os.urandom(1024) * 1024 * FILE_MIB)
    with file.open("rb") as written:
        os.fsync(written.fileno())
        os.posix_fadvise(written.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    memory = group.memory()
    with _running(group, reading(file)) as process:
        process.stdout.readline()
        usage = next(group.folder.glob("memory.usage_in_bytes"), group.folder / "memory.current")
        assert int(usage.read_text()) / 2**20 > FILE_MIB
        assert memory.used_mib() < 60


def test_a_kill_by_the_kernel_is_counted(group):
    """A process that takes more than the limit is killed by the kernel, and the counter shows it."""
    memory = group.memory()
    before = memory.oom_kills()
    with subprocess.Popen(group.entering(*holding(600)), stdin=subprocess.PIPE) as process:
        process.communicate()
    assert process.returncode == -9
    assert memory.oom_kills() == before + 1


@pytest.mark.parametrize("held_mib", [100, 300])
def test_the_narrower_of_group_and_host_counts(group, held_mib):
    """The group leaves less than the host: its numbers are what counts."""
    memory = group.memory()
    with _running(group, holding(held_mib)) as process:
        process.stdout.readline()
        assert memory.occupancy().total_mib == 400
        assert memory.occupancy().free_mib < 400 - held_mib
