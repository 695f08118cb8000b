"""What readers of a study need of it: the live one, or a picture of one moment."""

from dataclasses import dataclass
from typing import Protocol

from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.earlier import Learned
from llmopt_core.storage.records import (
    ComparisonDefinition,
    ConfirmPlan,
    RunnerRecord,
    StudyDefinition,
    TrialRecord,
)


class StudyView(Protocol):
    """A study as it is read. A live one may show a later state from one call to the next."""

    @property
    def definition(self) -> StudyDefinition:
        """What the study was created from."""

    @property
    def ended(self) -> EndReason | None:
        """Why the study was ended, or None."""

    @property
    def confirm_plan(self) -> ConfirmPlan | None:
        """The stored plan, if any."""

    @property
    def comparison(self) -> ComparisonDefinition | None:
        """What a benchmark compares, as it is now; None for an optimization."""

    @property
    def learned(self) -> tuple[Learned, ...]:
        """How far earlier studies are used, as the sampler said last."""

    def trials(self) -> tuple[TrialRecord, ...]:
        """Return all trials by number."""

    def runners(self) -> tuple[RunnerRecord, ...]:
        """Return what each runner last said, by name."""


@dataclass(frozen=True)
class StudyPicture:
    """A study at one moment, read in one transaction. `unreadable` names the rows that are left out."""

    definition: StudyDefinition
    ended: EndReason | None
    confirm_plan: ConfirmPlan | None
    comparison: ComparisonDefinition | None
    retention: str
    seen_trials: tuple[TrialRecord, ...]
    seen_runners: tuple[RunnerRecord, ...]
    learned: tuple[Learned, ...] = ()
    unreadable: tuple[str, ...] = ()

    def trials(self) -> tuple[TrialRecord, ...]:
        """Return all trials by number."""
        return self.seen_trials

    def runners(self) -> tuple[RunnerRecord, ...]:
        """Return what each runner last said, by name."""
        return self.seen_runners
