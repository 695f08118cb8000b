"""The one way to a study's record: open it, claim, report, finish, reap, read.

Everything else in this package is behind `Storage`, `Study` and `Janitor`.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from sqlalchemy.engine import Connection, Engine

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.study.claiming import END_KEY, Claims
from llmopt_core.study.database import Database
from llmopt_core.study.distributions import check_enqueued, distributions
from llmopt_core.study.documents import (
    BEATS,
    END_REASONS,
    PLANS,
    Beat,
    Ending,
    EndReason,
    Ticket,
    dump,
    dump_definition,
    load_definition,
)
from llmopt_core.study.errors import StorageUnavailable, StudyMismatch, StudyNotFound, TrialLost
from llmopt_core.study.leases import Leases
from llmopt_core.study.outcomes import check_outcome, constraint_values, objective_values, trial_state
from llmopt_core.study.pruning import TrialPruning, prunes
from llmopt_core.study.records import (
    Claim,
    ConfirmPlan,
    Outcome,
    OutcomeKind,
    Phase,
    RunnerRecord,
    StudyDefinition,
    TrialRecord,
)
from llmopt_core.study.rows import (
    TrialWriter,
    delete_attribute,
    delete_study,
    find_study,
    get_attribute,
    get_attributes,
    insert_study,
    list_studies,
    put_attribute,
    put_first_attribute,
    retry_ticket,
)
from llmopt_core.study.samplers import check_sampler
from llmopt_core.study.snapshot import Snapshot, StoredTrial
from llmopt_core.study.tables import TrialState

__all__ = ["Janitor", "Storage", "StorageUnavailable", "Study", "StudyEnd", "TrialLost", "open_storage"]

_DEFINITION_KEY = "llmopt:definition"
_PLAN_KEY = "llmopt:confirm"
_RUNNER_PREFIX = "runner:"


def open_storage(url: str) -> "Storage":
    """Open the database at `url` (`sqlite:///PATH` or `postgresql+psycopg://…`), creating what is missing.

    Raises StorageUnavailable where it does not answer, StorageUnusable where it is no study database.
    """
    return Storage(Database(url))


class Storage:
    """All studies of one database. Safe to use from several threads; keep it open while in use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Tells this process's claims and beats from those of another process of the same runner name.
        self._session = uuid.uuid4().hex

    def create_study(self, definition: StudyDefinition) -> "Study":
        """Create the study, or open it where it exists already.

        Raises StudyMismatch where it exists with another fingerprint, EnqueueInvalid and SamplerUnavailable
        where it can never run.
        """
        check_sampler(definition)
        check_enqueued(definition.space, definition.enqueue)
        with self._database.writing() as connection:
            study_id = insert_study(
                connection, definition.name, (each.direction for each in definition.objectives)
            )
            if study_id is not None:
                _fill(connection, study_id, definition)
        study = self.open_study(definition.name)
        if study.definition.fingerprint != definition.fingerprint:
            raise StudyMismatch(
                f"study {definition.name!r} exists with other settings (fingerprint "
                f"{study.definition.fingerprint}, now {definition.fingerprint}); "
                "use another name, or delete it"
            )
        return study

    def open_study(self, name: str) -> "Study":
        """Open the study called `name`; raises StudyNotFound."""
        with self._database.reading() as connection:
            study_id = find_study(connection, name)
            text = None if study_id is None else get_attribute(connection, study_id, _DEFINITION_KEY)
        if study_id is None or text is None:
            raise StudyNotFound(f"{self._database.address} holds no study called {name!r}")
        return Study(self._database, study_id, load_definition(text), self._session)

    def study_names(self) -> tuple[str, ...]:
        """Return the names of all studies, sorted."""
        with self._database.reading() as connection:
            return list_studies(connection)

    def drop_study(self, name: str) -> None:
        """Delete the study with all its trials; nothing happens where it does not exist."""
        with self._database.writing() as connection:
            study_id = find_study(connection, name)
            if study_id is not None:
                delete_study(connection, study_id)

    @property
    def engine(self) -> Engine:
        """The pool of connections, for those who count statements."""
        return self._database.engine

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _fill(connection: Connection, study_id: int, definition: StudyDefinition) -> None:
    """Write what a new study starts with: its definition, the default as trial 0, the enqueued trials."""
    put_attribute(connection, study_id, _DEFINITION_KEY, dump_definition(definition))
    writer = TrialWriter(study_id, distributions(definition.space))
    writer.create(connection, 0, Ticket(Phase.BASELINE), run=False)
    for number, entry in enumerate(definition.enqueue, start=1):
        writer.create(connection, number, Ticket(Phase.SEARCH, entry, complete=False), run=False)


