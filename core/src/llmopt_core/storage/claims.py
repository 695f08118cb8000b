"""Who runs what next: exactly the budget, whatever dies, in the order that wastes least.

A claim is one transaction under the study's lock, so a runner killed at any moment leaves either no trial or
a whole one. The sampler thinks before the lock is taken.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy.engine import Connection

from llmopt_core.search.configurations import Value
from llmopt_core.storage.database import Database
from llmopt_core.storage.documents import Assignment, dump
from llmopt_core.storage.earlier import Learned
from llmopt_core.storage.errors import StorageUnavailable
from llmopt_core.storage.keys import END_KEY, LEARNED_KEY
from llmopt_core.storage.lessons import Lessons
from llmopt_core.storage.methods import Proposal, Request, Sampler
from llmopt_core.storage.records import Claim, Phase
from llmopt_core.storage.rows import TrialWriter, get_attribute, put_attribute
from llmopt_core.storage.snapshot import Snapshot, StoredTrial


class Overtaken(Exception):
    """While the sampler thought, another runner changed what is next."""


@dataclass(frozen=True)
class ClaimRequest:
    """What a runner asks for: a trial within `budget`, with the values of `fixed` where it can choose.

    `running` are the searched parameters of the engine that it has running, None where none runs.
    """

    runner: str
    budget: int
    fixed: Mapping[str, Value]
    running: Mapping[str, Value] | None = None


@dataclass(frozen=True)
class Draft:
    """What the sampler proposes for waiting trial `target`, or for a new one; None: nothing is left."""

    target: int | None
    proposal: Proposal | None


class Claims:
    """Claims trials of one study for the runners of this process. Not safe from several threads."""

    def __init__(
        self,
        database: Database,
        snapshot: Snapshot,
        writer: TrialWriter,
        session: str,
        sampler: Sampler | None,
        lessons: Lessons,
    ) -> None:
        self._database = database
        self._snapshot = snapshot
        self._writer = writer
        self._session = session
        self._given_sampler = sampler
        self._lessons = lessons
        self._unheard: set[str] = set()  # tokens of claims of which we do not know whether they were kept
        self._has_learned = False
        self._learned: tuple[Learned, ...] = ()  # as it was written last

    @property
    def _sampler(self) -> Sampler:
        assert self._given_sampler is not None, "the storage was opened without methods"  # noqa: S101 - a caller's mistake
        return self._given_sampler

    @property
    def sampling_ended(self) -> str | None:
        """Why the sampler proposes nothing more although configurations are left, None while it goes on."""
        return self._sampler.ended

    def claim(self, claim_request: ClaimRequest) -> Claim | None:
        """Return the next trial of the default and the search, or None; see `Study.claim`."""
        while True:
            self._refresh()
            if (found := self._heard_late(confirm=False)) is not None:
                return found
            if self._is_over(claim_request):
                return None
            self._learn()
            # What is missing shows before the first trial is run.
            self._sampler.prepare(claim_request.runner, len(self._snapshot.trials))
            draft = self._draft(claim_request)
            try:
                return self._take(claim_request, draft)
            except Overtaken:
                continue

    def claim_confirm(self, runner: str) -> Claim | None:
        """Return the next repeat, or None; see `Study.claim_confirm`."""
        self._refresh()
        if (found := self._heard_late(confirm=True)) is not None:
            return found
        if next(self._waiting(confirm=True), None) is None:
            return None
        with self._keeping(runner) as assignment, self._exclusive() as connection:
            running = {trial.assignment.start for trial in self._snapshot.running()} - {None}
            trial = min(
                self._waiting(confirm=True), key=lambda each: _plan_order(each, running), default=None
            )
            if trial is None:
                return None
            return self._start(connection, trial, replace(assignment, parameters=trial.assignment.parameters))

    def _learn(self) -> None:
        """Give the sampler what the study keeps of earlier ones, once."""
        if self._has_learned:
            return
        if earlier := self._lessons.kept:
            self._sampler.learn(earlier)
        self._has_learned = True

    def _say_learned(self, connection: Connection, learned: tuple[Learned, ...]) -> None:
        if learned and learned != self._learned:
            put_attribute(connection, self._snapshot.study_id, LEARNED_KEY, dump(learned))
            self._learned = learned

    def _draft(self, claim_request: ClaimRequest) -> Draft | None:
        """Return what the sampler proposes, or None where the next trial's parameters are known."""
        waiting = self._next_waiting()
        if self._sampler.exclusive or (waiting is not None and waiting.assignment.complete):
            return None
        return Draft(None if waiting is None else waiting.number, self._ask(waiting, claim_request))

    def _ask(self, waiting: StoredTrial | None, claim_request: ClaimRequest) -> Proposal | None:
        known = claim_request.fixed if waiting is None else waiting.assignment.parameters
        request = Request(claim_request.runner, known, waiting is not None, claim_request.running)
        return self._sampler.propose(self._snapshot, request)

    def _take(self, claim_request: ClaimRequest, draft: Draft | None) -> Claim | None:
        claim = None
        try:
            with self._keeping(claim_request.runner) as assignment, self._exclusive() as connection:
                decided = self._decide(connection, claim_request, assignment, draft)
            claim = decided  # only now is it stored
        finally:
            if draft is not None and draft.proposal is not None:
                self._settle(draft.proposal, claim)
        return claim

    def _decide(
        self, connection: Connection, claim_request: ClaimRequest, assignment: Assignment, draft: Draft | None
    ) -> Claim | None:
        if self._is_over(claim_request) or get_attribute(connection, self._snapshot.study_id, END_KEY):
            return None
        waiting = self._next_waiting()
        if waiting is not None and waiting.assignment.complete:
            return self._start(
                connection, waiting, replace(assignment, parameters=waiting.assignment.parameters)
            )
        proposal = self._proposal(waiting, claim_request, draft)
        if proposal is None:
            return None
        assignment = replace(assignment, parameters=proposal.parameters, sampler=proposal.notes)
        self._say_learned(connection, proposal.learned)
        if waiting is not None:
            return self._start(connection, waiting, assignment)
        number = self._snapshot.next_number
        self._writer.create(connection, number, assignment, run=True)
        return claim_of(number, assignment)

    def _proposal(
        self, waiting: StoredTrial | None, claim_request: ClaimRequest, draft: Draft | None
    ) -> Proposal | None:
        """Return the parameters for the trial that waits for them, or for a new one; None: no point left."""
        if self._sampler.exclusive:
            return self._ask(waiting, claim_request)
        if draft is None or draft.target != (None if waiting is None else waiting.number):
            raise Overtaken
        return draft.proposal

    def _is_over(self, claim_request: ClaimRequest) -> bool:
        return self._snapshot.counted >= claim_request.budget

    def _start(self, connection: Connection, trial: StoredTrial, assignment: Assignment) -> Claim:
        started = replace(
            trial.assignment,
            parameters=assignment.parameters,
            complete=True,
            sampler=assignment.sampler or trial.assignment.sampler,
            runner=assignment.runner,
            session=assignment.session,
            token=assignment.token,
        )
        self._writer.start(connection, trial.trial_id, started)
        return claim_of(trial.number, started)

    @contextmanager
    def _keeping(self, runner: str) -> Iterator[Assignment]:
        """Give the assignment of a new claim, and remember it where the answer to its commit is lost."""
        token = uuid.uuid4().hex
        try:
            yield Assignment(Phase.SEARCH, runner=runner, session=self._session, token=token)
        except StorageUnavailable:
            self._unheard.add(token)
            raise

    def _heard_late(self, *, confirm: bool) -> Claim | None:
        """Return a claim of this process that was kept though the answer to its commit was lost."""
        for trial in self._snapshot.running() if self._unheard else ():
            token = trial.assignment.token
            if token in self._unheard and (trial.assignment.phase is Phase.CONFIRM) == confirm:
                self._unheard.discard(token)
                return claim_of(trial.number, trial.assignment)
        return None

    @contextmanager
    def _exclusive(self) -> Iterator[Connection]:
        with self._database.exclusive(self._snapshot.study_id) as connection:
            self._snapshot.refresh(connection)
            yield connection

    def _settle(self, proposal: Proposal, taken: Claim | None) -> None:
        became = taken is not None and taken.parameters is proposal.parameters
        self._sampler.settle(proposal, taken.number if taken is not None and became else None)

    def _refresh(self) -> None:
        with self._database.reading() as connection:
            self._snapshot.refresh(connection)

    def _next_waiting(self) -> StoredTrial | None:
        return min(self._waiting(confirm=False), key=_search_order, default=None)

    def _waiting(self, *, confirm: bool) -> Iterator[StoredTrial]:
        return (
            trial
            for trial in self._snapshot.waiting()
            if (trial.assignment.phase is Phase.CONFIRM) == confirm
        )


def claim_of(number: int, assignment: Assignment) -> Claim:
    """Return the claim that `assignment` stands for."""
    return Claim(
        number,
        assignment.phase,
        assignment.parameters,
        assignment.attempt,
        assignment.candidate,
        assignment.repeat,
        assignment.start,
        assignment.repaired_from,
    )


def _search_order(trial: StoredTrial) -> tuple[bool, int]:
    return (trial.assignment.attempt == 0, trial.number)


def _plan_order(trial: StoredTrial, running: Collection[int | None]) -> tuple[int, ...]:
    """Return the place of a repeat in the order of claims.

    What belongs to an engine start that another runner uses comes last: here it would need one more start.
    Repeats that release 0.1.0 enqueued have no turn.
    """
    assignment = trial.assignment
    turn = -1 if assignment.turn is None else assignment.turn
    return (
        assignment.start in running,
        turn,
        assignment.repeat or 0,
        assignment.candidate or 0,
        trial.number,
    )
