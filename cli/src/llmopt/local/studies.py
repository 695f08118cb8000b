"""The study of a results folder: made, found again, refused when it is another one, or started over."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llmopt.local.changes import changes_between
from llmopt.local.folders import ResultsFolder
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import LLMBenchmark, Resource, load_manifest
from llmopt_core.study.adapter import EndReason, Storage, Study, open_storage
from llmopt_core.study.comparison import compare_candidates
from llmopt_core.study.definitions import define_study, resource_name, study_name
from llmopt_core.study.errors import StudyMismatch, StudyNotFound
from llmopt_core.study.others import from_others

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

        Raises ManifestChanged when it was made from another manifest, and StorageUnavailable.
        """
        stored = self._stored()
        with open_storage(self.storage_url) as storage:
            study = self._matching(storage, stored)
            if stored and study.ended and self._goes_on(study, study.ended, stored):
                study.reopen()
            self.folder.manifest.write_text(self.manifest_text, encoding="utf-8")
            yield study

    def _stored(self) -> Resource | None:
        return load_manifest(self.folder.manifest) if self.folder.manifest.exists() else None

    def _goes_on(self, study: Study, end: EndReason, stored: Resource) -> bool:
        """Say whether to start it again: its budget was changed, or what failed it may be mended.

        A benchmark that came to its end goes on too where a repeat is missing: more of them were asked for,
        or a candidate could not be measured.
        """
        if end.reason in BUDGET_REASONS and stored.spec.budget != self.resource.spec.budget:
            return True
        if end.reason == Reason.TRIALS_EXHAUSTED and isinstance(self.resource, LLMBenchmark):
            return not compare_candidates(study).complete
        return end.failed and end.reason not in BUDGET_REASONS

    def _matching(self, storage: Storage, stored: Resource | None) -> Study:
        try:
            definition = define_study(self.resource)
            with ExitStack() as others:
                others_of = from_others(self.resource, partial(self._other, storage, others))
                return storage.create_study(definition, others_of)
        except StudyMismatch as error:
            changes = changes_between(stored, self.resource) if stored else ()
            raise ManifestChanged(_changed_message(self.resource.metadata.name, changes)) from error

    def _other(self, storage: Storage, opened: ExitStack, name: str) -> Study:
        """Open the study of another optimization: in the same database, or in the folder beside this one."""
        if self.storage is None:
            folder = ResultsFolder(self.folder.path.with_name(name))
            if not folder.database.exists():
                raise StudyNotFound(f"there is no {folder.database}")
            storage = opened.enter_context(open_storage(folder.storage_url()))
        return storage.newest_study(resource_name(self.resource, name))


def _changed_message(name: str, changes: tuple[str, ...]) -> str:
    listed = "".join(f"\n  {change}" for change in changes)
    return (
        f"the study {name!r} was made from another manifest, so its trials say nothing about this "
        f"one:{listed}\nStart over with --fresh (the earlier results are kept beside the new ones), or give "
        "the manifest another metadata.name"
    )
