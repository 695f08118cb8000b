"""The quickstart several times, each from its beginning: how long it takes and what it finds.

Each run has a folder of its own and another seed of its sampler; all else is the sample's. Run it where
nothing else runs, about five minutes a run.

    python bench/quickstart_runs.py [--runs N] [--first-seed N] [--results FOLDER] [--output FILE.md]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from disturbances import disturbed
from surfaces.tables import table

from llmopt.local.folders import ResultsFolder
from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.resources.status import ReportedEffect
from llmopt_core.results.effect_texts import gain_text, interval_text
from llmopt_core.results.reading import search_result
from llmopt_core.results.results import OptimizationResult
from llmopt_core.storage.definitions import study_name
from llmopt_core.storage.storages import open_storage

MANIFEST = Path(__file__).parents[1] / "config" / "samples" / "quickstart.yaml"
_MOST_SECONDS = 300.0


@dataclass(frozen=True)
class Run:
    """One run: `seconds` from the command to its end, and what it found (None: there is no study)."""

    seed: int
    seconds: float
    result: OptimizationResult | None

    @property
    def significant(self) -> bool:
        """Whether the repeats proved a gain."""
        return self.result is not None and self.result.significant

    @property
    def disturbed(self) -> int:
        """How many measurements others disturbed, at most."""
        return 0 if self.result is None else disturbed(self.result.warnings)


def main() -> int:
    """Run the quickstart, and write the table; 1 where a run found nothing at all."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        results = asked.results or Path(folder)
        seeds = range(asked.first_seed, asked.first_seed + asked.runs)
        runs = [_run(seed, results / f"seed-{seed}") for seed in seeds]
    text = report(runs)
    print(text)
    if asked.output is not None:
        asked.output.write_text(text, encoding="utf-8")
    return 0 if all(run.result for run in runs) else 1


def with_seed(manifest: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return the manifest with another seed of its sampler."""
    search = manifest["spec"]["search"]
    sampler = {**search.get("sampler", {}), "seed": seed}
    return {**manifest, "spec": {**manifest["spec"], "search": {**search, "sampler": sampler}}}


def _run(seed: int, folder: Path) -> Run:
    manifest = with_seed(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")), seed)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "quickstart.yaml"
    file.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
    llmopt = str(Path(sys.executable).with_name("llmopt"))
    began = time.monotonic()
    subprocess.run([llmopt, "run", str(file), "--results", str(folder), "--fresh"], check=False)
    seconds = time.monotonic() - began
    results = ResultsFolder(folder / manifest["metadata"]["name"])
    return Run(seed, seconds, _found(LLMOptimization.model_validate(manifest), results))


def _found(resource: LLMOptimization, folder: ResultsFolder) -> OptimizationResult | None:
    if not folder.database.exists():
        return None
    with open_storage(folder.storage_url()) as storage:
        return search_result(storage.open_study(study_name(resource)), resource.spec)


def report(runs: Sequence[Run]) -> str:
    """Return the text: how many runs had a significant gain in time, and a line for each run."""
    good = sum(run.significant for run in runs)
    soon = sum(run.seconds <= _MOST_SECONDS for run in runs)
    header = [
        "seed",
        "seconds",
        "significant gain",
        "gains over the baseline",
        "ended",
        "disturbed",
        "headline",
    ]
    return (
        f"# Runs of the quickstart: {len(runs)}\n\n"
        f"By `bench/quickstart_runs.py`: `llmopt run` in an empty folder, another seed each time. {good} of"
        f" {len(runs)} found a significant gain, {soon} ended within {_MOST_SECONDS:.0f} s. `disturbed`"
        " counts measurements from which others took the processors.\n\n"
        f"{table(header, [_row(run) for run in runs])}\n"
    )


def _row(run: Run) -> list[str]:
    found = run.result
    if found is None:
        return [str(run.seed), f"{run.seconds:.0f}", "no", "", "without a result", "", ""]
    gains = [_gain(each) for each in found.effects if each.metric in found.objectives]
    return [
        str(run.seed),
        f"{run.seconds:.0f}",
        "yes" if run.significant else "no",
        "; ".join(gains),
        found.ended or "not at all",
        str(run.disturbed),
        found.headline.replace("|", "/"),
    ]


def _gain(effect: ReportedEffect) -> str:
    span = interval_text(effect)
    return f"{effect.metric} {gain_text(effect)}{f' ({span})' if span else ''}"


def _arguments() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="keep the studies here")
    parser.add_argument("--output", type=Path, metavar="FILE.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