class Study:
    """One study's record. Safe to use from several threads; keep it alive, for it remembers what it read.

    Every method may raise StorageUnavailable; the same call may then be made again.
    """

    def __init__(self, database: Database, study_id: int, definition: StudyDefinition, session: str) -> None:
        self._database = database
        self._study_id = study_id
        self._definition = definition
        self._session = session
        self._guard = threading.RLock()
        self._snapshot = Snapshot(study_id)
        self._writer = TrialWriter(study_id, distributions(definition.space))
        self._claims = Claims(database, definition, self._snapshot, self._writer, session)
        self._pruning: dict[int, TrialPruning] = {}  # by the number of a running trial

    @property
    def definition(self) -> StudyDefinition:
        """What the study was created from."""
        return self._definition

    def claim(self, runner: str, *, budget: int, fixed: Mapping[str, Value] | None = None) -> Claim | None:
        """Return a trial for `runner` to run now, or None where there is nothing (more) to run.

        Never are there more than `budget` trials of the default and the search, running ones counted,
        returned ones not. First come trials that were given back or lost (with the same parameters), then
        the default (no parameters), then the enqueued, then what the sampler proposes where `fixed`
        (parameters by full name) holds. An ended study gives None.
        """
        with self._guard:
            return self._claims.claim(runner, budget, fixed or {})

    def claim_confirm(self, runner: str) -> Claim | None:
        """Return the next repeat of the confirm plan, candidates interleaved, or None."""
        with self._guard:
            return self._claims.claim_confirm(runner)

    def plan_confirm(self, plan: ConfirmPlan) -> ConfirmPlan:
        """Store `plan` and its trials, once: a later call, by whomever, returns the stored one."""
        with self._exclusive() as connection:
            if put_first_attribute(connection, self._study_id, _PLAN_KEY, dump(plan)):
                self._create_repeats(connection, plan)
        stored = self.confirm_plan
        assert stored is not None  # noqa: S101 - plans are never removed
        return stored

    @property
    def confirm_plan(self) -> ConfirmPlan | None:
        """The stored plan, if any."""
        text = self._attribute(_PLAN_KEY)
        return None if text is None else PLANS.validate_json(text)

    def report(self, claim: Claim, sample_index: int, score: float) -> bool:
        """Take the score of one sample; say whether the pruner wants the trial to stop.

        `sample_index` is the sample's place among the study's items, the same in every trial. Nothing is
        written before the trial ends.
        """
        if not prunes(self._definition) or claim.phase is Phase.CONFIRM:
            return False
        with self._guard:
            if claim.number not in self._pruning:
                finished = self._snapshot.trials.values()
                self._pruning[claim.number] = TrialPruning(self._definition, finished)
            return self._pruning[claim.number].report(sample_index, score)

    def finish(self, claim: Claim, outcome: Outcome) -> None:
        """End the claimed trial with `outcome`, in one transaction; calling it again changes nothing.

        Raises TrialLost where the trial was taken away, OutcomeInvalid where a metric is missing.
        """
        check_outcome(claim.number, outcome, self._definition)
        with self._guard:
            pruning = self._pruning.get(claim.number)
        ending = Ending(outcome, () if pruning is None else pruning.scores)
        with self._database.writing() as connection:
            finished = self._writer.finish(
                connection,
                self._trial_id(claim.number),
                trial_state(outcome.kind),
                ending,
                values=objective_values(outcome, self._definition),
                constraints=constraint_values(outcome, self._definition),
            )
        if not finished:
            self._check_already(claim, ending)
        self._pruning.pop(claim.number, None)

    def give_back(self, claim: Claim, reason: str) -> None:
        """Return the claimed trial unfinished: it costs no budget and runs again with the same parameters.

        Raises TrialLost where it was taken away already.
        """
        failure = Failure(ErrorClass.PREEMPTED, reason, "")
        with self._exclusive() as connection:
            if not self._return(connection, self._snapshot.trials[claim.number], failure, lost=False):
                raise TrialLost(f"trial {claim.number} was taken away before it could be given back")

    def beat(self, record: RunnerRecord) -> None:
        """Say that the runner lives, in one write."""
        text = dump(Beat(self._session, record))
        with self._database.writing() as connection:
            put_attribute(connection, self._study_id, f"{_RUNNER_PREFIX}{record.name}", text)

    def runners(self) -> tuple[RunnerRecord, ...]:
        """Return what each runner last said, by name."""
        beats = self._beats()
        return tuple(beats[name].runner for name in sorted(beats))

    def trials(self) -> tuple[TrialRecord, ...]:
        """Return all trials by number; cheap when asked again, for only changes are read."""
        with self._guard:
            self._refresh()
            return tuple(trial.record for trial in self._snapshot.trials.values())

    def measured(self, key: str) -> TrialRecord | None:
        """Return the first measured trial of the default or the search whose configuration has `key`."""
        with self._guard:
            self._refresh()
            return self._snapshot.measured(key)

    def end(self, reason: str, message: str, *, failed: bool = False) -> None:
        """End the study, unless it was ended already: the first reason stays."""
        text = dump(EndReason(reason, message, failed))
        with self._database.writing() as connection:
            put_first_attribute(connection, self._study_id, END_KEY, text)

    @property
    def ended(self) -> "StudyEnd | None":
        """Why the study was ended, or None."""
        text = self._attribute(END_KEY)
        return None if text is None else StudyEnd(END_REASONS.validate_json(text))

    def reopen(self) -> None:
        """Forget that the study was ended, for example because its budget was raised."""
        with self._database.writing() as connection:
            delete_attribute(connection, self._study_id, END_KEY)

    def reap(self, leases: Leases, max_losses: int) -> tuple[int, ...]:
        """Take the trials whose lease is over from their runners; see `Janitor`."""
        with self._guard:
            self._refresh()
            over = leases.over(tuple(self._snapshot.running()), self._beats())
            return tuple(trial.number for trial in over if self._reap(trial, max_losses))

    def _reap(self, trial: StoredTrial, max_losses: int) -> bool:
        message = f"runner {trial.ticket.runner} ended or stopped answering while it ran the trial"
        failure = Failure(ErrorClass.PREEMPTED, message, "")
        with self._exclusive() as connection:
            if trial.ticket.losses + 1 < max_losses:
                return self._return(connection, trial, failure, lost=True)
            message = f"the runner died each of the {max_losses} times that it ran this trial"
            suggestion = "look at the runner's memory limit and at the trial's own memory"
            failure = Failure(ErrorClass.UNKNOWN, message, suggestion)
            outcome = Outcome(OutcomeKind.FAILED, Configuration(), failure=failure)
            return self._writer.finish(connection, trial.trial_id, TrialState.FAIL, Ending(outcome))

    def _return(self, connection: Connection, trial: StoredTrial, failure: Failure, *, lost: bool) -> bool:
        outcome = Outcome(OutcomeKind.RETURNED, Configuration(), failure=failure)
        if not self._writer.finish(connection, trial.trial_id, TrialState.FAIL, Ending(outcome)):
            return False
        ticket = retry_ticket(trial.ticket, lost=lost)
        self._writer.create(connection, len(self._snapshot.trials), ticket, run=False)
        return True

    def _create_repeats(self, connection: Connection, plan: ConfirmPlan) -> None:
        number = len(self._snapshot.trials)
        for repeat in range(plan.repeats):
            for candidate, parameters in enumerate(plan.candidates):
                ticket = Ticket(Phase.CONFIRM, parameters, candidate=candidate, repeat=repeat)
                self._writer.create(connection, number, ticket, run=False)
                number += 1

    def _check_already(self, claim: Claim, ending: Ending) -> None:
        """Let the same ending pass a second time: the answer to the first may have been lost."""
        with self._guard:
            self._refresh()
            stored = self._snapshot.trials[claim.number].ending
        if stored != ending:
            raise TrialLost(
                f"trial {claim.number} is not this runner's any more: it was taken away because the runner "
                "had not been heard of; throw its result away"
            )

    def _trial_id(self, number: int) -> int:
        with self._guard:
            if number not in self._snapshot.trials:
                self._refresh()
            return self._snapshot.trials[number].trial_id

    def _beats(self) -> dict[str, Beat]:
        with self._database.reading() as connection:
            texts = get_attributes(connection, self._study_id, _RUNNER_PREFIX)
        return {key.removeprefix(_RUNNER_PREFIX): BEATS.validate_json(text) for key, text in texts.items()}

    def _attribute(self, key: str) -> str | None:
        with self._database.reading() as connection:
            return get_attribute(connection, self._study_id, key)

    def _refresh(self) -> None:
        with self._database.reading() as connection:
            self._snapshot.refresh(connection)

    @contextmanager
    def _exclusive(self) -> Iterator[Connection]:
        with self._guard, self._database.exclusive(self._study_id) as connection:
            self._snapshot.refresh(connection)
            yield connection


