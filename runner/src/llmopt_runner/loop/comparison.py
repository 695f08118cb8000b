"""A runner's part in a benchmark: the repeats of all candidates, interleaved, as they were enqueued."""

import logging

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Claim, ComparisonDefinition
from llmopt_core.storage.repeats import given_up, measured_repeats
from llmopt_core.storage.studies import Study
from llmopt_runner.loop.budgets import Ending, comparison_ending, comparison_exhausted
from llmopt_runner.loop.lifecycle import Loop, TrialEnd, Trials
from llmopt_runner.trial.outcomes import failed

log = logging.getLogger(__name__)


class ComparisonLoop(Loop):
    """Runs the repeats of a benchmark."""

    def __init__(
        self,
        spec: BenchmarkSpec,
        study: Study,
        comparison: ComparisonDefinition,
        trials: Trials,
        name: str,
        trial_ended: TrialEnd = lambda _kind, _outcome: None,
    ) -> None:
        super().__init__(study, trials, name, trial_ended)
        self._spec = spec
        self._comparison = comparison

    def run(self) -> Ending:
        """Return why the study ended; raises Interrupted when asked to stop before."""
        ending = self._patiently(self._compare)
        self._study.end(ending.reason, ending.message, failed=ending.failed)
        return ending

    def _compare(self) -> Ending:
        ending = self._work_off(
            lambda: self._study.claim_confirm(self._name), self._comparison_ending, budget=None
        )
        return ending or comparison_exhausted(self._comparison, self._study.trials())

    def _comparison_ending(self) -> Ending | None:
        return self._ended() or comparison_ending(
            self._spec.budget, self._comparison, self._study.trials(), self._study.runners()
        )

    def _carry_out(self, claim: Claim) -> None:
        """Run the repeat, unless its candidate is known not to work: that costs one start, not one each."""
        failure = given_up(self._study.trials()).get(claim.candidate or 0)
        if failure is None:
            super()._carry_out(claim)
            return
        log.info("trial %d is not started: its candidate was given up", claim.number)
        self._finish(claim, failed(Configuration.from_flat(claim.parameters), failure))

    def _ends_all(self, claim: Claim, failure: Failure) -> bool:
        """A candidate's model or engine is its own, the disk is everyone's; a server that is away may return.

        Where it was measured before, the benchmark can go on with it from here, so it is not given up.
        """
        if failure.error_class is ErrorClass.ENDPOINT_UNREACHABLE:
            return claim.candidate in measured_repeats(self._study.trials())
        return failure.error_class is ErrorClass.DISK_FULL
