"""The life of a runner: claim, run, finish, until the study has an end; the same for both kinds of study."""

import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol, TypeVar

from llmopt_core.errors.classes import ErrorClass, Failure, LlmoptError, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.errors.unexpected import failure_of
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.storage.errors import OutcomeInvalid, StorageUnavailable, StudyNotFound, TrialLost
from llmopt_core.storage.records import Claim, Outcome, OutcomeKind, Phase
from llmopt_core.storage.repeats import DISTURBED, is_measured_again, measured_again
from llmopt_core.storage.studies import Study
from llmopt_runner.loop.budgets import Ending, nothing_left
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial.outcomes import failed
from llmopt_runner.trial.progress import Progress

log = logging.getLogger(__name__)
T = TypeVar("T")
# Receives how each trial of this runner ended: `returned` where it will be run again.
TrialEnd = Callable[[OutcomeKind, Outcome], None]

# How often a configuration is tried again after a failure that may pass.
_MOST_ATTEMPTS = 2
_POLL_SECONDS = 0.5
_STORAGE_PATIENCE_SECONDS = 300.0
# Failures further apart belong to two outages.
_OUTAGE_GAP_SECONDS = 60.0


class Trials(Protocol):
    """What runs claimed trials."""

    @property
    def stopping(self) -> StopSignal:
        """What asks the runner to stop."""

    @property
    def progress(self) -> Progress:
        """What the runner is doing now."""

    def run(self, claim: Claim) -> Outcome:
        """Return how the trial ended; raises Interrupted when the runner was asked to stop."""

    def close(self) -> None:
        """Stop the loaded engine, if there is one."""


