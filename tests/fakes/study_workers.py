"""What a runner process does to a study, without an engine: for tests that compete and kill."""

import multiprocessing
import os
import threading
import time

from fakes.studies import heartbeat, measured

from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.errors import TrialLost

# A server that has everything imported forks workers in milliseconds.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["llmopt_core.sampling.methods", "optuna.samplers._tpe.sampler", "psycopg", "scipy.stats.qmc"]
)


def start(target, *arguments):
    """Start `target` as a process of its own."""
    process = CONTEXT.Process(target=target, args=arguments)
    process.start()
    return process


def search(url, name, runner, budget, seconds_per_trial=0.0):
    """Claim and finish until nothing is left, sending heartbeats beside it."""
    with open_for_search(url) as storage:
        study = storage.open_study(name)
        stop = threading.Event()
        thread = threading.Thread(target=_keep_beating, args=(study, runner, stop))
        thread.start()
        try:
            while (claim := study.claim(runner, budget=budget)) is not None:
                time.sleep(seconds_per_trial)
                _finish(study, claim)
        finally:
            stop.set()
            thread.join()


def confirm(url, name, runner, seconds_per_trial=0.0):
    """Claim and finish repeats until nothing is left."""
    with open_for_search(url) as storage:
        study = storage.open_study(name)
        while (claim := study.claim_confirm(runner)) is not None:
            time.sleep(seconds_per_trial)
            _finish(study, claim)


def hold(url, name, runner, budget, claimed):
    """Claim one trial, say so by its number, and hold it until killed."""
    with open_for_search(url) as storage:
        study = storage.open_study(name)
        claim = study.claim(runner, budget=budget)
        study.heartbeat(heartbeat(runner, 1))
        claimed.put((claim.number, dict(claim.parameters), os.getpid()))
        threading.Event().wait()


def create(url, definition, ready):
    """Open the storage and create the study, together with others that wait at the barrier."""
    ready.wait()
    with open_for_search(url) as storage:
        storage.create_study(definition)


def sweep(url, name, lease_seconds, swept):
    """Sweep twice, a lease apart, and say which trials were taken away."""
    from llmopt_core.storage.reaper import Reaper  # noqa: PLC0415 - as a reaper's process would

    with open_for_search(url) as storage:
        reaper = Reaper(storage.open_study(name), lease_seconds)
        taken = list(reaper.sweep())
        time.sleep(lease_seconds * 1.5)
        swept.put(taken + list(reaper.sweep()))


def _finish(study, claim):
    try:
        study.finish(claim, measured(claim))
    except TrialLost:
        return


def _keep_beating(study, runner, stop):
    count = 0
    while not stop.wait(0.1):
        count += 1
        study.heartbeat(heartbeat(runner, count))
