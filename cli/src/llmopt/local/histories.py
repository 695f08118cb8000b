"""All studies of a results folder: their state, and the errors that they met."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llmopt.local.folders import ResultsFolder
from llmopt_core.errors.classes import ErrorClass, Failure, LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_core.resources import load_manifest
from llmopt_core.storage.definitions import study_name
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import TrialRecord
from llmopt_core.storage.storages import open_storage
from llmopt_core.storage.studies import Study

_CLASSES = frozenset(one.value for one in ErrorClass)
# When, what, and in which study.
_Event = tuple[float, Failure, str]


class NoStudy(LlmoptError):
    """A results folder has no study that can be read."""


@dataclass(frozen=True)
class StudyState:
    """One study. `ended` is why it did, None while it can go on; `trouble` why it could not be read."""

    folder: ResultsFolder
    ended: str | None = None
    trials: int = 0
    failures: tuple[tuple[Failure, float], ...] = ()  # with the Unix time of each
    ended_by: tuple[Failure, float] | None = None  # what failed the study as a whole
    trouble: str = ""
    busy: bool = False


@dataclass(frozen=True)
class ErrorHistory:
    """One error class over several studies.

    `count` holds trials, and studies that failed as a whole without such a trial; `share` is that of trials
    only. `ended` are the studies that failed as a whole because of it, `last_seen` Unix seconds.
    """

    error_class: ErrorClass
    count: int
    share: float
    last_message: str
    last_seen: float
    suggestion: str
    studies: tuple[str, ...]
    ended: tuple[str, ...] = ()


def folders(results: Path) -> tuple[ResultsFolder, ...]:
    """Return the results folders below `results`, by name, those that were set aside among them."""
    return tuple(ResultsFolder(manifest.parent) for manifest in sorted(results.glob("*/manifest.yaml")))


def states(results: Path, storage: str | None) -> tuple[StudyState, ...]:
    """Return the state of every study below `results`; one that cannot be read says why."""
    return tuple(state_of(folder, storage) for folder in folders(results))


def state_of(folder: ResultsFolder, storage: str | None) -> StudyState:
    """Return the state of the study in `folder`, or at the URL `storage` where it lies there."""
    busy = folder.busy
    try:
        with opened(folder, storage) as study:
            trials = study.trials()
            ended = study.ended
            failures = tuple(_failures(trials))
            ended_by = _study_failure(ended, failures, trials)
    except (LlmoptError, OSError) as error:
        return StudyState(folder, trouble=words_of(error), busy=busy)
    finished = sum(trial.state == "finished" for trial in trials)
    return StudyState(folder, ended.reason if ended else None, finished, failures, ended_by, busy=busy)


@contextmanager
def opened(folder: ResultsFolder, storage: str | None) -> Iterator[Study]:
    """Open the study of `folder` to read it; raises NoStudy, StorageUnavailable and ManifestInvalid."""
    resource = load_manifest(folder.manifest)
    url = folder.storage_url() if folder.database.exists() else storage
    if url is None:
        raise NoStudy(
            f"{folder.database} is not there: if the study is in another database, name it by --storage"
        )
    with open_storage(url) as database:
        yield database.open_study(study_name(resource))


def error_history(studies: Sequence[StudyState]) -> tuple[ErrorHistory, ...]:
    """Return what `studies` met, by class, most frequent first."""
    met: dict[ErrorClass, list[_Event]] = defaultdict(list)
    for state in studies:
        for failure, at in state.failures:
            met[failure.error_class].append((at, failure, state.folder.name))
    ends: dict[ErrorClass, list[_Event]] = defaultdict(list)
    for state in studies:
        if state.ended_by is not None:
            failure, at = state.ended_by
            ends[failure.error_class].append((at, failure, state.folder.name))
    trials = sum(state.trials for state in studies)
    classes = dict.fromkeys((*met, *ends))
    found = [_history(one, met[one], ends[one], trials) for one in classes]
    return tuple(sorted(found, key=lambda one: (-one.count, one.error_class)))


def _history(
    error_class: ErrorClass, events: Sequence[_Event], ends: Sequence[_Event], trials: int
) -> ErrorHistory:
    at, last, _ = max((*events, *ends), key=lambda event: event[0])
    in_trials = {name for _, _, name in events}
    return ErrorHistory(
        error_class,
        len(events) + sum(name not in in_trials for _, _, name in ends),
        len(events) / max(1, trials),
        last.message,
        at,
        last.suggestion,
        tuple(sorted({name for _, _, name in (*events, *ends)})),
        tuple(sorted({name for _, _, name in ends})),
    )


def _failures(trials: Sequence[TrialRecord]) -> Iterator[tuple[Failure, float]]:
    for trial in trials:
        failure = trial.outcome.failure if trial.outcome is not None else None
        if failure is not None and failure.error_class is not ErrorClass.PREEMPTED:  # nothing went wrong
            yield failure, trial.finished_at or trial.started_at or 0.0


def _study_failure(
    ended: EndReason | None, failures: Sequence[tuple[Failure, float]], trials: Sequence[TrialRecord]
) -> tuple[Failure, float] | None:
    """Return what failed a study as a whole, where that is an error and no count of failed trials."""
    if ended is None or not ended.failed or ended.reason not in _CLASSES:
        return None
    known = next((one for one, _ in failures if one.error_class == ended.reason), None)
    suggestion = known.suggestion if known else ""  # a message of a study says itself what to do
    at = max((trial.finished_at or trial.started_at or 0.0 for trial in trials), default=0.0)
    return Failure(ErrorClass(ended.reason), ended.message, suggestion), at
