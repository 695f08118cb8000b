"""One study of a resource, read from its storage as decisions and the status need it."""

from collections.abc import Iterable

from llmopt_core.analysis.comparison import NotABenchmark, compare
from llmopt_core.analysis.summary import rank, summarise
from llmopt_core.resources import LLMBenchmark, LLMOptimization, Resource
from llmopt_core.results.durations import active_seconds
from llmopt_core.results.optimizations import result_of
from llmopt_core.results.progress import look, seconds_left
from llmopt_core.storage.errors import StudyNotFound
from llmopt_core.storage.records import RunnerRecord
from llmopt_core.storage.views import StudyPicture
from llmopt_operator.adapters.storages import Room
from llmopt_operator.domain.observed import StudySeen
from llmopt_operator.domain.rollups import BenchmarkReading, Reading, benchmark_seen, optimization_seen
from llmopt_operator.domain.winners import verified


def read_study(room: Room, name: str, resource: Resource, owner: str) -> StudySeen | None:
    """Return the study `name` of a resource of `owner`, None without one; abandoned trials are freed."""
    try:
        opened = room.opened(name)
    except StudyNotFound:
        return None
    opened.janitor.sweep()
    picture = opened.study.picture()
    if picture.retention != resource.spec.study_retention:
        opened.study.retain(resource.spec.study_retention, owner)
    if isinstance(resource, LLMBenchmark):
        return benchmark_seen(_read_benchmark(picture))
    return optimization_seen(_read_optimization(picture, resource))


def _read_optimization(study: StudyPicture, resource: LLMOptimization) -> Reading:
    runners = study.runners()
    active = active_seconds(runners)
    return Reading(
        name=study.definition.name,
        ended=study.ended,
        look=look(study, resource.spec, elapsed_seconds=active, runners=_alive(runners)),
        summary=summarise(study),
        result=verified(result_of(study), resource),
        ranked=rank(study),
        runners=runners,
        active_seconds=active,
        unreadable=study.unreadable,
    )


def _read_benchmark(study: StudyPicture) -> BenchmarkReading:
    comparison, trials, runners = study.comparison, study.trials(), study.runners()
    if comparison is None:
        raise NotABenchmark(f"study {study.definition.name!r} compares no candidates")
    ended = study.ended is not None
    finding = compare(comparison, study.definition.objectives[0], trials, ended=ended)
    to_do = finding.planned - finding.finished
    return BenchmarkReading(
        name=study.definition.name,
        ended=study.ended,
        finding=finding,
        summary=summarise(study),
        runners=runners,
        active_seconds=active_seconds(runners),
        unreadable=study.unreadable,
        left_seconds=None if ended else seconds_left(trials, to_do=to_do, runners=_alive(runners)),
    )


def _alive(runners: Iterable[RunnerRecord]) -> int:
    return sum(runner.ended is None for runner in runners)
