"""A runner's part in an optimization: the default, the search, and the repeats that prove the winner."""

from collections.abc import Mapping

from llmopt_core.analysis.confirmation import standing_of
from llmopt_core.analysis.summary import rank, summarise
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import Failure
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.sampling.repairs import Refused, repair
from llmopt_core.search.configurations import Value
from llmopt_core.storage.records import Claim, ConfirmPlan, Outcome, OutcomeKind, Phase
from llmopt_core.storage.studies import Study
from llmopt_runner.loop.budgets import Ending, search_ending, untried_text
from llmopt_runner.loop.lifecycle import Loop, TrialEnd
from llmopt_runner.loop.verification_plans import confirm_plan
from llmopt_runner.trial.trial_runner import TrialRunner


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
            ending = self._patiently(self._confirm) or ending
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
        return Ending(
            Reason.TRIALS_EXHAUSTED, f"all {budget} trials are done{untried_text(self._study.trials())}"
        )

    def _search_ending(self) -> Ending | None:
        return self._ended() or search_ending(
            self._spec.budget, self._spec.confirm, self._study.trials(), self._study.runners()
        )

    def _repair(self, claim: Claim, outcome: Outcome) -> Mapping[str, Value] | None:
        """Repair a configuration once: where that is refused too, it is left as it is."""
        if outcome.kind is not OutcomeKind.INFEASIBLE or outcome.failure is None:
            return None
        if claim.repaired_from is not None or claim.phase is Phase.CONFIRM:
            return None
        refused = Refused(claim.parameters, outcome.configuration, outcome.failure)
        return repair(refused, self._study.definition.space, self._runner.may_work)

    def _ends_all(self, _claim: Claim, _failure: Failure) -> bool:
        """Every trial serves the same model on the same engine."""
        return True

    def _confirm(self) -> Ending | None:
        """Measure the repeats; return what ended that before its end, None where nothing did."""
        if self._plan() is None:
            return None
        return self._work_off(self._claim_repeat, lambda: None, budget=None)

    def _claim_repeat(self) -> Claim | None:
        self._withdraw_decided()
        return self._study.claim_confirm(self._name)

    def _withdraw_decided(self) -> None:
        """Take back the repeats of candidates that are decided, and with the last the reference's."""
        plan, trials = self._study.confirm_plan, self._study.trials()
        waiting = {trial.candidate for trial in trials if trial.state == "waiting"} - {None}
        if plan is None or not waiting:
            return
        standing = standing_of(plan, trials, self._study.definition)
        stopped = {plan.first + each.candidate for each in standing.candidates if each.stopped is not None}
        if standing.finished:
            stopped.add(plan.first)
        if waiting & stopped:
            self._study.withdraw_repeats(stopped)

    def _plan(self) -> ConfirmPlan | None:
        plan = confirm_plan(
            self._spec.confirm,
            self._study.definition,
            summarise(self._study),
            rank(self._study),
            self._runner.declaration.load_part,
        )
        return None if plan is None else self._study.plan_confirm(plan)
