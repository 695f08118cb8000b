"""A runner's part in an optimization: the default, the search, and the repeats that prove the winner."""

from llmopt_core.analysis.summary import rank, summarise
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import Failure
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.storage.records import Claim, ConfirmPlan
from llmopt_core.storage.studies import Study
from llmopt_runner.budgets import Ending, search_ending
from llmopt_runner.loop import Loop, TrialEnd
from llmopt_runner.trial import TrialRunner


class SearchLoop(Loop):
    """Runs the trials of an optimization."""

    def __init__(
        self,
        spec: OptimizationSpec,
        study: Study,
        trials: TrialRunner,
        name: str,
        trial_ended: TrialEnd = lambda _kind, _outcome: None,
    ) -> None:
        super().__init__(study, trials, name, trial_ended)
        self._spec = spec
        self._runner = trials

    def run(self) -> Ending:
        """Return why the study ended; raises Interrupted when asked to stop before."""
        ending = self._patiently(self._search)
        if not ending.failed:
            self._patiently(self._confirm)
        self._study.end(ending.reason, ending.message, failed=ending.failed)
        return ending

    def _search(self) -> Ending:
        return (
            self._work_off(self._claim, self._search_ending, budget=self._spec.budget.trials)
            or self._exhausted()
        )

    def _claim(self) -> Claim | None:
        slot = self._runner.slot
        return self._study.claim(
            self._name, budget=self._spec.budget.trials, fixed=slot.fixed(), running=slot.running()
        )

    def _exhausted(self) -> Ending:
        done, budget = summarise(self._study).budget_used, self._spec.budget.trials
        if (enough := self._study.sampling_ended) is not None:
            return Ending(Reason.NOTHING_MORE_TO_GAIN, f"{enough} ({done} of {budget} trials)")
        if done < budget:
            return Ending(Reason.TRIALS_EXHAUSTED, f"all {done} configurations of the space are done")
        untried = sum(trial.state == "waiting" for trial in self._study.trials())
        rest = f"; {untried} given configurations were not tried, for the budget is spent" if untried else ""
        return Ending(Reason.TRIALS_EXHAUSTED, f"all {budget} trials are done{rest}")

    def _search_ending(self) -> Ending | None:
        return self._ended() or search_ending(
            self._spec.budget, self._spec.confirm, self._study.trials(), self._study.runners()
        )

    def _ends_all(self, _failure: Failure) -> bool:
        """Every trial serves the same model on the same engine."""
        return True

    def _confirm(self) -> None:
        if self._plan() is not None:
            self._work_off(lambda: self._study.claim_confirm(self._name), lambda: None, budget=None)

    def _plan(self) -> ConfirmPlan | None:
        """The reference, and the best few that differ from it; None with nothing to prove.

        The reference is the default, or where that could not be measured, the best configuration.
        """
        summary, ordered = summarise(self._study), rank(self._study)
        reference = summary.baseline or next(iter(ordered), None)
        if reference is None or reference.outcome is None or self._spec.confirm.top == 0:
            return None
        same = reference.outcome.configuration.key()
        rivals = [
            trial
            for trial in ordered
            if trial.outcome is not None and trial.outcome.configuration.key() != same
        ][: self._spec.confirm.top]
        if not rivals:
            return None
        return self._study.plan_confirm(
            ConfirmPlan(
                candidates=(reference.parameters, *(trial.parameters for trial in rivals)),
                source_trials=(reference.number, *(trial.number for trial in rivals)),
                repeats=self._spec.confirm.repeats,
                basis=summary.budget_used,
            )
        )
