"""Which processes are llmopt's, and which of them nobody owns; with real processes of this test."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress

import psutil
import pytest
import yaml
from fakes.local_runs import document
from fakes.looks import looked_for

import llmopt
from llmopt.machine import orphans, processes
from llmopt.machine.orphans import end
from llmopt.machine.processes import abandoned, ours
from llmopt_core.api.environment import Variable

SLEEP = ("sleep", "60")


@pytest.fixture
def start():
    """Start processes that end with the test; `owner` is the writing end of their standard input."""
    with ExitStack() as stack:

        def begin(command=SLEEP, **environment):
            reading, writing = os.pipe()
            variables = {**os.environ, **environment}
            process = subprocess.Popen(command, stdin=reading, env=variables, executable="/bin/sleep")
            os.close(reading)
            stack.callback(process.wait)
            stack.callback(process.kill)
            owner = os.fdopen(writing, "wb")
            stack.callback(owner.close)
            return process, owner

        yield begin


def pids(found):
    return {process.pid for process in found}


def test_a_pipe_without_a_writer_is_an_owner_that_is_gone(start):
    """As long as somebody can write, the process is owned; unread data do not change that."""
    process, owner = start()
    assert not abandoned(process.pid)
    owner.write(b"x")
    owner.close()
    assert abandoned(process.pid)


def test_a_process_without_a_pipe_is_nobodys_to_judge():
    """A standard input that is no pipe names no owner; neither does a process that is gone."""
    with subprocess.Popen(SLEEP, stdin=subprocess.DEVNULL) as process:
        assert not abandoned(process.pid)
        process.kill()
    assert not abandoned(process.pid)


def test_a_runner_is_owned_until_its_session_ends(start):
    """The same process is a runner at first, and an orphan after."""
    process, owner = start(**{Variable.SESSION: "/results/mine"})
    assert process.pid in pids(ours().runners)
    owner.close()
    found = ours()
    assert process.pid in pids(found.orphaned_runners)
    assert process.pid not in pids(found.runners)


def test_an_engine_without_its_supervisor_is_an_orphan(start):
    """What SIGKILL of a supervisor leaves carries the mark, and nobody ends it."""
    process, _ = start(**{Variable.ENGINE_MARK: "left-behind"})
    assert process.pid in pids(ours().orphaned_engines)


def test_an_engine_is_owned_while_its_supervisors_lifeline_is_held(start):
    """The whole group of a mark shares its supervisor's fate."""
    # argv[0] alone identifies a supervisor here: sleep takes no script.
    supervisor, owner = start(("/x/llmopt_runner/engines/supervisor.py", "60"), **{Variable.ENGINE_MARK: "m"})
    engine, _ = start(**{Variable.ENGINE_MARK: "m"})
    group = {supervisor.pid, engine.pid}
    assert group <= pids(ours().engines)
    owner.close()
    assert group <= pids(ours().orphaned_engines)


def test_a_similar_name_is_not_ours(start):
    """Names in the command line, of runner or engine, make no process ours."""
    process, owner = start(("llmopt-runner", "60"))
    owner.close()
    found = ours()
    everything = (*found.runners, *found.engines, *found.orphans)
    assert process.pid not in pids(everything)
    assert os.getpid() not in pids(everything)


def test_cleanup_ends_what_nobody_owns(start, monkeypatch):
    """llmopt.cleanup ends an orphan and returns it; a runner with an owner is left alone."""
    orphan, owner = start(**{Variable.SESSION: "/results/mine"})
    owner.close()
    owned, _ = start(**{Variable.SESSION: "/results/other"})
    mine = {orphan.pid, owned.pid}
    # Other orphans of this machine are not this test's to end.
    monkeypatch.setattr(orphans, "orphans", lambda: tuple(one for one in ours().orphans if one.pid in mine))
    assert pids(llmopt.cleanup()) == {orphan.pid}
    assert orphan.wait(5) == -signal.SIGTERM
    assert owned.poll() is None


