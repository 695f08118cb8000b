"""The trials of one study as this process last saw them: each is read and decoded once per change."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from llmopt_core.storage.access import OWNER, Access
from llmopt_core.storage.documents import Assignment, Ending, dump, kept_size
from llmopt_core.storage.errors import StorageUnavailable, StudyUnreadable
from llmopt_core.storage.keys import ASSIGNMENT_KEY, ENDING_KEY
from llmopt_core.storage.records import OutcomeKind, Phase, StudyDefinition, TrialRecord
from llmopt_core.storage.tables import TRIAL_ATTRIBUTES, TRIALS, limited, octets
from llmopt_core.storage.trial_rows import read_trial, unreadable_trial

_SMALL_BYTES = 8 * 1024
Clock = Callable[[], float]
_ASSIGNMENTS = TRIAL_ATTRIBUTES.alias("assignments")
_ENDINGS = TRIAL_ATTRIBUTES.alias("endings")


def _changed() -> sa.Select[Any]:
    """Return the statement for the next batch of trials that are new, or were open, behind `after`."""
    most = sa.bindparam("document_bytes", type_=sa.Integer)
    assignment, ending = _ASSIGNMENTS.c.value_json, _ENDINGS.c.value_json
    sent = sa.func.coalesce(octets(limited(assignment, most)), 0) + sa.func.coalesce(
        octets(limited(ending, most)), 0
    )
    batch = (
        sa.select(
            sa.cast(TRIALS.c.trial_id, sa.Integer).label("trial_id"),
            sa.cast(TRIALS.c.number, sa.Integer).label("number"),
            # As text, so that a state that nobody knows is no error of the whole answer.
            sa.func.substr(sa.cast(TRIALS.c.state, sa.String), 1, 16).label("state"),
            _in_calendar(TRIALS.c.datetime_start).label("datetime_start"),
            _in_calendar(TRIALS.c.datetime_complete).label("datetime_complete"),
            limited(assignment, most).label("assignment"),
            limited(ending, most).label("ending"),
            octets(assignment).label("assignment_bytes"),
            octets(ending).label("ending_bytes"),
            sent.label("sent"),
        )
        .outerjoin(
            _ASSIGNMENTS,
            (_ASSIGNMENTS.c.trial_id == TRIALS.c.trial_id) & (_ASSIGNMENTS.c.key == ASSIGNMENT_KEY),
        )
        .outerjoin(_ENDINGS, (_ENDINGS.c.trial_id == TRIALS.c.trial_id) & (_ENDINGS.c.key == ENDING_KEY))
        .where(
            TRIALS.c.study_id == sa.bindparam("study_id"),
            TRIALS.c.trial_id > sa.bindparam("after"),
            (TRIALS.c.trial_id > sa.bindparam("seen"))
            | TRIALS.c.trial_id.in_(sa.bindparam("open", expanding=True)),
        )
        .order_by(TRIALS.c.trial_id)
        .limit(sa.bindparam("batch_rows", type_=sa.Integer))
        .subquery()
    )
    before = sa.func.sum(batch.c.sent).over(order_by=batch.c.trial_id) - batch.c.sent
    summed = sa.select(batch, before.label("before")).subquery()
    within = summed.c.before < sa.bindparam("batch_bytes", type_=sa.Integer)  # always true of the first
    return sa.select(summed).where(within).order_by(summed.c.trial_id)


def _in_calendar(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return `moment`, NULL where Python has no such date: one would fail the whole answer."""
    return sa.case((moment.between(datetime(2, 1, 1), datetime(9998, 1, 1)), moment))  # noqa: DTZ001 - as stored


_CHANGED = _changed()


@dataclass(frozen=True)
class StoredTrial:
    """One trial with what only this package needs to know of it."""

    trial_id: int
    assignment: Assignment
    ending: Ending | None
    record: TrialRecord
    size: int = 0  # of what is kept: see `kept_size`

    @property
    def number(self) -> int:
        """The trial's number in its study."""
        return self.record.number

    @property
    def kind(self) -> OutcomeKind | None:
        """How it ended, or None while it has not."""
        return None if self.ending is None else self.ending.outcome.kind

    @property
    def counts(self) -> bool:
        """Whether it is part of the budget."""
        return (
            self.assignment.phase is not Phase.CONFIRM
            and self.record.state != "waiting"
            and self.kind is not OutcomeKind.RETURNED
        )


