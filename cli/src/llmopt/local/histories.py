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
from llmopt_core.storage.records import TrialRecord
from llmopt_core.storage.storages import open_storage
from llmopt_core.storage.studies import Study


class NoStudy(LlmoptError):
    """A results folder has no study that can be read."""


@dataclass(frozen=True)
class StudyState:
    """One study. `ended` is why it did, None while it can go on; `trouble` why it could not be read."""

    folder: ResultsFolder
    ended: str | None = None
    trials: int = 0
    failures: tuple[tuple[Failure, float], ...] = ()  # with the Unix time of each
    trouble: str = ""
    busy: bool = False


@dataclass(frozen=True)
class ErrorHistory:
    """One error class over several studies. `share`: of all trials that ended; `last_seen`: Unix seconds."""

    error_class: ErrorClass
    count: int
    share: float
    last_message: str
    last_seen: float
    suggestion: str
    studies: tuple[str, ...]


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
    except (LlmoptError, OSError) as error:
        return StudyState(folder, trouble=words_of(error), busy=busy)
    finished = sum(trial.state == "finished" for trial in trials)
    return StudyState(folder, ended.reason if ended else None, finished, failures, busy=busy)


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
    met: dict[ErrorClass, list[tuple[float, Failure, str]]] = defaultdict(list)
    for state in studies:
        for failure, at in state.failures:
            met[failure.error_class].append((at, failure, state.folder.name))
    trials = sum(state.trials for state in studies)
    found = [_history(error_class, events, trials) for error_class, events in met.items()]
    return tuple(sorted(found, key=lambda one: (-one.count, one.error_class)))


def _history(
    error_class: ErrorClass, events: Sequence[tuple[float, Failure, str]], trials: int
) -> ErrorHistory:
    at, last, _ = max(events, key=lambda event: event[0])
    return ErrorHistory(
        error_class,
        len(events),
        len(events) / max(1, trials),
        last.message,
        at,
        last.suggestion,
        tuple(sorted({name for _, _, name in events})),
    )


def _failures(trials: Sequence[TrialRecord]) -> Iterator[tuple[Failure, float]]:
    for trial in trials:
        if trial.outcome is not None and trial.outcome.failure is not None:
            yield trial.outcome.failure, trial.finished_at or trial.started_at or 0.0
