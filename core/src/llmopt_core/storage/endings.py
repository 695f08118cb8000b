"""How a trial ends: reported by its runner, given back, or taken from a runner that died.

Each is one transaction that begins by turning the running trial into a finished one; where it does not run
any more, somebody else was first and nothing is written. So a trial ends, and is run again, exactly once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy.engine import Connection

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.storage.bounds import bounded
from llmopt_core.storage.database import Database
from llmopt_core.storage.documents import Assignment, Ending, Heartbeat, dump
from llmopt_core.storage.errors import TrialLost
from llmopt_core.storage.outcomes import (
    check_outcome,
    check_storable,
    constraint_values,
    objective_values,
    trial_state,
)
from llmopt_core.storage.points import identity
from llmopt_core.storage.records import (
    INTERRUPTED,
    Answer,
    Claim,
    Outcome,
    OutcomeKind,
    Phase,
    StudyDefinition,
)
from llmopt_core.storage.rows import TrialWriter, retry_assignment
from llmopt_core.storage.snapshot import Snapshot, StoredTrial


class Endings:
    """Ends trials of one study. Not safe from several threads."""

    def __init__(
        self, database: Database, definition: StudyDefinition, snapshot: Snapshot, writer: TrialWriter
    ) -> None:
        self._database = database
        self._definition = definition
        self._snapshot = snapshot
        self._writer = writer

    def finish(self, claim: Claim, ending: Ending, repair: Mapping[str, Value] | None = None) -> None:
        """End the claimed trial; see `Study.finish`."""
        check_outcome(claim.number, ending.outcome, self._definition)
        check_storable(claim.number, ending.outcome)
        trial = self._trial(claim)
        answers, ending = ending.outcome.answers, _without_answers(ending)
        with self._database.writing() if repair is None else self._exclusive() as connection:
            finished = self._end(connection, trial, ending, answers=answers)
            if finished and repair is not None:
                self._enqueue_repair(connection, claim.number, repair)
        if not finished:
            self._check_already(claim, ending)

    def _enqueue_repair(self, connection: Connection, number: int, repair: Mapping[str, Value]) -> None:
        """Enqueue what trial `number` is repaired to, unless another trial is of the same parameters."""
        wanted = identity(repair)
        there = (
            identity(trial.assignment.parameters)
            for trial in self._snapshot.trials.values()
            if trial.assignment.phase is not Phase.CONFIRM and trial.kind is not OutcomeKind.RETURNED
        )
        if wanted not in there:
            assignment = Assignment(Phase.SEARCH, repair, repaired_from=number)
            self._writer.create(connection, self._snapshot.next_number, assignment, run=False)

    def give_back(self, claim: Claim, reason: str | Failure) -> None:
        """Have the claimed trial run again; see `Study.give_back`."""
        trial = self._trial(claim)
        with self._exclusive() as connection:
            if not self._run_again(connection, trial, reason, lost=False):
                raise TrialLost(f"trial {claim.number} was taken away before it could be given back")

    def reap(self, trial: StoredTrial, heartbeat: Heartbeat | None, max_losses: int) -> bool:
        """Have `trial` run again, or fail it after `max_losses`; False where another was first.

        `heartbeat` is the last one of its runner.
        """
        with self._exclusive() as connection:
            if trial.assignment.losses + 1 < max_losses:
                return self._run_again(connection, trial, _lost(trial, heartbeat), lost=True)
            failure = Failure(
                ErrorClass.RUNNER_LOST,
                f"the runner died each of the {max_losses} times that it ran this trial",
                "compare the memory limit of the runner with what this configuration needs",
            )
            return self._end(connection, trial, _without_result(OutcomeKind.FAILED, failure))

    def withdraw(self, connection: Connection, trial: StoredTrial) -> None:
        """End `trial`, which waits, without a result and without a failure; it is not run."""
        self._end(connection, trial, _without_result(OutcomeKind.RETURNED, None), waiting=True)

    def _run_again(
        self, connection: Connection, trial: StoredTrial, reason: str | Failure, *, lost: bool
    ) -> bool:
        failure = reason if isinstance(reason, Failure) else _preempted(reason)
        if not self._end(connection, trial, _without_result(OutcomeKind.RETURNED, failure)):
            return False
        assignment = retry_assignment(trial.assignment, lost=lost)
        self._writer.create(connection, self._snapshot.next_number, assignment, run=False)
        return True

    def _end(
        self,
        connection: Connection,
        trial: StoredTrial,
        ending: Ending,
        *,
        answers: tuple[Answer, ...] = (),
        waiting: bool = False,
    ) -> bool:
        return self._writer.finish(
            connection,
            trial.trial_id,
            trial_state(ending.outcome.kind),
            ending,
            values=objective_values(ending.outcome, self._definition),
            constraints=constraint_values(ending.outcome, self._bounded(trial, ending)),
            answers=answers,
            waiting=waiting,
        )

    def _bounded(self, trial: StoredTrial, ending: Ending) -> StudyDefinition:
        """Return the definition with the bounds that are known; the baseline is its own measure."""
        ended = replace(trial.record, outcome=ending.outcome)
        return bounded(self._definition, (ended, *(each.record for each in self._snapshot.trials.values())))

    def _check_already(self, claim: Claim, ending: Ending) -> None:
        """Let the same ending pass a second time: the answer to the first may have been lost."""
        self._refresh()
        stored = self._snapshot.trials[claim.number].ending
        if stored is None or dump(stored) != dump(ending):
            raise TrialLost(
                f"trial {claim.number} is not this runner's any more: it was taken away because the runner "
                "had not been heard of; throw its result away"
            )

    def _trial(self, claim: Claim) -> StoredTrial:
        if claim.number not in self._snapshot.trials:
            self._refresh()
        return self._snapshot.trials[claim.number]

    def _refresh(self) -> None:
        with self._database.reading() as connection:
            self._snapshot.refresh(connection)

    @contextmanager
    def _exclusive(self) -> Iterator[Connection]:
        with self._database.exclusive(self._snapshot.study_id) as connection:
            self._snapshot.refresh(connection)
            yield connection


def _without_answers(ending: Ending) -> Ending:
    """Return `ending` as its document is: the answers are a row of their own."""
    return replace(ending, outcome=replace(ending.outcome, answers=()))


def _without_result(kind: OutcomeKind, failure: Failure | None) -> Ending:
    return Ending(Outcome(kind, Configuration(), failure=failure))


def _lost(trial: StoredTrial, heartbeat: Heartbeat | None) -> Failure:
    """Return why the runner of `trial` lost it: only one that was asked to stop was preempted."""
    ended = None if heartbeat is None else heartbeat.runner.ended
    if ended == INTERRUPTED:
        return _preempted(
            f"runner {trial.assignment.runner} was asked to stop and could not return the trial"
        )
    how = "stopped answering" if ended is None else f"ended ({ended})"
    return Failure(
        ErrorClass.RUNNER_LOST,
        f"runner {trial.assignment.runner} {how} while it ran the trial",
        "the trial runs again, at no cost to the budget; the log of the runner says why it ended",
    )


def _preempted(reason: str) -> Failure:
    return Failure(
        ErrorClass.PREEMPTED,
        reason,
        "no action needed: the trial runs again and does not count against the budget",
    )
