"""What every engine must do, on a real model: become ready, answer, obey each parameter, leave nothing.

A module runs all of it over its own CASES: `from fakes.engine_conformance import *`.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import fakes.doomed_runner
import psutil
import pytest
from fakes.looks import looked_for

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines import ports
from llmopt_runner.engines.failures import EngineStartFailed, PortBusy, UnsupportedParameter
from llmopt_runner.engines.probing import NotReady, Probe
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.host.usage import tree_mib

pytestmark = pytest.mark.slow
_LIMIT_SECONDS = 300
_GREEDY = {"temperature": 0.0}
_HOT = {"temperature": 1.5}
_ASKED_TIMES = 3


@dataclass(frozen=True)
class Proof:
    """`settles`: all answers are alike with `sampling`, not with `against`. `changes`: these two differ."""

    kind: Literal["settles", "changes"]
    sampling: Mapping[str, Any]
    against: Mapping[str, Any]


def _settles(**sampling: Any) -> Proof:
    """Prove that the added parameters leave nothing to chance at a high temperature."""
    return Proof("settles", {**_HOT, **sampling}, _HOT)


def _changes(against: Mapping[str, Any] = _GREEDY, **sampling: Any) -> Proof:
    return Proof("changes", {**_GREEDY, **sampling}, against)


_REPEATING = {**_GREEDY, "repeat_penalty": 2.0}
_DRY = {**_GREEDY, "dry_multiplier": 8.0, "dry_base": 100.0, "dry_allowed_length": 0}
_XTC = {**_GREEDY, "xtc_probability": 1.0, "xtc_threshold": 0.01}
PROOFS: Mapping[str, Proof] = {
    "temperature": Proof("settles", _GREEDY, _HOT),
    "top_k": _settles(top_k=1),
    "top_p": _settles(top_p=0.0001),
    "min_p": _settles(min_p=1.0),
    "typical_p": _settles(typical_p=0.0001),
    "top_n_sigma": _settles(top_n_sigma=0.001),
    "seed": _settles(seed=7),
    "dynatemp_range": Proof("settles", _GREEDY, {**_GREEDY, "dynatemp_range": 2.0}),
    "dynatemp_exponent": Proof(
        "settles",
        {"temperature": 1.0, "dynatemp_range": 1.0, "dynatemp_exponent": 80.0},
        {"temperature": 1.0, "dynatemp_range": 1.0},
    ),
    "epsilon_cutoff": _settles(epsilon_cutoff=0.9),
    "eta_cutoff": _changes({**_HOT, "seed": 7}, **{**_HOT, "seed": 7, "eta_cutoff": 0.9}),
    "top_h": _settles(top_h=0.0001),
    "xtc_probability": _changes(**_XTC),
    "xtc_threshold": _changes(_XTC, **{**_XTC, "xtc_threshold": 0.3}),
    "repeat_penalty": _changes(repeat_penalty=2.0),
    "repeat_last_n": _changes(_REPEATING, **{**_REPEATING, "repeat_last_n": 0}),
    "repetition_penalty": _changes(repetition_penalty=2.0),
    "no_repeat_ngram_size": _changes(no_repeat_ngram_size=1),
    "presence_penalty": _changes(presence_penalty=2.0),
    "frequency_penalty": _changes(frequency_penalty=2.0),
    "dry_multiplier": _changes(**_DRY),
    "dry_base": _changes(
        {**_DRY, "dry_multiplier": 0.05}, dry_multiplier=0.05, dry_base=1.0, dry_allowed_length=0
    ),
    "dry_allowed_length": _changes(_DRY, **{**_DRY, "dry_allowed_length": 100}),
}


def test_a_sampling_parameter_takes_effect(answering, sampling_case):
    """Every declared sampling parameter changes the distribution of a real model's answers."""
    proof = PROOFS[sampling_case]
    if proof.kind == "changes":
        assert answering.answers(proof.sampling, 1) != answering.answers(proof.against, 1)
        return
    assert len(set(answering.answers(proof.sampling, _ASKED_TIMES))) == 1
    assert len(set(answering.answers(proof.against, _ASKED_TIMES))) > 1


def test_a_parameter_that_is_not_declared_is_an_error(served):
    """What the engine would ignore is refused, and the nearest parameter is named."""
    with pytest.raises(UnsupportedParameter, match=r"sampling\.temprature.*sampling\.temperature"):
        served.case.engine.request_fields({"temprature": 0.5})


