"""The life of a runner: claim, run, finish, until the study has an end; then the confirmation."""

import logging
import math
import time
from collections.abc import Callable
from typing import TypeVar

from llmopt_core.errors.classes import Failure, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.study.adapter import Study
from llmopt_core.study.errors import StorageUnavailable, TrialLost
from llmopt_core.study.records import Claim, ConfirmPlan, Outcome, OutcomeKind, Phase
from llmopt_core.study.summary import rank, summarise
from llmopt_runner.budgets import Ending, search_ending
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial import TrialRunner

log = logging.getLogger(__name__)
T = TypeVar("T")
# Told how each trial of this runner ended: `returned` where it will be run again.
TrialEnd = Callable[[OutcomeKind, Outcome], None]

# How often a configuration is tried again after a failure that may pass.
_MOST_ATTEMPTS = 2
_POLL_SECONDS = 0.5
_STORAGE_PATIENCE_SECONDS = 300.0
# Failures further apart belong to two outages.
_OUTAGE_GAP_SECONDS = 60.0


class Loop:
    """Runs trials of `study` until none is left; several loops on one study share the work."""

    def __init__(
        self,
        spec: OptimizationSpec,
        study: Study,
        trials: TrialRunner,
        name: str,
        trial_ended: TrialEnd = lambda _kind, _outcome: None,
    ) -> None:
        self._spec = spec
        self._trial_ended = trial_ended
        self._study = study
        self._trials = trials
        self._name = name
        self._stopping: StopSignal = trials.stopping
        self._fatal: Ending | None = None

    def run(self) -> Ending:
        """Return why the study ended; raises Interrupted when asked to stop before."""
        ending = self._patiently(self._search)
        if not ending.failed:
            self._patiently(self._confirm)
        self._study.end(ending.reason, ending.message, failed=ending.failed)
        return ending

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
                self._wait()

    def _wait(self) -> None:
        self._stopping.wait(_POLL_SECONDS)
        self._stopping.check()

    def _search(self) -> Ending:
        while True:
            self._stopping.check()
            if ending := self._search_ending():
                return ending
            claim = self._study.claim(
                self._name, budget=self._spec.budget.trials, fixed=self._trials.slot.fixed()
            )
            if claim is not None:
                self._carry_out(claim)
            elif self._nothing_left(confirm=False):
                return self._exhausted()
            else:
                self._trials.progress.stage = "waiting for other runners"
                self._wait()

    def _exhausted(self) -> Ending:
        done, budget = summarise(self._study).budget_used, self._spec.budget.trials
        if done < budget:
            return Ending("TrialsExhausted", f"all {done} configurations of the space are done")
        return Ending("TrialsExhausted", f"all {budget} trials are done")

    def _search_ending(self) -> Ending | None:
        if self._fatal is not None:
            return self._fatal
        if ended := self._study.ended:
            return Ending.told(ended)
        return search_ending(
            self._spec.budget, self._spec.confirm, self._study.trials(), self._study.runners()
        )

    def _nothing_left(self, *, confirm: bool) -> bool:
        """Say whether all trials of the search, or all of the confirmation, are finished."""
        return all(
            trial.state == "finished"
            for trial in self._study.trials()
            if (trial.phase is Phase.CONFIRM) == confirm
        )

    def _carry_out(self, claim: Claim) -> None:
        log.info("trial %d (%s) begins: %s", claim.number, claim.phase, dict(claim.parameters))
        try:
            outcome = self._trials.run(claim)
        except Interrupted:
            self._study.give_back(claim, "the runner was asked to stop")
            raise
        finally:
            self._trials.progress.trial = None
        self._finish(claim, outcome)

    def _finish(self, claim: Claim, outcome: Outcome) -> None:
        began = time.monotonic()
        try:
            if (failure := self._worth_another_run(claim, outcome)) is not None:
                self._patiently(lambda: self._study.give_back(claim, failure))
            else:
                self._patiently(lambda: self._study.finish(claim, outcome))
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
            _told(outcome),
        )

    def _worth_another_run(self, claim: Claim, outcome: Outcome) -> Failure | None:
        """Return the failure for which the trial is to be run again, if it is.

        At once where that may help. A fatal failure ends the study first, and costs no trial of its budget:
        what it names can be mended.
        """
        failure = outcome.failure
        if failure is None or outcome.kind not in {OutcomeKind.FAILED, OutcomeKind.INVALID}:
            return None
        policy = POLICIES[failure.error_class]
        if policy is RetryPolicy.FATAL:
            self._fatal = Ending.of(failure)
            return failure
        return failure if policy is RetryPolicy.RETRY and claim.attempt + 1 < _MOST_ATTEMPTS else None

    def _confirm(self) -> None:
        plan = self._plan()
        if plan is None:
            return
        while True:
            self._stopping.check()
            claim = self._study.claim_confirm(self._name)
            if claim is not None:
                self._carry_out(claim)
            elif self._nothing_left(confirm=True):
                return
            else:
                self._trials.progress.stage = "waiting for other runners"
                self._wait()

    def _plan(self) -> ConfirmPlan | None:
        """The best few that differ from the default, and the default; None with nothing to prove."""
        summary = summarise(self._study)
        if summary.baseline is None or summary.baseline.outcome is None or self._spec.confirm.top == 0:
            return None
        default = self._trials.configuration(_as_claim({})).key()
        rivals = [
            trial
            for trial in rank(self._study)
            if trial.outcome is not None and trial.outcome.configuration.key() != default
        ][: self._spec.confirm.top]
        if not rivals:
            return None
        return self._study.plan_confirm(
            ConfirmPlan(
                candidates=({}, *(trial.parameters for trial in rivals)),
                source_trials=(summary.baseline.number, *(trial.number for trial in rivals)),
                repeats=self._spec.confirm.repeats,
                basis=summary.budget_used,
            )
        )


def _as_claim(parameters: dict[str, str]) -> Claim:
    return Claim(number=-1, phase=Phase.BASELINE, parameters=parameters)


def _told(outcome: Outcome) -> str:
    if outcome.failure is not None:
        return f"{outcome.failure.error_class}: {outcome.failure.message}"
    return ", ".join(f"{name} {value:.4g}" for name, value in sorted(outcome.metrics.items()))
