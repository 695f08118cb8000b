"""What a study will cost before it runs: trials, repeats and time, as far as they are known."""

from collections.abc import Iterator
from contextlib import suppress

from llmopt.local.folders import ResultsFolder
from llmopt.local.histories import NoStudy, opened
from llmopt.local.studies import LocalStudy
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import LLMBenchmark, Resource, load_manifest
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.results.numbers import duration
from llmopt_core.results.progress import comparison_seconds_left, most_repeats, repeats_of, seconds_left
from llmopt_core.storage.studies import Study


def estimate(study: Study, local: LocalStudy, runners: int) -> str:
    """Return in one line what is left to do of `study`, and about how long `runners` will take."""
    spec = local.resource.spec
    work, count = _comparison(study, spec) if isinstance(spec, BenchmarkSpec) else _search(study, spec)
    return f"plan: {work}; {_time(study, local, count, runners)}"


def _search(study: Study, spec: OptimizationSpec) -> tuple[str, int]:
    """Return the trials and repeats that are left, in words and as a number."""
    done = sum(trial.state == "finished" for trial in study.trials())
    trials = max(0, spec.budget.trials - done)
    repeats = most_repeats(spec)
    before = f"{done} of {spec.budget.trials} trials are done, " if done else ""
    verified = f", then up to {repeats} repeats to verify the best" if repeats else ", no verification"
    return f"{before}up to {trials} {'more' if done else 'trials'}{verified}", trials + repeats


def _comparison(study: Study, spec: BenchmarkSpec) -> tuple[str, int]:
    """Return the repeats that are left, in words and as a number."""
    planned = len(spec.candidates) * spec.repeats
    comparison = study.comparison
    repeats = repeats_of(comparison, study.trials()) if comparison else []
    left = planned - sum(trial.state == "finished" for trial in repeats)
    before = f"{planned - left} of {planned} repeats are done" if left < planned else ""
    plural = "" if len(spec.candidates) == 1 else "s"
    whole = f"{len(spec.candidates)} candidate{plural}, {spec.repeats} repeats each"
    return before or whole, left


def _time(study: Study, local: LocalStudy, count: int, runners: int) -> str:
    budget = local.resource.spec.budget.duration
    most = f", at most {budget}" if budget else ""
    own = _own_seconds(study, local.resource.spec, count, runners)
    if own is not None:
        return f"about {duration(own)}{most}"
    for folder, seconds in _of_similar(local, count, runners):
        return f"about {duration(seconds)}, by the trials of {folder.path}{most}"
    return f"how long is shown once the first has ended{most}"


def _own_seconds(
    study: Study, spec: OptimizationSpec | BenchmarkSpec, count: int, runners: int
) -> float | None:
    trials = study.trials()
    if isinstance(spec, BenchmarkSpec):
        return comparison_seconds_left(trials, runners=runners)
    return seconds_left(trials, to_do=count, runners=runners)


def _of_similar(local: LocalStudy, count: int, runners: int) -> Iterator[tuple[ResultsFolder, float]]:
    """Yield the studies beside it that asked the same of the same model, the latest first, with the time."""
    beside = local.folder.path.parent.glob("*/study.db")
    for database in sorted(beside, key=lambda path: -path.stat().st_mtime):
        folder = ResultsFolder(database.parent)
        if folder.path == local.folder.path:
            continue
        with suppress(LlmoptError, NoStudy, OSError):  # one that cannot be read says nothing
            if _served_alike(load_manifest(folder.manifest), local.resource):
                with opened(folder, None) as study:
                    seconds = seconds_left(study.trials(), to_do=count, runners=runners)
                if seconds is not None:
                    yield folder, seconds


def _served_alike(one: Resource, other: Resource) -> bool:
    """Say whether a trial of both costs about the same: the same model, engine and questions."""
    return _cost_of(one) == _cost_of(other)


def _cost_of(resource: Resource) -> tuple[object, ...]:
    spec = resource.spec
    if isinstance(resource, LLMBenchmark):
        served: object = [
            (each.model or spec.model, each.engine or spec.engine) for each in resource.spec.candidates
        ]
    else:
        served = [(spec.model, spec.engine)]
    return served, spec.workload