def test_an_answer_is_as_long_as_was_asked(served):
    """max_tokens ends an answer, and usage counts it."""
    document = served.post({"max_tokens": 5, "temperature": 0}, question="Count from 1 to 100.")
    assert document["usage"]["completion_tokens"] == 5
    assert document["choices"][0]["finish_reason"] == "length"


def test_an_answer_is_fixed_to_a_length(served):
    """Given a length, the server goes on beyond the end that the model chose, to exactly so many tokens."""
    free = served.post({"max_tokens": 60, **_GREEDY}, question="Say hello.")
    length = free["usage"]["completion_tokens"] + 10
    fields = served.case.engine.fixed_length_fields(_GREEDY, length)
    fixed = served.post({"max_tokens": length, **fields}, question="Say hello.")
    assert fixed["usage"]["completion_tokens"] == length
    assert fixed["choices"][0]["finish_reason"] == "length"


def test_a_streamed_answer_ends_with_usage(served):
    """Streaming gives the text in pieces, and the counts of tokens and the reason at its end."""
    fields = {"stream": True, "stream_options": {"include_usage": True}, "max_tokens": 8, "temperature": 0}
    with served.open(fields, question="Say hello.") as answer:
        lines = [line.removeprefix(b"data: ") for line in answer.read().split(b"\n\n") if line]
    # Not every server sends an end mark: the finish reason distinguishes a whole answer from one cut off.
    chunks = [json.loads(line) for line in lines if line != b"[DONE]"]
    reasons = [choice.get("finish_reason") for chunk in chunks for choice in chunk["choices"]]
    assert reasons[-1] in {"length", "stop"}
    pieces = [chunk["choices"][0]["delta"].get("content") for chunk in chunks if chunk["choices"]]
    assert len([piece for piece in pieces if piece]) > 1
    assert chunks[-1]["usage"]["completion_tokens"] > 1


def test_a_server_says_what_it_serves(served):
    """The address, the model's name and the readiness are there for the load generator."""
    assert served.server.alive()
    assert served.server.base_url.startswith("http://127.0.0.1:")
    started = served.case.behind or served.case
    assert served.server.model == started.engine.model_name(started.settings(Path()))


def test_a_stopped_server_leaves_nothing_and_starts_again(started_case, tmp_path, monkeypatch, temporary):
    """After a stop no process and no file lives on, the port is free, memory is back; then it starts anew.

    Results may lie in a folder named relatively to where the command was typed. Killed from outside, the
    second one is seen to be dead, with its signal.
    """
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    settings = started_case.settings(Path("logs"))
    with EngineServer(started_case.engine, settings) as server:
        assert 0 < server.start(started_case.start_limit_seconds) < started_case.start_limit_seconds
        pids = server.pids()
        shared = _shared_memory(pids)
        assert tree_mib(pids) > 50
        assert (tmp_path / settings.log_path).stat().st_size > 0
        assert not server.stop()
        assert not any(psutil.pid_exists(pid) for pid in pids)
        assert tree_mib(pids) == 0
        assert ports.is_free("127.0.0.1", server.settings.port)
        assert not server.alive()
        assert not _left_in(temporary, shared)
        server.start(started_case.start_limit_seconds)
        shared = _shared_memory(server.pids())
        os.kill(server.pids()[0], signal.SIGKILL)
        wait_for(lambda: not server.alive())
        assert (server.exit_code, server.exit_signal) == (None, signal.SIGKILL)
    assert not _left_in(temporary, shared)


def test_a_killed_runner_leaves_nothing_within_two_seconds(started_case, tmp_path, temporary):
    """SIGKILL of the runner ends the engine and the supervisor in two seconds."""
    runner, processes = _doomed_runner(started_case, tmp_path)
    shared = _shared_memory(processes["pids"])
    runner.kill()
    runner.communicate()
    deadline = time.monotonic() + 2
    watched = [*processes["pids"], processes["supervisor"]]
    while any(_lives(pid) for pid in watched):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert ports.is_free("127.0.0.1", processes["port"])
    assert not _left_in(temporary, shared)


