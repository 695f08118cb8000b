"""The study of a results folder: made, found again, refused when it is another one, or started over."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llmopt.local.changes import changes_between
from llmopt.local.folders import ResultsFolder
from llmopt_core.analysis.comparison import compare_candidates
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import LLMBenchmark, ManifestInvalid, Resource, load_manifest
from llmopt_core.sampling.others import from_others
from llmopt_core.storage.definitions import define_study, resource_name, study_name
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.errors import StudyMismatch, StudyNotFound
from llmopt_core.storage.records import OutcomeKind
from llmopt_core.storage.storages import Storage, open_storage
from llmopt_core.storage.studies import Study

# A study that ended for one of these goes on when its budget was changed.
BUDGET_REASONS = frozenset(
    {
        Reason.TRIALS_EXHAUSTED,
        Reason.DEADLINE_EXCEEDED,
        Reason.BUDGET_SPENT,
        Reason.GOAL_REACHED,
        Reason.TOO_MANY_FAILURES,
    }
)


class ManifestChanged(LlmoptError):
    """The study was made from another manifest."""


@dataclass(frozen=True)
class LocalStudy:
    """A manifest, the folder of its results and where its study is stored (None: in the folder)."""

    resource: Resource
    manifest_text: str
    folder: ResultsFolder
    storage: str | None = None

    @property
    def storage_url(self) -> str:
        """Where the study is."""
        return self.storage or self.folder.storage_url()

    @property
    def exists(self) -> bool:
        """Whether the folder has a study, finished or not."""
        return self.folder.manifest.exists()

    @property
    def has_result(self) -> bool:
        """Whether a trial of the study that is there has ended: only then is there something to lose."""
        if not self.exists or (self.storage is None and not self.folder.database.exists()):
            return False
        with open_storage(self.storage_url) as storage:
            try:
                return _has_result(storage.open_study(study_name(self.resource)))
            except StudyNotFound:
                return False

    def start_over(self) -> Path | None:
        """Forget the study; return where its results were moved to (None: there were none).

        Raises FolderBusy while somebody works on it.
        """
        moved = None
        if self.folder.path.exists():
            with self.folder.locked():
                moved = self.folder.set_aside()
        if self.storage is not None:
            with open_storage(self.storage) as storage:
                storage.drop_study(study_name(self.resource))
        return moved

    @contextmanager
    def opened(self) -> Iterator[Study]:
        """Open the study, new or as it was left; call it with the folder locked.

        A study that was made from another manifest is made anew where no trial of it has ended. Raises
        ManifestChanged where one has, and StorageUnavailable.
        """
        stored = self._stored()
        with open_storage(self.storage_url) as storage:
            study = self._matching(storage, stored)
            if stored and study.ended and self._goes_on(study, study.ended, stored):
                study.reopen()
            self._write_manifest()
            yield study

    def _write_manifest(self) -> None:
        """Replace the copy at once: a process that is killed while it writes leaves the old copy."""
        new = self.folder.manifest.with_suffix(".new")
        new.write_text(self.manifest_text, encoding="utf-8")
        new.replace(self.folder.manifest)

    def _stored(self) -> Resource | None:
        """Return the manifest that the study was made from; None: there is none, or it cannot be read."""
        try:
            return load_manifest(self.folder.manifest) if self.exists else None
        except (ManifestInvalid, UnicodeDecodeError):  # what differs from it is then not said field by field
            return None

    def _goes_on(self, study: Study, end: EndReason, stored: Resource) -> bool:
        """Say whether to start it again: its budget was changed, or the cause of its failure may be fixed.

        A benchmark that came to its end goes on too where a repeat is missing: more of them were asked for,
        or a candidate could not be measured.
        """
        if end.reason in BUDGET_REASONS and stored.spec.budget != self.resource.spec.budget:
            return True
        if end.reason == Reason.TRIALS_EXHAUSTED and isinstance(self.resource, LLMBenchmark):
            return not compare_candidates(study).complete
        return end.failed and end.reason not in BUDGET_REASONS

    def _matching(self, storage: Storage, stored: Resource | None) -> Study:
        definition = define_study(self.resource)
        with ExitStack() as others:
            others_of = from_others(self.resource, partial(self._other, storage, others))
            try:
                return storage.create_study(definition, others_of)
            except StudyMismatch as error:
                if not self._may_replace(storage.open_study(definition.name)):
                    changes = changes_between(stored, self.resource) if stored else ()
                    raise ManifestChanged(_changed_message(self.resource.metadata.name, changes)) from error
            storage.drop_study(definition.name)
            return storage.create_study(definition, others_of)

    def _may_replace(self, study: Study) -> bool:
        """Say whether `study`, of another manifest, holds nothing; elsewhere others may be running it."""
        busy = self.storage is not None and any(trial.state == "running" for trial in study.trials())
        return not busy and not _has_result(study)

    def _other(self, storage: Storage, opened: ExitStack, name: str) -> Study:
        """Open the study of another optimization: in the same database, or in the folder beside this one."""
        if self.storage is None:
            folder = ResultsFolder(self.folder.path.with_name(name))
            if not folder.database.exists():
                raise StudyNotFound(f"there is no {folder.database}")
            storage = opened.enter_context(open_storage(folder.storage_url()))
        return storage.newest_study(resource_name(self.resource, name))


def _has_result(study: Study) -> bool:
    """Say whether a trial has ended; one that was given back has not."""
    return any(
        trial.outcome is not None and trial.outcome.kind is not OutcomeKind.RETURNED
        for trial in study.trials()
    )


def _changed_message(name: str, changes: tuple[str, ...]) -> str:
    listed = "".join(f"\n  {change}" for change in changes)
    return (
        f"the study {name!r} was made from another manifest, so its trials say nothing about this "
        f"one:{listed}\nStart over with --fresh, in Python fresh=True (the earlier results are kept beside"
        " the new ones), or give the manifest another metadata.name"
    )
