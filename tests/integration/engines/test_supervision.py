"""What engines do at their worst, by a fake one that does it on order: nothing of it may be left."""

import dataclasses
import errno
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import fakes.doomed_runner
import psutil
import pytest
from fakes.fake_engine import FakeEngine, fake_processes

from llmopt_core.errors.classes import ErrorClass
from llmopt_runner.engines import ports, supervisor
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.failures import (
    AccessDenied,
    EngineRefused,
    EngineStartFailed,
    EngineStartTimeout,
    PortBusy,
)
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.stopping import Interrupted

LIMIT_SECONDS = 30
EVERY_FAULT = "--fork --daemonise --ignore-sigterm"


@pytest.fixture
def settings(tmp_path):
    return LaunchSettings(None, "fake-model", workdir=tmp_path, log_path=tmp_path / "engine.log")


def _server(settings, orders="", *, grace_seconds=0.3, program=sys.executable, **changes):
    settings = dataclasses.replace(settings, parameters={"orders": orders}, **changes)
    engine = FakeEngine()
    engine.program = program
    return EngineServer(engine, settings, grace_seconds=grace_seconds)


def _lives(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _shared_memory(pid):
    """Return where engine `pid` has what `--litter` leaves in shared memory."""
    return Path("/dev/shm", f"litter-{pid}")  # noqa: S108 - where Linux has it


def _wait_for(condition, limit_seconds=LIMIT_SECONDS):
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("orders", ["", "--fork", "--daemonise", "--hide", "--ignore-sigterm", EVERY_FAULT])
@pytest.mark.parametrize("at_once", [False, True])
def test_stopping_ends_the_whole_tree(settings, orders, at_once):
    """Children, daemons and processes that ignore SIGTERM are gone after a stop, and the port is free."""
    with _server(settings, orders) as server:
        server.start(LIMIT_SECONDS)
        pids = server.pids()
        began_at = time.monotonic()
        assert not server.stop(at_once=at_once)
    assert not any(_lives(pid) for pid in pids)
    assert not fake_processes(settings.workdir)
    assert time.monotonic() - began_at < 5


def test_an_engine_gets_its_grace(settings):
    """A graceful stop asks with SIGTERM; SIGKILL comes only when the grace is over."""
    with _server(settings) as obedient, _server(settings, "--ignore-sigterm") as stubborn:
        obedient.start(LIMIT_SECONDS)
        stubborn.start(LIMIT_SECONDS)
        obedient.stop()
        stubborn.stop()
    assert obedient.exit_signal == signal.SIGTERM
    assert stubborn.exit_signal == signal.SIGKILL


def test_stopping_twice_is_harmless(settings):
    """A stop may be repeated, also of what was never started."""
    with _server(settings) as server:
        assert not server.stop()
        server.start(LIMIT_SECONDS)
        assert not server.stop()
        assert not server.stop()


@pytest.mark.parametrize("orders", ["", EVERY_FAULT, "--hide"])
def test_a_killed_runner_leaves_nothing_within_two_seconds(settings, orders, temporary):
    """SIGKILL of the runner ends even daemons that ignore SIGTERM and hide whose they are."""
    runner = subprocess.Popen(
        (sys.executable, fakes.doomed_runner.__file__),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(fakes.doomed_runner.__file__).parents[1])},
    )
    settings = dataclasses.replace(settings, parameters={"orders": f"--litter {orders}"})
    with runner:
        runner.stdin.write(pickle.dumps((FakeEngine(), settings)))
        runner.stdin.flush()
        started = json.loads(runner.stdout.readline())
        assert started["pids"]
        runner.kill()
    _wait_for(lambda: not any(_lives(pid) for pid in (*started["pids"], started["supervisor"])), 2)
    assert not fake_processes(settings.workdir)
    assert not list(temporary.iterdir())
    assert not any(_shared_memory(pid).exists() for pid in started["pids"])
    assert ports.is_free("127.0.0.1", started["port"])


