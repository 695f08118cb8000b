"""What it saves to group trials by engine load: the trials of a study, and the same ones on an engine each.

A study of `transformers serve` searches the kind of attention, which a load fixes, and the temperature. It
runs as any study does; then each of its trials runs again with an engine of its own. Prints for trials of two
lengths the wall time of both, their quotient, and the median (10th to 90th percentile) of a start and of the
rest of a trial; the last column is what no grouping can exceed: every trial without any start. The engine and
the model are those of the tests.

    python bench/engine_reuse.py [--trials N] [--requests N ...] [--tokens N] [--threads N]
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from fakes.engine_environments import safetensors_folder, use_engine

from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.sampling.opening import own_study
from llmopt_core.storage.records import Claim, Outcome, TrialRecord
from llmopt_core.storage.storages import open_storage
from llmopt_core.storage.studies import Study
from llmopt_runner.loop.assembly import search_runner, shared
from llmopt_runner.loop.search import SearchLoop
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.progress import Progress
from llmopt_runner.trial.trial_runner import TrialRunner


@dataclass(frozen=True)
class Arm:
    """One way to run the trials: seconds of it all, of each start, and of each trial without its start."""

    wall: float
    starts: tuple[float, ...]
    trials: tuple[float, ...]

    @classmethod
    def of(cls, wall: float, outcomes: Sequence[Outcome]) -> "Arm":
        """Return the times of `outcomes`, all of which must have been measured."""
        if wrong := [outcome.failure for outcome in outcomes if outcome.failure is not None]:
            raise SystemExit(f"trials failed: {wrong}")
        loads = [outcome.seconds["load"] for outcome in outcomes]
        starts = tuple(
            load
            for outcome, load in zip(outcomes, loads, strict=True)
            if "engine_start_seconds" in outcome.metrics
        )
        rests = (outcome.seconds["total"] - load for outcome, load in zip(outcomes, loads, strict=True))
        return cls(wall, starts, tuple(rests))


def resource(trials: int, requests: int, tokens: int, threads: int | None) -> LLMOptimization:
    """Return a study of `trials` trials of `requests` requests each, answered in `tokens` tokens at most."""
    arguments = {"device": "cpu", "dtype": "float32"} | ({"threads": threads} if threads else {})
    space = {
        "engine": [
            {"name": "attn_implementation", "categorical": {"choices": ["sdpa", "eager"]}},
        ],
        "sampling": [{"name": "temperature", "float": {"low": "0.1", "high": "1"}}],
    }
    return LLMOptimization.model_validate(
        {
            "apiVersion": "llmopt.dev/v1alpha1",
            "kind": "LLMOptimization",
            "metadata": {"name": "reuse"},
            "spec": {
                "model": {"source": f"file://{safetensors_folder()}"},
                "engine": {"name": "transformers", "args": arguments},
                "workload": {
                    "dataset": {"name": "arithmetic", "samples": requests},
                    "load": {"concurrency": 2},
                    "maxTokens": tokens,
                },
                "search": {"sampler": {"name": "random"}, "pruner": {"name": "none"}, "space": space},
                "objectives": [{"metric": "output_tokens_per_second"}],
                "budget": {"trials": trials},
                "confirm": {"top": 0},
            },
        }
    )


def opened(document: LLMOptimization, study: Study, folder: Path) -> TrialRunner:
    common = shared(document.spec, study, folder, StopSignal(), Progress(), {})
    return search_runner(document.spec, common)


def grouped(document: LLMOptimization, folder: Path) -> tuple[Arm, tuple[TrialRecord, ...]]:
    """Run the study as a runner does."""
    with open_storage(f"sqlite:///{folder / 'study.db'}") as storage:
        study = own_study(storage, document)
        trials = opened(document, study, folder)
        began = time.monotonic()
        try:
            SearchLoop(document.spec, study, trials, "bench").run()
        finally:
            trials.slot.close()
        wall = time.monotonic() - began
        records = study.trials()
    return Arm.of(wall, [record.outcome for record in records if record.outcome]), records


def apart(document: LLMOptimization, folder: Path, records: Sequence[TrialRecord]) -> Arm:
    """Run the trials of `records` again, each on an engine of its own."""
    with open_storage(f"sqlite:///{folder / 'again.db'}") as storage:
        trials = opened(document, own_study(storage, document), folder)
        began, outcomes = time.monotonic(), []
        for record in records:
            try:
                outcomes.append(trials.run(Claim(record.number, record.phase, record.parameters)))
            finally:
                trials.slot.close()
        return Arm.of(time.monotonic() - began, outcomes)


def spread(seconds: Sequence[float]) -> str:
    """Return the median, with the 10th and 90th percentile where there are several."""
    if len(seconds) == 1:
        return f"{seconds[0]:.1f}"
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    return f"{statistics.median(seconds):.1f} ({tenths[0]:.1f} to {tenths[-1]:.1f})"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--requests", type=int, nargs="+", default=(4, 8))
    parser.add_argument("--tokens", type=int, default=8, help="of an answer, at most")
    parser.add_argument("--threads", type=int, help="of the engine; on a machine that others use: 1")
    asked = parser.parse_args()
    use_engine("transformers")
    os.environ["HF_HUB_OFFLINE"] = "1"
    quotients = Table("requests a trial", "grouped, s", "an engine each, s", "quotient", "at most")
    parts = Table("requests a trial", "engines", "starts", "a start, s", "a trial without it, s")
    for requests in asked.requests:
        with tempfile.TemporaryDirectory() as folder:
            document = resource(asked.trials, requests, asked.tokens, asked.threads)
            together, records = grouped(document, Path(folder))
            alone = apart(document, Path(folder), records)
        most = alone.wall / sum(together.trials)
        quotients.add_row(
            str(requests),
            f"{together.wall:.1f}",
            f"{alone.wall:.1f}",
            f"{alone.wall / together.wall:.2f}",
            f"{most:.2f}",
        )
        for name, arm in (("grouped", together), ("each", alone)):
            parts.add_row(str(requests), name, str(len(arm.starts)), spread(arm.starts), spread(arm.trials))
    console = Console(width=110)
    console.print(f"{asked.trials} trials, {asked.tokens} tokens an answer, two requests at a time")
    console.print(quotients)
    console.print(parts)


if __name__ == "__main__":
    main()