def test_a_killed_supervisor_leaves_nothing(started_case, tmp_path, temporary):
    """SIGKILL of the supervisor ends the engine, and the runner sees it as killed."""
    with EngineServer(started_case.engine, started_case.settings(tmp_path)) as server:
        server.start(started_case.start_limit_seconds)
        pids = server.pids()
        shared = _shared_memory(pids)
        os.kill(server.supervisor_pid, signal.SIGKILL)
        wait_for(lambda: not server.alive())
        assert not any(_lives(pid) for pid in pids)
        assert server.exit_signal == signal.SIGKILL
        assert not server.stop()
    assert not _left_in(temporary, shared)


def test_a_missing_model_is_named(started_case, tmp_path):
    """A model that is not there ends the start at once, with the log and the right class."""
    settings = started_case.settings(tmp_path, model_path=tmp_path / started_case.absent)
    with EngineServer(started_case.engine, settings) as server, pytest.raises(EngineStartFailed) as caught:
        server.start(started_case.start_limit_seconds)
    assert caught.value.exit_code not in {0, None}
    assert started_case.absent in caught.value.log
    assert caught.value.failure.error_class is ErrorClass.MODEL_NOT_FOUND


def test_a_damaged_model_is_named(damaged_case, damage, tmp_path):
    """A model that is cut off anywhere, or no model at all, ends the start as a damaged model."""
    damaged = damaged_case.damages[damage](damaged_case.model().path, tmp_path)
    settings = damaged_case.settings(tmp_path, model_path=damaged)
    with EngineServer(damaged_case.engine, settings) as server, pytest.raises(EngineStartFailed) as caught:
        server.start(damaged_case.start_limit_seconds)
    assert caught.value.exit_code not in {0, None}
    assert caught.value.failure.error_class is ErrorClass.MODEL_CORRUPT


def test_a_busy_port_is_an_error_before_the_start(started_case, served, tmp_path):
    """A port that another server has is refused, although that server would answer as ours."""
    port = urlsplit(served.server.base_url).port
    settings = started_case.settings(tmp_path, port=port)
    with EngineServer(started_case.engine, settings) as server, pytest.raises(PortBusy, match=str(port)):
        server.start(started_case.start_limit_seconds)


def test_the_serve_command_really_serves(started_case, tmp_path):
    """What is shown to a person to serve the winner starts a server that answers as it was measured."""
    settings = started_case.settings(tmp_path)
    sampling = {"temperature": 0.0}
    configuration = started_case.engine.declaration.canonical(
        Configuration(engine=started_case.parameters, sampling=sampling)
    )
    port = ports.free_port("127.0.0.1")
    line = started_case.engine.serve_arguments(configuration, settings).splitlines()[0]
    fields = {} if started_case.command_has_sampling else started_case.engine.request_fields(sampling)
    with subprocess.Popen(  # noqa: S602 - a person pastes it into a shell
        f"exec {line} --port {port}",
        shell=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            probe = Probe(f"http://127.0.0.1:{port}")
            wait_for(lambda: answers_at(probe))
            # Where nothing is sent with it, the server's own default must be the winner's.
            name = started_case.engine.model_name(settings)
            texts = {probe.complete(name, {**fields, "max_tokens": 12}, 60) for _ in "123"}
            assert len(texts) == 1
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def answers_at(probe: Probe) -> bool:
    try:
        return bool(probe.models(5))
    except NotReady:
        return False


def wait_for(condition: Callable[[], bool]) -> None:
    looked_for(condition, _LIMIT_SECONDS)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _shared_memory(pids: Sequence[int]) -> list[Path]:
    """Return the named shared memory of an engine's processes: vLLM has some, the others none."""
    maps = {place.path for pid in pids for place in psutil.Process(pid).memory_maps()}
    return [Path(name) for name in maps if name.startswith("/dev/shm/") and Path(name).exists()]  # noqa: S108


def _left_in(temporary: Path, shared: Sequence[Path]) -> list[str]:
    """Return what is left among the temporary files and in shared memory.

    What torch compiled is left on purpose: later starts use it.
    """
    left = [entry.name for entry in temporary.iterdir() if not entry.name.startswith("torchinductor_")]
    return left + [memory.name for memory in shared if memory.exists()]


def _doomed_runner(case: Any, folder: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    what = pickle.dumps((case.engine, case.settings(folder)))  # first: it makes the engine's program known
    runner = subprocess.Popen(
        (sys.executable, fakes.doomed_runner.__file__), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    runner.stdin.write(what)
    runner.stdin.close()
    runner.stdin = None
    processes = json.loads(runner.stdout.readline())
    assert all(_lives(pid) for pid in (*processes["pids"], processes["supervisor"]))
    return runner, processes
