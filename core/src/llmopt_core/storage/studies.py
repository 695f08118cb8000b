"""One study's record, as runners, reapers and readers use it."""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from llmopt_core.errors.classes import Failure
from llmopt_core.search.configurations import Value
from llmopt_core.storage.answers import Answers
from llmopt_core.storage.claims import ClaimRequest, Claims
from llmopt_core.storage.database import Database
from llmopt_core.storage.documents import END_REASONS, Ending, EndReason, dump, load
from llmopt_core.storage.earlier import Learned
from llmopt_core.storage.endings import Endings
from llmopt_core.storage.heartbeats import Heartbeats
from llmopt_core.storage.keys import DEFINITION_KEY, END_KEY, LEARNED_KEY, OWNER_KEY, PLAN_KEY, RETENTION_KEY
from llmopt_core.storage.leases import Leases, heartbeat_of
from llmopt_core.storage.lessons import Lessons, load_learned
from llmopt_core.storage.measured_items import MeasuredItem
from llmopt_core.storage.methods import Methods, Pruning
from llmopt_core.storage.planned_repeats import PlannedRepeats, load_plan
from llmopt_core.storage.records import (
    Claim,
    ComparisonDefinition,
    ConfirmPlan,
    Outcome,
    Phase,
    RunnerRecord,
    StudyDefinition,
    TrialRecord,
)
from llmopt_core.storage.rows import (
    TrialWriter,
    delete_attribute,
    get_attribute,
    get_attributes,
    put_attribute,
    put_first_attribute,
)
from llmopt_core.storage.snapshot import Snapshot
from llmopt_core.storage.views import StudyPicture

KEEP, DELETE = "Keep", "Delete"
# So many at once: each takes a transaction, and others wait for the next sweep.
MOST_REAPED = 100
_NAMED_KEYS = (END_KEY, PLAN_KEY, RETENTION_KEY, DEFINITION_KEY, LEARNED_KEY)
_TEXTS = TypeAdapter(str)
# What is not readable is called so.
_END = "the reason of the study's end"


