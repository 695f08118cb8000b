"""Processors and GPUs that were not there: taken by others or the hypervisor, or held back by a limit."""

import os
import subprocess
import sys

import psutil
import pytest

from llmopt_runner.host.contention import (
    Processor,
    ProcessorTimes,
    Shortage,
    gpu_shortage,
    processor_times,
    shortage,
    watch_processors,
)
from llmopt_runner.host.gpu_conditions import HEAT, POWER, GpuCondition

START = ProcessorTimes({0: Processor(100.0, 900.0, 5.0)}, own=50.0, periods=10, held_back=1)


def _after(*, busy: float = 0.0, idle: float = 0.0, own: float = 0.0, periods: int = 0, held_back: int = 0):
    processors = {0: START.processors[0] + Processor(busy, idle)}
    return ProcessorTimes(processors, START.own + own, START.periods + periods, START.held_back + held_back)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (_after(busy=20, own=10), "50%"),
        (_after(busy=19, idle=1, own=9), "50%"),
        (_after(busy=20, own=19), None),  # who measures is busy itself
        (_after(busy=15, idle=5, own=5), None),  # others are busy, and there was enough for all
        (_after(), None),
        (_after(busy=20, own=20, periods=10, held_back=4), "40%"),
        (_after(busy=20, own=20, periods=10, held_back=1), None),
    ],
)
def test_what_is_worth_a_warning(after, expected):
    """Others count where nothing was left over; a limit counts where it held back often."""
    found = shortage(START, after)
    assert [expected in text for text in found.warnings] == ([True] if expected else [])
    assert found.disturbed is (expected == "50%")


@pytest.mark.parametrize(
    ("processors", "expected"),
    [
        # Half of what one needed: the other has time to spare, and the engine waits all the same.
        (
            [Processor(busy=5, idle=5), Processor(busy=5, stolen=5)],
            "took 50% of the time that programs needed on 1 of 2",
        ),
        (
            [Processor(busy=8, stolen=2), Processor(busy=7, stolen=3)],
            "took 25% of the time that programs needed on 2 of 2",
        ),
        # One thread that moves between many processors: little of each is gone, much of what it needed.
        (
            [Processor(busy=0.7, idle=9, stolen=0.3)] * 10,
            "took 30% of the time that programs needed on 10 of 10",
        ),
        ([Processor(busy=9.5, stolen=0.5), Processor(busy=9.2, stolen=0.8)], None),  # less than a tenth
        ([Processor(busy=10), Processor(busy=0.1, idle=9.7, stolen=0.2)], None),  # of what was hardly needed
        ([Processor(busy=10), Processor()], None),  # one that stood still
    ],
)
def test_what_the_hypervisor_took(processors, expected):
    """It counts where programs missed it, processor by processor, and is not called other programs' time."""
    began = ProcessorTimes({number: Processor(7, 8, 9) for number in range(len(processors))}, own=3)
    own = sum(each.busy for each in processors)
    now = {number: began.processors[number] + used for number, used in enumerate(processors)}
    found = shortage(began, ProcessorTimes(now, own=3 + own))
    assert [f"the hypervisor {expected} processors" in text for text in found.warnings] == [True] * bool(
        expected
    )
    assert found.disturbed is bool(expected)


def test_a_processor_that_was_added_meanwhile_is_left_out():
    """Its times since the machine began are not those of the measurement."""
    now = ProcessorTimes({0: Processor(busy=20), 1: Processor(busy=50, stolen=500)}, own=20)
    assert shortage(ProcessorTimes({0: Processor(busy=10)}, own=10), now) == Shortage()


@pytest.fixture
def stat(tmp_path, monkeypatch):
    """What writes two processors' lines of a /proc/stat that is read in place of this machine's."""
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1})

    def write(*processors):
        lines = [f"cpu{number} {times}" for number, times in enumerate(processors)]
        (tmp_path / "stat").write_text("\n".join(["cpu  0 0 0 0 0 0 0 0 0 0", *lines, ""]))

    return write


def test_the_times_of_each_processor_are_read(stat):
    """By the columns of /proc/stat: guests' time is in the user's, and who waits for a disk is idle."""
    # user nice system idle iowait irq softirq steal guest guest_nice
    stat("100 20 30 400 50 6 7 80 90 10", "0 0 0 1000 0 0 0 5 0 0")
    seen, tick = processor_times(()), 1 / os.sysconf("SC_CLK_TCK")
    assert seen.processors[0] == Processor(pytest.approx(163 * tick), pytest.approx(450 * tick), 80 * tick)
    assert seen.processors[1] == Processor(0, 1000 * tick, 5 * tick)


