"""Processors and GPUs that were not there: taken by others, or held back by a limit."""

import os
import subprocess
import sys

import psutil
import pytest

from llmopt_runner.host.contention import (
    ProcessorTimes,
    Shortage,
    gpu_shortage,
    processor_times,
    shortage,
    watch_processors,
)
from llmopt_runner.host.gpu_conditions import HEAT, POWER, GpuCondition

START = ProcessorTimes(busy=100.0, idle=900.0, own=50.0, periods=10, held_back=1)


def _after(*, busy: float = 0.0, idle: float = 0.0, own: float = 0.0, periods: int = 0, held_back: int = 0):
    return ProcessorTimes(
        START.busy + busy,
        START.idle + idle,
        START.own + own,
        START.periods + periods,
        START.held_back + held_back,
    )


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
    assert named.busy - began.busy >= 0.25


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
    assert before.idle + before.iowait <= seen.idle <= after.idle + after.iowait
    assert before.user + before.system <= seen.busy


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