@pytest.mark.parametrize("orders", ["", EVERY_FAULT])
def test_a_killed_supervisor_leaves_nothing(settings, orders):
    """SIGKILL of the supervisor takes the engine along; the runner sweeps up its children."""
    with _server(settings, orders) as server:
        server.start(LIMIT_SECONDS)
        pids = server.pids()
        os.kill(server.supervisor_pid, signal.SIGKILL)
        _wait_for(lambda: not server.alive())
        assert not any(_lives(pid) for pid in pids)
        assert not server.stop()
    assert not fake_processes(settings.workdir)


@pytest.mark.parametrize("orders", ["--litter", "--litter --ignore-sigterm"])
@pytest.mark.parametrize("killed", ["nobody", "engine", "supervisor"])
def test_temporary_files_and_shared_memory_go_with_the_engine(settings, temporary, killed, orders):
    """What an engine leaves in temporary files and shared memory is removed, whichever process is killed."""
    with _server(settings, orders) as server:
        server.start(LIMIT_SECONDS)
        assert [each.name for each in temporary.glob("*/*/*")] == ["deep"]
        shared = _shared_memory(server.pids()[0])
        assert shared.exists()
        pids = {"engine": server.pids()[:1], "supervisor": (server.supervisor_pid,), "nobody": ()}
        for pid in pids[killed]:
            os.kill(pid, signal.SIGKILL)
            _wait_for(lambda: not server.alive())
    assert not list(temporary.iterdir())
    assert not shared.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root may mount a small disk")
def test_a_full_disk_of_temporary_files_is_named(settings, temporary):
    """Where no folder can be made for them, the start fails by its class, with the place."""
    subprocess.run(("mount", "-t", "tmpfs", "-o", "nr_inodes=1", "tmpfs", temporary), check=True)
    try:
        with _server(settings) as server, pytest.raises(EngineStartFailed) as caught:
            server.start(LIMIT_SECONDS)
    finally:
        subprocess.run(("umount", temporary), check=True)
    assert caught.value.failure.error_class is ErrorClass.DISK_FULL
    assert str(temporary) in str(caught.value)
    assert not fake_processes(settings.workdir)


def test_a_supervisor_that_gets_sigterm_ends_the_engine(settings):
    """SIGTERM to the supervisor is an orderly end of the engine."""
    with _server(settings, "--fork") as server:
        server.start(LIMIT_SECONDS)
        pids = server.pids()
        os.kill(server.supervisor_pid, signal.SIGTERM)
        _wait_for(lambda: not server.alive())
        assert server.exit_signal == signal.SIGTERM
    assert not any(_lives(pid) for pid in pids)


def test_the_end_of_the_starting_thread_does_not_end_the_engine(settings):
    """An engine may be started from a thread that ends: its life hangs on the runner's process."""
    with _server(settings) as server:
        thread = threading.Thread(target=server.start, args=(LIMIT_SECONDS,))
        thread.start()
        thread.join()
        time.sleep(0.1)  # a parent-death signal would have arrived long since
        assert server.alive()


def test_an_engine_that_ends_is_an_error_with_its_whole_log(settings):
    """An early exit is reported with its code and the log, causes included that stand far above its end."""
    with _server(settings, "--exit 3") as server, pytest.raises(EngineStartFailed) as caught:
        server.start(LIMIT_SECONDS)
    assert (caught.value.exit_code, caught.value.signal) == (3, None)
    assert caught.value.log.startswith("the root cause\n")
    assert "exit code 3" in str(caught.value)
    assert "the end" in str(caught.value)
    assert caught.value.failure.error_class is ErrorClass.ENGINE_CRASHED


def test_an_engine_that_aborts_is_an_error_with_its_signal(settings):
    """An engine that a signal ends before it is ready is reported with that signal."""
    with _server(settings, "--abort") as server, pytest.raises(EngineStartFailed) as caught:
        server.start(LIMIT_SECONDS)
    assert (caught.value.exit_code, caught.value.signal) == (None, signal.SIGABRT)


def test_an_engine_whose_parent_ends_leaves_no_child(settings):
    """The child of an engine that crashed does not live on with its memory."""
    with _server(settings, "--fork --exit 1") as server, pytest.raises(EngineStartFailed):
        server.start(LIMIT_SECONDS)
    assert not fake_processes(settings.workdir)