def test_what_is_stolen_from_one_processor_disturbs_the_measurement(stat):
    """From /proc/stat to the warning: a neighbour on the second processor, while the first has time left."""
    stat("500 0 0 900 0 0 0 10 0 0", "500 0 0 900 0 0 0 10 0 0")
    since_then = watch_processors(lambda: (os.getpid(),))
    stat("900 0 0 1480 0 0 0 30 0 0", "1000 0 0 900 0 0 0 510 0 0")
    found = since_then()
    assert found.disturbed
    assert ["took 50% of the time that programs needed on 1 of 2" in text for text in found.warnings] == [
        True
    ]


def test_the_engines_time_is_not_that_of_others():
    """What a process of the engine uses counts as own, and what nobody named is others'."""
    spins = "import time\nwhile time.process_time() < 0.35: pass\nprint(flush=True)\ninput()"
    began, us = processor_times(()), psutil.Process(os.getpid()).cpu_times()
    engine = subprocess.Popen(
        [sys.executable, "-c", spins], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with engine:
        engine.stdout.readline()
        named, unnamed = processor_times((engine.pid,)), processor_times(())
        engine.communicate("\n")
    ours = psutil.Process(os.getpid()).cpu_times()
    assert named.own - unnamed.own >= 0.29
    assert unnamed.own - began.own <= ours.user + ours.system - us.user - us.system + 0.02
    assert sum(each.busy for each in named.since(began).processors.values()) >= 0.25


def test_the_limit_is_read_from_the_own_control_group(tmp_path):
    """Periods and held-back ones are those of the innermost group."""
    group = tmp_path / "cgroup" / "pod" / "container"
    group.mkdir(parents=True)
    (group / "memory.current").write_text("1\n")
    (group / "cpu.stat").write_text("usage_usec 5\nnr_periods 200\nnr_throttled 30\nthrottled_usec 9\n")
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/pod/container\n")
    seen = processor_times((), cgroup_root=tmp_path / "cgroup", proc=tmp_path)
    assert (seen.periods, seen.held_back) == (200, 30)


def test_an_engine_elsewhere_is_not_watched():
    """Of what runs on another machine these processors say nothing."""
    expected = watch_processors(tuple)
    assert expected() == Shortage()


def test_only_the_processors_that_may_be_used_count():
    """What others do elsewhere takes nothing from a runner that is bound to some of the processors."""
    usable = os.sched_getaffinity(0)
    one = min(usable)
    before = psutil.cpu_times(percpu=True)[one]
    try:
        os.sched_setaffinity(0, {one})
        seen = processor_times(())
    finally:
        os.sched_setaffinity(0, usable)
    after = psutil.cpu_times(percpu=True)[one]
    # Sums in the order of what is tested, or rounding decides where nothing was idle.
    assert before.idle + before.iowait <= seen.processors[one].idle <= after.idle + after.iowait
    assert before.user + before.system <= seen.processors[one].busy
    assert list(seen.processors) == [one]


@pytest.mark.parametrize(
    ("gpu", "expected", "disturbed"),
    [
        (GpuCondition("gpu0"), [], False),
        (GpuCondition("gpu0", frozenset({7, 8}), 3000, shared=True), ["(2 processes, 3000 MiB)"], True),
        (GpuCondition("gpu0", others_mib=3000, shared=True), ["(3000 MiB)"], True),
        (GpuCondition("gpu0", held_back={HEAT: 0.4, POWER: 0.05}), ["by heat in 40%"], False),
        (GpuCondition("gpu0", held_back={POWER: 0.9}), ["by its power limit in 90%"], False),
        (GpuCondition("gpu0", memory_errors=2), ["counted 2 errors"], False),
    ],
)
def test_what_of_a_gpu_is_worth_a_warning(gpu, expected, disturbed):
    """Others that use it disturb; limits and errors are reported; a quiet GPU is not mentioned."""
    found = gpu_shortage([GpuCondition("gpu1"), gpu])
    assert len(found.warnings) == len(expected)
    assert all(text in warning for text, warning in zip(expected, found.warnings, strict=True))
    assert found.disturbed is disturbed


def test_shortages_add_up():
    """Of processors and of GPUs: all is reported, and one that disturbs is enough."""
    assert Shortage(("a",), disturbed=True) + Shortage(("b",)) == Shortage(("a", "b"), disturbed=True)
