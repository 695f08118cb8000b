"""The trials of one study as this process last saw them: each is read and decoded once per change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from llmopt_core.study.documents import ENDINGS, TICKETS, Ending, Ticket
from llmopt_core.study.records import OutcomeKind, Phase, TrialRecord
from llmopt_core.study.tables import TRIAL_ATTRIBUTES, TRIALS, TrialState

TICKET_KEY = "llmopt:ticket"
ENDING_KEY = "llmopt:ending"
_STATES: dict[TrialState, Literal["waiting", "running", "finished"]] = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
}
_TICKETS = TRIAL_ATTRIBUTES.alias("tickets")
_ENDINGS = TRIAL_ATTRIBUTES.alias("endings")
_CHANGED = (
    sa.select(
        TRIALS.c.trial_id,
        TRIALS.c.number,
        TRIALS.c.state,
        TRIALS.c.datetime_start,
        TRIALS.c.datetime_complete,
        _TICKETS.c.value_json.label("ticket"),
        _ENDINGS.c.value_json.label("ending"),
    )
    .join(_TICKETS, (_TICKETS.c.trial_id == TRIALS.c.trial_id) & (_TICKETS.c.key == TICKET_KEY))
    .outerjoin(_ENDINGS, (_ENDINGS.c.trial_id == TRIALS.c.trial_id) & (_ENDINGS.c.key == ENDING_KEY))
    .where(
        TRIALS.c.study_id == sa.bindparam("study_id"),
        (TRIALS.c.trial_id > sa.bindparam("seen"))
        | TRIALS.c.trial_id.in_(sa.bindparam("open", expanding=True)),
    )
    .order_by(TRIALS.c.trial_id)
)


@dataclass(frozen=True)
class StoredTrial:
    """One trial with what only this room needs to know of it."""

    trial_id: int
    ticket: Ticket
    ending: Ending | None
    record: TrialRecord

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
            self.ticket.phase is not Phase.CONFIRM
            and self.record.state != "waiting"
            and self.kind is not OutcomeKind.RETURNED
        )


class Snapshot:
    """The trials of study `study_id`, brought up to date by `refresh`. Not safe from several threads."""

    def __init__(self, study_id: int) -> None:
        self.study_id = study_id
        self.trials: dict[int, StoredTrial] = {}  # by number, in order
        self.changes: list[int] = []  # numbers, each time one was read anew
        self._open: dict[int, int] = {}  # the unfinished: number to identifier
        self._seen = -1
        self._counted = 0
        self._measured: dict[str, TrialRecord] = {}  # by the configuration's key

    def refresh(self, connection: Connection) -> None:
        """Read what changed. Trials are created under the study's lock, so their identifiers only grow."""
        rows = connection.execute(
            _CHANGED, {"study_id": self.study_id, "seen": self._seen, "open": list(self._open.values())}
        )
        for row in rows:
            self._take(row)

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
        trial = _decode(row)
        known = self.trials.get(trial.number)
        if known is not None and (known.ticket, known.record) == (trial.ticket, trial.record):
            return
        self._counted += trial.counts - (known is not None and known.counts)
        self.trials[trial.number] = trial
        self.changes.append(trial.number)
        self._seen = max(self._seen, trial.trial_id)
        if trial.record.state == "finished":
            self._open.pop(trial.number, None)
            self._index(trial)
        else:
            self._open[trial.number] = trial.trial_id

    def _index(self, trial: StoredTrial) -> None:
        if trial.kind is OutcomeKind.MEASURED and trial.ticket.phase is not Phase.CONFIRM:
            assert trial.ending is not None  # noqa: S101 - it has a kind
            self._measured.setdefault(trial.ending.outcome.configuration.key(), trial.record)


def _decode(row: Any) -> StoredTrial:
    ticket = TICKETS.validate_json(row.ticket)
    ending = None if row.ending is None else ENDINGS.validate_json(row.ending)
    record = TrialRecord(
        number=row.number,
        phase=ticket.phase,
        state=_STATES.get(row.state, "finished"),
        parameters=ticket.parameters,
        runner=ticket.runner,
        outcome=None if ending is None else ending.outcome,
        started_at=_unix(row.datetime_start),
        finished_at=_unix(row.datetime_complete),
        candidate=ticket.candidate,
        repeat=ticket.repeat,
    )
    return StoredTrial(row.trial_id, ticket, ending, record)


def _unix(moment: datetime | None) -> float | None:
    """Return Unix seconds; Optuna stores UTC without saying so."""
    return None if moment is None else moment.replace(tzinfo=UTC).timestamp()