def test_a_program_that_is_not_there_is_an_error(settings):
    """A command that cannot be run ends like one that failed, and its log names it."""
    with (
        _server(settings, program="/absent/program") as server,
        pytest.raises(EngineStartFailed, match=r"cannot run /absent/program: No such file"),
    ):
        server.start(LIMIT_SECONDS)


def test_an_engine_that_hangs_is_killed_at_the_timeout(settings):
    """An engine that accepts a request and never answers is a timeout, and nothing of it is left."""
    with _server(settings, f"--hang {EVERY_FAULT}") as server, pytest.raises(EngineStartTimeout) as caught:
        server.start(1.0)
    assert caught.value.failure.error_class is ErrorClass.ENGINE_START_TIMEOUT
    assert "startTimeout" in caught.value.failure.suggestion
    assert not fake_processes(settings.workdir)


def test_a_cancelled_start_ends_at_once(settings):
    """A runner that is asked to stop while an engine starts does not wait for it, and leaves nothing."""
    asked_at = time.monotonic() + 0.3
    with (
        _server(settings, program="/bin/sleep") as server,
        pytest.raises((Interrupted, EngineStartFailed)),
    ):
        server.start(LIMIT_SECONDS, cancelled=lambda: time.monotonic() > asked_at)
    assert not fake_processes(settings.workdir)


@pytest.mark.parametrize(
    ("status", "error"), [(401, AccessDenied), (403, AccessDenied), (422, EngineRefused)]
)
def test_a_refusal_ends_the_start_at_once(settings, status, error):
    """A first request that is refused is not sent again until the timeout."""
    with _server(settings, f"--refuse {status}") as server, pytest.raises(error, match=str(status)):
        server.start(LIMIT_SECONDS)


def test_a_port_that_is_taken_is_an_error(settings):
    """A port that was asked for and is taken is named, before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _server(settings, port=port) as server, pytest.raises(PortBusy, match=str(port)):
            server.start(LIMIT_SECONDS)
        assert not server.pids()


def test_a_machine_without_a_free_port_is_an_error(settings, monkeypatch):
    """Where none can be picked the range that was looked in is named; a whole runner meets it elsewhere."""

    def none_left(_host):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

    monkeypatch.setattr(ports, "free_port", none_left)
    low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    with _server(settings) as server, pytest.raises(PortBusy, match=f"from {low} to {high} is taken"):
        server.start(LIMIT_SECONDS)


def test_a_port_lost_in_between_is_picked_anew(settings, monkeypatch):
    """When another process takes the free port before the engine does, the start goes on with the next."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        lost = taken.getsockname()[1]
        picks = iter([lost, ports.free_port("127.0.0.1")])
        monkeypatch.setattr(ports, "free_port", lambda _host: next(picks))
        monkeypatch.setattr(EngineServer, "_require_free_port", lambda _self: None)
        with _server(settings) as server:
            server.start(LIMIT_SECONDS)
            assert server.settings.port != lost


def test_another_server_at_the_port_is_not_taken_for_ours(settings, monkeypatch):
    """A server of the same model that answers at the port does not make ours ready while ours is not."""
    monkeypatch.setattr(EngineServer, "_require_free_port", lambda _self: None)
    with _server(settings) as other:
        other.start(LIMIT_SECONDS)
        port, log = other.settings.port, settings.workdir / "second.log"
        with (
            _server(settings, "--late 60", port=port, log_path=log) as server,
            pytest.raises(EngineStartTimeout, match=f"another process listens at port {port}"),
        ):
            server.start(0.5)
        assert other.alive()


def test_the_supervisor_starts_fast(tmp_path):
    """What stands between the runner and the engine costs less than a twentieth of a second of CPU."""
    program = (sys.executable, "-I", "-S", supervisor.__file__)
    used = []
    for _ in range(3):  # the least of three: other processes disturb the caches
        before = os.times()
        command = (*program, str(tmp_path / "log"), str(tmp_path / "scratch"), "1", "1", "/bin/true")
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.wait(LIMIT_SECONDS) == 0
        after = os.times()
        used.append(after.children_user + after.children_system)
        used[-1] -= before.children_user + before.children_system
    assert min(used) < 0.05