class Loop(ABC):
    """Runs trials of `study` until none is left; several loops on one study share the work."""

    def __init__(
        self,
        study: Study,
        trials: Trials,
        name: str,
        trial_ended: TrialEnd = lambda _kind, _outcome: None,
    ) -> None:
        self._trial_ended = trial_ended
        self._study = study
        self._trials = trials
        self._name = name
        self._stopping = trials.stopping
        self._fatal: Ending | None = None

    @abstractmethod
    def run(self) -> Ending:
        """Return why the study ended; raises Interrupted when asked to stop before."""

    def close(self) -> None:
        """Give up what the trials hold."""
        self._trials.close()

    def _patiently(self, step: Callable[[], T]) -> T:
        """Repeat `step` while the storage is away, within reason; every step can be repeated."""
        first = last = -math.inf
        while True:
            try:
                return step()
            except StorageUnavailable as error:
                now = time.monotonic()
                first = now if now - last > _OUTAGE_GAP_SECONDS else first
                last = now
                if now - first > _STORAGE_PATIENCE_SECONDS:
                    raise
                log.warning("storage is away, trying again: %s", error)
                self._trials.progress.storage_failures += 1
                self._wait()

    def _wait(self) -> None:
        self._stopping.wait(_POLL_SECONDS)
        self._stopping.check()

    def _work_off(
        self, claim: Callable[[], Claim | None], ending: Callable[[], Ending | None], *, budget: int | None
    ) -> Ending | None:
        """Carry out what `claim` gives until `ending` says why no more; None: nothing is left, or running.

        `budget` is how many trials of the default and the search there may be; None: it is the repeats that
        are worked off, all of them.
        """
        while True:
            self._stopping.check()
            if self._fatal is not None:
                return self._fatal
            if (end := ending()) is not None:
                return end
            claimed = claim()
            if claimed is not None:
                self._carry_out(claimed)
            elif nothing_left(self._study.trials(), budget):
                return None
            else:
                self._wait_for_others()

    def _wait_for_others(self) -> None:
        progress, began = self._trials.progress, time.monotonic()
        progress.stage = "waiting for other runners"
        self._wait()
        progress.waited_seconds += time.monotonic() - began

    def _ended(self) -> Ending | None:
        """Return how the study was ended, by whomever."""
        end = self._study.ended
        return None if end is None else Ending.recorded(end)

    def _carry_out(self, claim: Claim) -> None:
        log.info("trial %d (%s) begins: %s", claim.number, claim.phase, dict(claim.parameters))
        try:
            outcome = self._outcome(claim)
        except Interrupted:
            with suppress(TrialLost):  # then another runs it already
                self._study.give_back(claim, "the runner was asked to stop")
            raise
        finally:
            self._trials.progress.trial = None
        self._finish(claim, outcome)

    def _outcome(self, claim: Claim) -> Outcome:
        """Return how the trial ended, whatever was raised in it.

        What left a trial otherwise would end its runner, and every replacement that is given the same trial.
        Raises Interrupted, and StudyNotFound where the study is gone.
        """
        try:
            return self._trials.run(claim)
        except (Interrupted, StudyNotFound):
            raise
        except LlmoptError as error:
            failure = failure_of(error)
        except Exception as error:
            # The boundary of a trial: a fault of its parts ends the trial, and not the runner.
            log.exception("trial %d was ended by an error that nobody expected", claim.number)
            failure = failure_of(error)
        self._trials.close()
        return failed(Configuration.from_flat(claim.parameters), failure)

    def _finish(self, claim: Claim, outcome: Outcome) -> None:
        began = time.monotonic()
        try:
            failure = self._record(claim, outcome)
        except OutcomeInvalid as error:
            outcome = failed(outcome.configuration, error.failure)
            failure = self._record(claim, outcome)
        except TrialLost as error:
            log.warning("the result of trial %d is not taken: %s", claim.number, error)
            return
        self._trial_ended(outcome.kind if failure is None else OutcomeKind.RETURNED, outcome)
        log.info(
            "trial %d %s after %.2f s (%.3f s to record): %s",
            claim.number,
            outcome.kind,
            outcome.seconds.get("total", 0.0),
            time.monotonic() - began,
            _logged(outcome),
        )

    def _record(self, claim: Claim, outcome: Outcome) -> Failure | None:
        """Store how the trial ended; return the failure for which it will be run again, if it will."""
        if (failure := self._worth_another_run(claim, outcome)) is not None:
            self._patiently(lambda: self._study.give_back(claim, failure))
        else:
            repair = self._repair(claim, outcome)
            self._patiently(lambda: self._study.finish(claim, outcome, repair))
            if repair is not None:
                log.info("trial %d is tried once more as %s", claim.number, repair)
        return failure

    def _repair(self, _claim: Claim, _outcome: Outcome) -> Mapping[str, Value] | None:
        """Return parameters with which a refused configuration is worth another try; None: it has none."""
        return None

    def _worth_another_run(self, claim: Claim, outcome: Outcome) -> Failure | None:
        """Return the failure for which the trial is to be run again, if it is.

        At once where that may help. What ends the study costs no trial of its budget: it can be fixed.
        """
        if self._is_measured_again(claim, outcome):
            return DISTURBED
        failure = outcome.failure
        if failure is None or outcome.kind not in {OutcomeKind.FAILED, OutcomeKind.INVALID}:
            return None
        policy, tried_again = POLICIES[failure.error_class], claim.attempt + 1 >= _MOST_ATTEMPTS
        if policy is RetryPolicy.FATAL or (policy is RetryPolicy.OUTAGE and tried_again):
            if not self._ends_all(claim, failure):
                return None
            self._fatal = Ending.of(failure)
            return failure
        may_pass = policy in {RetryPolicy.RETRY, RetryPolicy.OUTAGE}
        return failure if may_pass and not tried_again and not self._hangs(failure) else None

    def _hangs(self, failure: Failure) -> bool:
        """Say whether a start that took too long would do so again.

        The first start may have had to compile or to fetch something. Once an engine has served, it is the
        configuration that hangs, and another start would cost as much time as the first.
        """
        return failure.error_class is ErrorClass.ENGINE_START_TIMEOUT and any(
            trial.outcome is not None and trial.outcome.kind is OutcomeKind.MEASURED
            for trial in self._study.trials()
        )

    def _is_measured_again(self, claim: Claim, outcome: Outcome) -> bool:
        """Say whether a disturbed repeat is measured again: what it proves must not depend on others."""
        if outcome.kind is not OutcomeKind.MEASURED or not outcome.disturbed:
            return False
        trials = self._study.trials()
        planned = len({(trial.candidate, trial.repeat) for trial in trials if trial.phase is Phase.CONFIRM})
        return claim.phase is Phase.CONFIRM and is_measured_again(
            claim.attempt, measured_again(trials), planned
        )

    @abstractmethod
    def _ends_all(self, claim: Claim, failure: Failure) -> bool:
        """Say whether after this failure of a trial, which ends its own, no other can work either."""


def _logged(outcome: Outcome) -> str:
    if outcome.failure is not None:
        return f"{outcome.failure.error_class}: {outcome.failure.message}"
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(outcome.metrics.items()))