class Study:
    """One study's record. Safe to use from several threads; keep it alive, for it remembers what it read.

    Every method may raise StorageUnavailable; the same call may then be made again.
    """

    def __init__(
        self,
        database: Database,
        study_id: int,
        definition: StudyDefinition,
        session: str,
        methods: Methods | None = None,
        *,
        kept_bytes: int = 0,
    ) -> None:
        self._database = database
        self._study_id = study_id
        self._definition = definition
        self._guard = threading.RLock()
        self._snapshot = Snapshot(study_id, definition, database.access, kept_bytes=kept_bytes)
        self._writer = TrialWriter(study_id, definition.space)
        self._methods = methods
        sampler = None if methods is None else methods.sampler(definition)
        self.lessons = Lessons(database, study_id)
        self.answers = Answers(database, study_id)
        self._claims = Claims(database, self._snapshot, self._writer, session, sampler, self.lessons)
        self._endings = Endings(database, definition, self._snapshot, self._writer)
        self._planned = PlannedRepeats(self._snapshot, definition, self._writer, self._endings)
        self._heartbeats = Heartbeats(database, study_id, session)
        self._pruning: dict[int, Pruning | None] = {}  # by the number of a running trial

    @property
    def definition(self) -> StudyDefinition:
        """What the study was created from."""
        return self._definition

    @property
    def kept_bytes(self) -> int:
        """About how many bytes of JSON this object keeps of its definition and its trials."""
        return self._snapshot.kept_bytes

    def claim(
        self,
        runner: str,
        *,
        budget: int,
        fixed: Mapping[str, Value] | None = None,
        running: Mapping[str, Value] | None = None,
    ) -> Claim | None:
        """Return a trial for `runner` to run now, or None where there is nothing (more) to run.

        Never are there more than `budget` trials of the default and the search, running ones counted,
        returned ones not. First come trials that were given back or lost (with the same parameters), then
        the baseline (no parameters), then the enqueued, then what the sampler proposes where `fixed`
        (parameters by full name) holds. `running` are the searched parameters of the engine that the runner
        has running, None where none runs. An ended study gives None, and so does a benchmark, which has only
        repeats: see `claim_confirm`.
        """
        if self._definition.comparison is not None:
            return None
        with self._guard:
            claim = self._claims.claim(ClaimRequest(runner, budget, fixed or {}, running))
            if claim is not None:
                self._prune(claim)
            return claim

    @property
    def sampling_ended(self) -> str | None:
        """Why the sampler proposes nothing more although configurations are left, None while it goes on."""
        return self._claims.sampling_ended

    def claim_confirm(self, runner: str) -> Claim | None:
        """Return the next repeat of the confirm plan or the comparison, in its order, or None."""
        with self._guard:
            return self._claims.claim_confirm(runner)

    def plan_confirm(self, plan: ConfirmPlan) -> ConfirmPlan:
        """Store `plan` and its trials, once for its basis: a later call returns the stored one."""
        with self._exclusive() as connection:
            return self._planned.plan(connection, plan)

    def withdraw_repeats(self, candidates: Collection[int]) -> None:
        """Take the waiting repeats of `candidates` back: what they are compared with is decided."""
        with self._exclusive() as connection:
            self._planned.withdraw(connection, lambda repeat: repeat.candidate in candidates)

    @property
    def confirm_plan(self) -> ConfirmPlan | None:
        """The stored plan, if any."""
        return load_plan(self._attribute(PLAN_KEY))

    @property
    def comparison(self) -> ComparisonDefinition | None:
        """What a benchmark compares, as it is now: see `adjust`. None for an optimization."""
        if self._definition.comparison is None:
            return None
        return self._planned.comparison_in(self._attribute(DEFINITION_KEY))

    def adjust(self, wanted: ComparisonDefinition) -> None:
        """Take over what of a comparison may change while it runs: repeats, metrics, confidence.

        Repeats that are missing are enqueued, waiting ones that are too many are withdrawn.
        """
        with self._exclusive() as connection:
            self._planned.adjust(connection, wanted)

    @property
    def learned(self) -> tuple[Learned, ...]:
        """How far earlier studies are used, as the sampler said last."""
        return self.lessons.learned

    def report(self, claim: Claim, place: int, item: MeasuredItem) -> bool:
        """Take what was measured of one item; say whether the pruner wants the trial to stop.

        `place` is the item's among the study's items, the same in every trial. The baseline and repeats are
        never stopped. Nothing is written before the trial ends.
        """
        if claim.phase is not Phase.SEARCH:
            return False
        with self._guard:
            known = claim.number in self._pruning
            pruning = self._pruning[claim.number] if known else self._prune(claim)
            return pruning is not None and pruning.report(place, item)

    def finish(self, claim: Claim, outcome: Outcome, repair: Mapping[str, Value] | None = None) -> None:
        """End the claimed trial with `outcome`, in one transaction; calling it again changes nothing.

        `repair` are parameters with which a refused configuration is worth another try: in the same
        transaction they are enqueued as a trial of their own, unless there is one. It is of the budget as
        any other, and bears the refused trial's number.
        Raises TrialLost where the trial was taken away, OutcomeInvalid where a metric is missing or a part of
        the outcome cannot be stored.
        """
        with self._guard:
            pruning = self._pruning.get(claim.number)
            ending = Ending(outcome, () if pruning is None else pruning.scores)
            self._endings.finish(claim, ending, repair)
            self._pruning.pop(claim.number, None)

    def give_back(self, claim: Claim, reason: str | Failure) -> None:
        """Return the claimed trial unfinished: it costs no budget and runs again with the same parameters.

        `reason` is the failure that made it worth another run; plain text says that the runner had to stop.
        Raises TrialLost where it was taken away already.
        """
        with self._guard:
            self._endings.give_back(claim, reason)
            self._pruning.pop(claim.number, None)

    def heartbeat(self, record: RunnerRecord) -> None:
        """Say that the runner lives, in one write."""
        self._heartbeats.write(record)

    def replace_runners(self, index: int) -> None:
        """Say for every runner of `index` that has not ended that it has: its replacement is here.

        An index has one runner at a time, so a runner that begins knows that the previous one is gone.
        """
        self._heartbeats.end_replaced(index)

    def runners(self) -> tuple[RunnerRecord, ...]:
        """Return what each runner last said, by name."""
        heartbeats = self._heartbeats.read()
        return tuple(heartbeats[name].runner for name in sorted(heartbeats))

    def trials(self) -> tuple[TrialRecord, ...]:
        """Return all trials by number; cheap when asked again, for only changes are read."""
        with self._guard:
            self._refresh()
            return self._records()

    def picture(self) -> StudyPicture:
        """Return the study as it is now, whole, in one transaction; cheap when asked again.

        Raises StudyUnreadable where what is not a trial's or a runner's row cannot be read.
        """
        with self._guard:
            with self._database.reading() as connection:
                self._snapshot.refresh(connection)
                texts = get_attributes(connection, self._study_id, _NAMED_KEYS)
                heartbeats, unreadable = self._heartbeats.read_in(connection)
            trials, nameless = self._records(), self._snapshot.nameless
        ended, plan, kept = texts.get(END_KEY), texts.get(PLAN_KEY), texts.get(RETENTION_KEY)
        if nameless:
            unreadable = (*unreadable, f"{nameless} trials without a number")
        return StudyPicture(
            definition=self._definition,
            ended=None if ended is None else load(END_REASONS, ended, _END),
            confirm_plan=load_plan(plan),
            comparison=self._planned.comparison_in(texts.get(DEFINITION_KEY)),
            retention=KEEP if kept is None else load(_TEXTS, kept, RETENTION_KEY),
            seen_trials=trials,
            seen_runners=tuple(heartbeats[name].runner for name in sorted(heartbeats)),
            learned=load_learned(texts.get(LEARNED_KEY)),
            unreadable=unreadable,
        )

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
    def ended(self) -> EndReason | None:
        """Why the study was ended, or None."""
        text = self._attribute(END_KEY)
        return None if text is None else load(END_REASONS, text, _END)

    def reopen(self) -> None:
        """Forget that the study was ended, for example because its budget was raised.

        Repeats of a comparison that came to nothing are to be run again: their cause may be fixed.
        """
        comparison = self.comparison
        with self._exclusive() as connection:
            if delete_attribute(connection, self._study_id, END_KEY) and comparison is not None:
                self._planned.enqueue_missing(connection, comparison, again=True)

    def retain(self, retention: str, owner: str) -> None:
        """Write down what becomes of the study when the resource of `owner` is deleted: Keep or Delete."""
        with self._database.writing() as connection:
            put_attribute(connection, self._study_id, RETENTION_KEY, dump(retention))
            put_attribute(connection, self._study_id, OWNER_KEY, dump(owner))

    def reap(self, leases: Leases, max_losses: int) -> tuple[int, ...]:
        """Take trials whose lease is over from their runners, `MOST_REAPED` at most; see `Reaper`."""
        with self._guard:
            self._refresh()
            heartbeats = self._heartbeats.read()
            over = leases.over(tuple(self._snapshot.running()), heartbeats)
            return tuple(
                trial.number
                for trial in over[:MOST_REAPED]
                if self._endings.reap(trial, heartbeat_of(trial, heartbeats), max_losses)
            )

    def _prune(self, claim: Claim) -> Pruning | None:
        """Begin to watch the scores of `claim`; None where the study stops no trial early."""
        if self._methods is None:
            return None
        others = (trial for trial in self._snapshot.trials.values() if trial.number != claim.number)
        pruning = self._methods.pruning(self._definition, others)
        self._pruning[claim.number] = pruning
        return pruning

    def _attribute(self, key: str) -> str | None:
        with self._database.reading() as connection:
            return get_attribute(connection, self._study_id, key)

    def _records(self) -> tuple[TrialRecord, ...]:
        return tuple(trial.record for trial in self._snapshot.trials.values())

    def _refresh(self) -> None:
        with self._database.reading() as connection:
            self._snapshot.refresh(connection)

    @contextmanager
    def _exclusive(self) -> Iterator[Connection]:
        with self._guard, self._database.exclusive(self._study_id) as connection:
            self._snapshot.refresh(connection)
            yield connection
