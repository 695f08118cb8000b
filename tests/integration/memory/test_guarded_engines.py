"""Engines that eat memory, under a real supervisor in a real control group: killed, explained, gone."""

import subprocess
import time
from pathlib import Path

import psutil
import pytest
from fakes.control_groups import GroupedEngine, holding
from fakes.fake_engine import fake_processes

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engine_slot.engine_memory import EngineMemory, MemoryExceeded
from llmopt_runner.engine_slot.slot import EngineSlot
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.guard.levels import Thresholds

LIMIT_SECONDS = 60
# On a machine that other tests use as well; alone it takes a tenth of a second.
GONE_WITHIN_SECONDS = 5.0
NASTY = "--fork --daemonise --hide --ignore-sigterm"
FULL_MIB = 376  # of 400: EMERGENCY, and not yet the kernel's turn


def _slot(group, tmp_path, **memory):
    def settings(configuration):
        return LaunchSettings(
            None,
            "fake-model",
            workdir=tmp_path,
            log_path=tmp_path / "engine.log",
            parameters=configuration.engine,
        )

    watched = EngineMemory([group.memory()], Thresholds(), **memory)
    return EngineSlot(GroupedEngine(group), settings, LIMIT_SECONDS, memory=watched)


def _ensure(slot, orders):
    return slot.ensure(Configuration(engine={"orders": orders}), {}, lambda: False)


@pytest.mark.parametrize("orders", ["", NASTY])
def test_an_emergency_while_loading_ends_the_start_at_once(group, tmp_path, orders):
    """The start does not wait for its timeout; the failure has the numbers, and nothing is left."""
    slot = _slot(group, tmp_path)
    began_at = time.monotonic()
    with pytest.raises(MemoryExceeded) as caught:
        _ensure(slot, f"{orders} --eat {FULL_MIB}")
    assert time.monotonic() - began_at < LIMIT_SECONDS / 2
    assert caught.value.failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert "of 400 MiB" in caught.value.failure.message
    assert caught.value.facts["memory_guard"]["actions"]
    assert not fake_processes(tmp_path)


@pytest.mark.parametrize("orders", ["", NASTY])
def test_an_emergency_while_serving_leaves_nothing(group, tmp_path, orders):
    """A grandchild that eats in a session of its own takes all with it; how fast, the benchmark measures."""
    slot = _slot(group, tmp_path)
    now = tmp_path / "now"
    server, _ = _ensure(slot, f"{orders} --eat-below {FULL_MIB} --when {now}")
    now.touch()
    guard = slot.memory.guard
    deadline = time.monotonic() + LIMIT_SECONDS
    while "kill" not in guard.actions:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    killed_at = time.monotonic()
    while server.alive() or fake_processes(tmp_path):
        assert time.monotonic() < killed_at + GONE_WITHIN_SECONDS
    failure = slot.memory.failure(ended=True)
    assert failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert "reached EMERGENCY" in failure.message
    slot.close()


def test_critical_ends_gracefully_first(group, tmp_path):
    """At CRITICAL the engine lives on: what it is asked is ended, and its trial is over."""
    stopped = []
    slot = _slot(group, tmp_path, stop=lambda: stopped.append(1))
    now = tmp_path / "now"
    server, _ = _ensure(slot, f"--eat-below 345 --when {now}")
    now.touch()
    deadline = time.monotonic() + LIMIT_SECONDS
    while not stopped:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert server.alive()
    assert slot.memory.guard.actions == ("stop",)
    assert "reached CRITICAL" in slot.memory.failure(ended=False).message
    slot.close()


def test_a_kill_by_the_kernel_is_out_of_memory(group, tmp_path):
    """Where the kernel is quicker than any sampling, its counter decides the class."""
    slot = _slot(group, tmp_path)
    slot.memory._thresholds = Thresholds(97, 98, 99.99)
    with pytest.raises(MemoryExceeded, match=r"the kernel killed|reached") as caught:
        _ensure(slot, "--eat 800")
    assert caught.value.failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY


def test_memory_of_others_is_busy(group, tmp_path):
    """A process that is not the engine's fills the group: the trial is to be run again, and it is named."""
    slot = _slot(group, tmp_path)
    with subprocess.Popen(
        group.entering(*holding(340)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(MemoryExceeded) as caught:
            _ensure(slot, "--eat 60")
        other.communicate(b"\n")
    assert caught.value.failure.error_class is ErrorClass.MEMORY_BUSY
    assert f"pid {other.pid}" in caught.value.failure.message
    assert not fake_processes(tmp_path)


def test_an_engine_that_keeps_to_its_memory_is_left_alone(group, tmp_path):
    """A guarded engine that is safe serves, is reported, and leaves no leak."""
    slot = _slot(group, tmp_path)
    server, _ = _ensure(slot, "")
    with slot.memory.measuring() as reading:
        assert server.alive()
    assert 5 < reading().metrics()["peak_memory_mib"] < 100
    slot.close()
    assert slot.memory.take_warnings() == ()
    assert slot.memory.actions() == {}


def test_a_leak_is_reported_with_its_owner(group, tmp_path):
    """A process of the engine that outlived its stop is named with what it holds; once."""
    slot = _slot(group, tmp_path)
    _ensure(slot, "")
    with subprocess.Popen(
        group.entering(*holding(120)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as survivor:
        survivor.stdout.readline()
        # It stands for a process of the engine that no signal ended: one in uninterruptible sleep, say.
        slot.memory.guard.pids_seen[survivor.pid] = psutil.Process(survivor.pid).create_time()
        slot.close()
        (warning,) = slot.memory.take_warnings()
        survivor.communicate(b"\n")
    assert slot.memory.take_warnings() == ()
    assert f"(pid {survivor.pid})" in warning
    assert "MiB of host taken" in warning


def test_the_kernel_takes_the_engine_first(group, tmp_path):
    """Where memory runs out at once, the engine and all it starts are likelier killed than the runner."""
    own = int(Path("/proc/self/oom_score_adj").read_text())
    slot = _slot(group, tmp_path)
    server, _ = _ensure(slot, "--fork --daemonise")
    for pid in server.pids():
        assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == min(1000, own + 200)
    slot.close()
