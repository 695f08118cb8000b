"""The repeats of a confirmation or a benchmark as a study stores them: enqueued, adjusted, withdrawn.

In which order they are measured is decided in `repeats`.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy.engine import Connection

from llmopt_core.storage.documents import (
    PLANS,
    Assignment,
    dump,
    dump_definition,
    load,
    load_definition,
)
from llmopt_core.storage.endings import Endings
from llmopt_core.storage.keys import DEFINITION_KEY, PLAN_KEY
from llmopt_core.storage.records import ComparisonDefinition, ConfirmPlan, OutcomeKind, StudyDefinition
from llmopt_core.storage.repeats import assignments, current, ended_as, plan_of
from llmopt_core.storage.rows import TrialWriter, get_attribute, put_attribute
from llmopt_core.storage.snapshot import Snapshot


class PlannedRepeats:
    """Writes the planned repeats of one study, under the study's lock. Not safe from several threads."""

    def __init__(
        self, snapshot: Snapshot, definition: StudyDefinition, writer: TrialWriter, endings: Endings
    ) -> None:
        self._snapshot = snapshot
        self._definition = definition
        self._writer = writer
        self._endings = endings

    def plan(self, connection: Connection, plan: ConfirmPlan) -> ConfirmPlan:
        """Store `plan` and its trials, and return it; see `Study.plan_confirm`."""
        stored = load_plan(get_attribute(connection, self._snapshot.study_id, PLAN_KEY))
        if stored is not None and stored.basis >= plan.basis:
            return stored
        if stored is not None:
            self.withdraw(connection, lambda _repeat: True)
            plan = replace(plan, first=stored.first + len(stored.candidates))
        put_attribute(connection, self._snapshot.study_id, PLAN_KEY, dump(plan))
        self._enqueue(connection, assignments(plan))
        return plan

    def withdraw(self, connection: Connection, withdrawn: Callable[[Assignment], bool]) -> None:
        """End the waiting repeats that are `withdrawn` without a result."""
        for trial in tuple(self._snapshot.waiting()):
            if trial.assignment.repeat is not None and withdrawn(trial.assignment):
                self._endings.withdraw(connection, trial)

    def comparison_in(self, text: str | None) -> ComparisonDefinition | None:
        """Return the comparison in `text`, the definition as it is stored now; None: there is none."""
        if self._definition.comparison is None or text is None:
            return self._definition.comparison
        return load_definition(text).comparison

    def adjust(self, connection: Connection, wanted: ComparisonDefinition) -> None:
        """Store what of the comparison changed, with the repeats that follow; see `Study.adjust`."""
        text = get_attribute(connection, self._snapshot.study_id, DEFINITION_KEY)
        stored = None if text is None else load_definition(text)
        if stored is None or stored.comparison is None:
            return
        changed = replace(wanted, candidates=stored.comparison.candidates)
        if changed == stored.comparison:
            return
        document = dump_definition(replace(stored, comparison=changed))
        put_attribute(connection, self._snapshot.study_id, DEFINITION_KEY, document)
        self.enqueue_missing(connection, changed, again=False)
        self.withdraw(connection, lambda repeat: (repeat.repeat or 0) >= changed.repeats)

    def enqueue_missing(
        self, connection: Connection, comparison: ComparisonDefinition, *, again: bool
    ) -> None:
        """Enqueue the repeats that there are not, or with `again` those that ended without a measurement."""
        records = tuple(trial.record for trial in self._snapshot.trials.values())
        there = {
            place
            for place, trial in current(records).items()
            if not again or ended_as(trial) in {None, OutcomeKind.MEASURED}
        }
        wanted = assignments(plan_of(comparison))
        self._enqueue(connection, (each for each in wanted if (each.candidate, each.repeat) not in there))

    def _enqueue(self, connection: Connection, repeats: Iterable[Assignment]) -> None:
        for number, assignment in enumerate(repeats, start=self._snapshot.next_number):
            self._writer.create(connection, number, assignment, run=False)


def load_plan(text: str | None) -> ConfirmPlan | None:
    """Return the plan in `text`, an attribute of a study; None: there is none. Raises StudyUnreadable."""
    return None if text is None else load(PLANS, text, "the plan of the confirmation")