class StudyEnd(tuple[str, str]):
    """Why a study was ended: the pair (reason, message), and whether that is a failure."""

    failed: bool

    def __new__(cls, end: EndReason) -> Self:
        """Return the pair for the stored `end`."""
        pair = super().__new__(cls, (end.reason, end.message))
        pair.failed = end.failed
        return pair

    @property
    def reason(self) -> str:
        """The reason in one word."""
        return self[0]

    @property
    def message(self) -> str:
        """The reason in a sentence."""
        return self[1]


class Janitor:
    """Finds trials whose runner died, or said that it ended, and has them run again.

    However many janitors sweep, each lost trial is run again exactly once. A trial whose runner died
    `max_losses` times is failed instead: a configuration that kills its runner must not go on for ever.
    `clock` gives monotonic seconds of this process; no clock is shared with the runners.
    """

    def __init__(
        self,
        study: Study,
        lease_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        max_losses: int = 3,
    ) -> None:
        self._study = study
        self._leases = Leases(lease_seconds, clock)
        self._max_losses = max_losses

    def sweep(self) -> tuple[int, ...]:
        """Take lost trials away from their runners; return their numbers.

        The first sweep only looks. Call it several times per `lease_seconds`.
        """
        return self._study.reap(self._leases, self._max_losses)