def test_ending_ends_what_was_meant_and_nothing_else(start):
    """A stopped process ends too; one that has another start time, as after a reused id, is left alone."""
    stuck, owner = start(**{Variable.SESSION: "/results/mine"})
    owner.close()
    other, _ = start(**{Variable.SESSION: "/results/other"})
    stuck.send_signal(signal.SIGSTOP)
    (meant,) = (one for one in ours().orphans if one.pid == stuck.pid)
    (living,) = (one for one in ours().runners if one.pid == other.pid)
    reused = processes.Found(living.pid, living.born - 1, living.arguments, living.session, "")
    assert end((meant, reused)) == ()
    assert stuck.wait(5) == -signal.SIGTERM
    assert other.poll() is None


def test_what_ignores_the_order_is_killed(monkeypatch, tmp_path):
    """After its grace it gets SIGKILL."""
    monkeypatch.setattr("llmopt.machine.orphans._GRACE_SECONDS", 0.2)
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    environment = {**os.environ, Variable.ENGINE_MARK: f"deaf-{tmp_path}"}
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, env=environment) as process:
        process.stdout.readline()
        (meant,) = (one for one in ours().orphans if one.pid == process.pid)
        assert end((meant,)) == ()
        assert process.wait(5) == -signal.SIGKILL


def clean(tmp_path, *arguments):
    program = [sys.executable, "-m", "llmopt.main", "clean", "--results", str(tmp_path / "results")]
    return subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def session(tmp_path, name):
    """`llmopt run` with the real runner and engine; yields it with its runner, supervisor and engine."""
    manifest = tmp_path / f"{name}.yaml"
    # Without its prompt cache one engine serves all trials: its processes stay the same.
    engine = {"name": "llamacpp", "args": {"cache_prompt": "false"}}
    manifest.write_text(yaml.safe_dump(document(name=name, trials=500, engine=engine)))
    command = [sys.executable, "-m", "llmopt.main", "run", str(manifest)]
    process = subprocess.Popen([*command, "--results", str(tmp_path / "results")], stdout=subprocess.DEVNULL)
    parent = psutil.Process(process.pid)
    family = looked_for(lambda: len(found := parent.children(recursive=True)) >= 3 and found, 60)
    try:
        yield process, family
    finally:
        for one in (*family, process):
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()


def test_clean_ends_what_a_killed_session_left_and_no_other(tmp_path, start):
    """Killed: the command, with SIGKILL, while its runner and supervisor are stopped and cannot notice.

    What must survive: a second session with its engine, and a process of a similar name.
    """
    bystander, owner = start(("llmopt-runner", "300"))
    owner.close()
    with session(tmp_path, "lost") as (lost, left), session(tmp_path, "mine") as (mine, kept):
        for process in left[:2]:  # the runner and the supervisor; the engine serves on
            process.suspend()
        lost.kill()
        lost.wait()
        said = clean(tmp_path, "--dry-run").stdout
        assert f"orphan {left[0].pid}:" in said
        assert not any(f"orphan {process.pid}:" in said for process in (*kept, bystander))
        assert all(process.is_running() for process in left)
        result = clean(tmp_path, "--yes")
        assert result.returncode == 0, result.stderr
        _, alive = psutil.wait_procs(left, timeout=10)
        assert alive == []
        assert all(process.is_running() for process in kept)
        assert mine.poll() is None
        assert bystander.poll() is None
        assert (tmp_path / "results" / "mine" / "study.db").exists()


def test_status_says_what_runs_and_what_was_left(tmp_path, start):
    """A living session is named with its runners; an orphan comes with the command that ends it."""
    with session(tmp_path, "alive"):
        orphan, owner = start(**{Variable.SESSION: str(tmp_path / "gone")})
        owner.close()
        program = [sys.executable, "-m", "llmopt.main", "status", "--detailed"]
        output = subprocess.run(
            [*program, "--results", str(tmp_path / "results")],
            capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "300"},
        ).stdout  # fmt: skip
    assert "alive with 1 runner(s)" in output
    assert "study alive" in output
    assert f"orphan {orphan.pid}" in output
    assert "`llmopt clean` ends them" in output