class Snapshot:
    """The trials of study `study_id`, brought up to date by `refresh`. Not safe from several threads.

    A row that cannot be read stands as a failed trial that says so; one without a number is only counted.
    `kept_bytes` begins with what the definition takes.
    """

    def __init__(
        self,
        study_id: int,
        definition: StudyDefinition,
        access: Access = OWNER,
        *,
        kept_bytes: int = 0,
        clock: Clock = time.monotonic,
    ) -> None:
        self.study_id = study_id
        self.trials: dict[int, StoredTrial] = {}  # by number, in order
        # Numbers, each time one was read anew; samplers ask for them, and other readers keep none.
        self.changes: list[int] = []
        self.nameless = 0  # rows of trials that have no number
        self.kept_bytes = kept_bytes  # see `kept_size`
        self._definition = definition
        self._access = access
        self._clock = clock
        self._open: dict[int, int] = {}  # the unfinished: number to identifier
        self._seen = -1
        self._counted = 0
        self._measured: dict[str, TrialRecord] = {}  # by the configuration's key

    def refresh(self, connection: Connection) -> None:
        """Read what changed. Trials are created under the study's lock, so their identifiers only grow.

        Raises StudyUnreadable where there is more than is read, and StorageUnavailable where that takes too
        long: what was read until then is kept.
        """
        seen, open_, after = self._seen, list(self._open.values()), -1
        ends_at = self._clock() + self._access.refresh_seconds
        limits = {
            "document_bytes": self._access.document_bytes,
            "batch_bytes": self._access.batch_bytes,
            "batch_rows": self._access.batch_rows,
        }
        while True:
            asked = {"study_id": self.study_id, "seen": seen, "open": open_, "after": after, **limits}
            rows = connection.execute(_CHANGED, asked).all()
            if not rows:
                return
            for row in rows:
                self._take(row)
                if self._clock() > ends_at:
                    raise StorageUnavailable(
                        f"what changed in study {self._definition.name} could not be read within"
                        f" {self._access.refresh_seconds:g} s"
                    )
            after = rows[-1].trial_id
            if (
                len(rows) < self._access.batch_rows
                and rows[-1].before + rows[-1].sent < self._access.batch_bytes
            ):
                return

    @property
    def next_number(self) -> int:
        """The number of the next trial, whatever is in the rows before it."""
        return max(self.trials, default=-1) + 1

    @property
    def counted(self) -> int:
        """How many trials are part of the budget."""
        return self._counted

    def running(self) -> Iterator[StoredTrial]:
        """Give the running trials, by number."""
        return (trial for trial in self.unfinished() if trial.record.state == "running")

    def waiting(self) -> Iterator[StoredTrial]:
        """Give the waiting trials, by number."""
        return (trial for trial in self.unfinished() if trial.record.state == "waiting")

    def unfinished(self) -> Iterator[StoredTrial]:
        """Give the trials that have not ended, by number."""
        return (self.trials[number] for number in sorted(self._open))

    def measured(self, key: str) -> TrialRecord | None:
        """Return the first measured trial of the default or the search whose configuration has `key`."""
        return self._measured.get(key)

    def _take(self, row: Any) -> None:
        self._seen = max(self._seen, row.trial_id)
        if row.number is None:
            self.nameless += 1
            return
        trial = self._decode(row)
        known = self.trials.get(trial.number)
        if known is not None and (known.assignment, known.record) == (trial.assignment, trial.record):
            return
        self.kept_bytes += trial.size - (0 if known is None else known.size)
        if known is None and len(self.trials) >= self._access.most_trials:
            raise too_many(self._definition.name, self._access)
        if self.kept_bytes > self._access.kept_bytes:
            raise too_large(self._definition.name, self._access)
        self._counted += trial.counts - (known is not None and known.counts)
        self.trials[trial.number] = trial
        if self._access.search_details:
            self.changes.append(trial.number)
        if trial.record.state == "finished":
            self._open.pop(trial.number, None)
            self._index(trial)
        else:
            self._open[trial.number] = trial.trial_id

    def _decode(self, row: Any) -> StoredTrial:
        texts = row.assignment or "", row.ending or ""
        try:
            assignment, ending, record = read_trial(row, self._definition, self._access)
        except StudyUnreadable as error:  # it counts as it was sent: not all of thousands are read
            return StoredTrial(row.trial_id, *unreadable_trial(row.number, str(error)), kept_size(*texts))
        # What is large is mostly dropped: only then is it measured again.
        is_large = sum(map(len, texts)) > _SMALL_BYTES
        if is_large and ending is not None and not self._access.search_details:
            texts = dump(assignment), dump(ending)
        return StoredTrial(row.trial_id, assignment, ending, record, kept_size(*texts))

    def _index(self, trial: StoredTrial) -> None:
        if trial.kind is OutcomeKind.MEASURED and trial.assignment.phase is not Phase.CONFIRM:
            assert trial.ending is not None  # noqa: S101 - it has a kind
            self._measured.setdefault(trial.ending.outcome.configuration.key(), trial.record)


def too_large(name: str, access: Access) -> StudyUnreadable:
    """Return the error of a study of which more would be kept than is allowed."""
    return StudyUnreadable(
        f"what is to be kept of study {name} has more than {access.kept_bytes} bytes: delete the rows that"
        " llmopt did not write, or start another study"
    )


def too_many(name: str, access: Access) -> StudyUnreadable:
    """Return the error of a study that holds more trials than are read."""
    return StudyUnreadable(
        f"study {name} holds more than {access.most_trials} trials, and no more are read: delete the rows"
        " that llmopt did not write, or start another study"
    )
