"""What a study found, where its default cannot run or breaks a constraint."""

from dataclasses import replace

import pytest
from fakes.local_runs import document
from fakes.records import outcome, trial

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources.loading import resource_of
from llmopt_core.results.reading import search_result
from llmopt_core.results.wording import advice, chosen, headline
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import (
    ConfirmPlan,
    ConstraintDefinition,
    ObjectiveDefinition,
    OutcomeKind,
    Phase,
    StudyDefinition,
)
from llmopt_core.storage.views import StudyPicture

DEFINITION = StudyDefinition(
    "study", "f", SearchSpace(()), (ObjectiveDefinition("output_tokens_per_second", "maximize"),)
)
REFUSED = trial(
    0, outcome(OutcomeKind.INFEASIBLE, error=ErrorClass.INVALID_CONFIGURATION), phase=Phase.BASELINE
)


def measured(number, speed, **fields):
    parameters = {"engine.max_num_seqs": number}
    ended = outcome(metrics={"output_tokens_per_second": speed}, parameters=parameters)
    ended = replace(ended, facts={"serve_command": f"serve {number}"})
    return trial(number, ended, parameters=parameters, **fields)


def repeats(*speeds_of):
    """Return five repeats of each candidate, with these mean speeds."""
    return [
        measured(100 + 10 * candidate + repeat, speed + repeat / 10, phase=Phase.CONFIRM,
                 candidate=candidate, repeat=repeat)
        for candidate, speed in enumerate(speeds_of)
        for repeat in range(5)
    ]  # fmt: skip


def study(*trials, plan=None):
    end = EndReason("TrialsExhausted", "all trials are done")
    return StudyPicture(DEFINITION, end, plan, None, "Keep", trials, ())


def result_of(study):
    """Return what the study found, with the words that are shown of it."""
    return search_result(study, resource_of(document()).spec)


PLAN = ConfirmPlan(({"engine.max_num_seqs": 2}, {"engine.max_num_seqs": 1}), (2, 1), 5)
SEARCHED = (REFUSED, measured(1, 90.0), measured(2, 100.0))


def test_the_best_configuration_is_the_reference_where_the_default_cannot_run():
    """Nothing that was tried is proved to be better than it, so it is what to serve."""
    found = result_of(study(*SEARCHED, *repeats(100.0, 90.0), plan=PLAN))
    assert (found.trial, found.reference, found.serve_command) == (2, 2, "serve 2")
    assert (found.confirmed, found.keep_default, found.default_is_best) == (True, False, False)
    assert (found.default_failure.class_, found.default_failure.last_trial) == ("InvalidConfiguration", 0)
    assert headline(found.status) == (
        "The baseline cannot run here (InvalidConfiguration: it failed). The reference is trial 2, the best"
        " configuration: repeats verify nothing better"
    )
    assert advice(found.status) == "fix it"


def test_what_repeats_prove_to_be_better_than_the_reference_is_the_winner():
    """The search may have been lucky with its best: gains are then over that trial."""
    found = result_of(study(*SEARCHED, *repeats(100.0, 150.0), plan=PLAN))
    assert (found.trial, found.reference, found.serve_command) == (1, 2, "serve 1")
    assert found.significant
    assert found.gain == pytest.approx(0.5, abs=0.01)
    assert headline(found.status).startswith(
        "The baseline cannot run here (InvalidConfiguration: it failed). Significant gain over trial 2:"
    )


def test_without_repeats_the_best_is_said_to_be_unconfirmed():
    """The reason why there is nothing to compare with is said."""
    found = result_of(study(*SEARCHED))
    assert (found.trial, found.reference, found.effects) == (2, 2, ())
    assert headline(found.status).endswith("the best configuration: it was not verified by repeats")


def test_where_nothing_runs_the_reason_of_the_default_is_said():
    """There is neither a reference nor a winner."""
    found = result_of(study(REFUSED))
    assert (found.trial, found.reference) == (None, None)
    assert headline(found.status).endswith("No other configuration could be measured")


@pytest.mark.parametrize(
    ("error", "words"),
    [(ErrorClass.ENGINE_CRASHED, "could not be measured"), (ErrorClass.GPU_OUT_OF_MEMORY, "cannot run here")],
)
def test_a_default_that_crashed_might_run(error, words):
    """What may pass is not called impossible."""
    kind = OutcomeKind.FAILED if error is ErrorClass.ENGINE_CRASHED else OutcomeKind.INFEASIBLE
    crashed = trial(0, outcome(kind, error=error), phase=Phase.BASELINE)
    assert headline(result_of(study(crashed)).status).startswith(f"The baseline {words} ({error}: it failed)")


@pytest.mark.parametrize(
    "trials",
    [
        (trial(0, outcome(OutcomeKind.RETURNED, error=ErrorClass.ENGINE_CRASHED), phase=Phase.BASELINE),),
        (trial(0, phase=Phase.BASELINE), measured(1, 90.0)),
        (
            trial(0, outcome(OutcomeKind.RETURNED, error=ErrorClass.ENGINE_CRASHED), phase=Phase.BASELINE),
            measured(1, 90.0, phase=Phase.BASELINE),
        ),
    ],
    ids=["to be run again", "running", "measured the second time"],
)
def test_a_default_that_may_still_run_has_not_failed(trials):
    """Only how it ended counts."""
    assert result_of(study(*trials)).default_failure is None


QUICK = replace(DEFINITION, constraints=(ConstraintDefinition("ttft_ms_p95", maximum=500.0),))


def _with_first_token(ttft_ms, trials):
    """Return `trials`, in which the first token came after `ttft_ms` of their candidate or number."""
    return tuple(
        replace(
            each,
            outcome=replace(each.outcome, metrics={**each.outcome.metrics, "ttft_ms_p95": ttft_ms[number]}),
        )
        for each in trials
        for number in [each.number if each.candidate is None else each.candidate]
    )


def test_a_baseline_that_breaks_a_constraint_is_not_kept():
    """What keeps the constraint is served, though it is slower; the words say what the baseline breaks."""
    plan = ConfirmPlan(({}, {"engine.max_num_seqs": 1}), (0, 1), 5)
    searched = _with_first_token(
        {0: 812.0, 1: 400.0},
        [measured(0, 100.0, phase=Phase.BASELINE), measured(1, 90.0), *repeats(100.0, 90.0)],
    )
    found = result_of(replace(study(*searched, plan=plan), definition=QUICK))
    assert (found.trial, found.reference, found.serve_command) == (1, 0, "serve 1")
    assert (found.confirmed, found.keep_default, found.default_is_best) == (True, False, False)
    assert headline(found.status).startswith(
        "The baseline breaks ttft_ms_p95 <= 500 (812); trial 1 keeps every constraint. No significant gain"
    )
    assert advice(found.status).startswith("Take it where the constraints must hold")
    (constraint,) = found.status.best.constraints
    assert (constraint.value, constraint.kept) == (400, True)
    assert (constraint.baseline, constraint.baseline_kept) == (812, False)


def test_where_nothing_keeps_the_constraints_it_is_said_that_it_was_measured():
    """Two configurations were measured, so it was not a failure to measure."""
    searched = [measured(0, 100.0, phase=Phase.BASELINE), measured(1, 90.0)]
    searched = _with_first_token({0: 812.0, 1: 600.0}, searched)
    found = result_of(replace(study(*searched), definition=QUICK))
    assert found.trial is None
    assert headline(found.status) == "2 configurations were measured, and none keeps every constraint"
    assert advice(found.status).startswith("Relax a constraint")


def test_a_winner_of_the_search_that_breaks_a_constraint_in_the_repeats_is_not_served():
    """In the search it kept the constraint; on other items it does not, so the baseline stays."""
    plan = ConfirmPlan(({}, {"engine.max_num_seqs": 1}), (0, 1), 5)
    searched = [measured(0, 100.0, phase=Phase.BASELINE), measured(1, 150.0)]
    trials = (
        *_with_first_token({0: 300.0, 1: 490.0}, searched),
        *_with_first_token({0: 300.0, 1: 600.0}, repeats(100.0, 150.0)),
    )
    found = result_of(replace(study(*trials, plan=plan), definition=QUICK))
    assert (found.trial, found.serve_command, found.parameters) == (1, "serve 0", _grouped())
    assert (found.confirmed, found.keep_default, found.significant) == (True, True, False)
    assert found.choices == ()
    assert headline(found.status) == (
        "No gain over the baseline: in the repeats trial 1 does not keep the constraints"
        " (ttft_ms_p95 <= 500: 600, broken)"
    )
    assert advice(found.status) == "Keep the baseline, or relax the constraint."


def _grouped():
    return {"engine": {"max_num_seqs": 0}, "sampling": {}, "prompt": {}}


def test_a_gain_that_losses_outweigh_by_the_weights_is_not_served():
    """A third faster, and right half as often: by equal weights the baseline is better."""
    both = (*DEFINITION.objectives, ObjectiveDefinition("accuracy", "maximize"))
    plan = ConfirmPlan(({}, {"engine.max_num_seqs": 1}), (0, 1), 5)
    searched = [measured(0, 100.0, phase=Phase.BASELINE), measured(1, 130.0), *repeats(100.0, 130.0)]
    right = {0: 0.9, 1: 0.4}
    trials = tuple(
        replace(
            each,
            outcome=replace(
                each.outcome,
                metrics={**each.outcome.metrics, "accuracy": right[number]},
                samples={str(item): float(item < 40 * right[number]) for item in range(40)},
                sample_metric="accuracy",
            ),
        )
        for each in searched
        for number in [each.number if each.candidate is None else each.candidate]
    )
    found = result_of(replace(study(*trials, plan=plan), definition=replace(DEFINITION, objectives=both)))
    assert (found.trial, found.serve_command) == (1, "serve 0")
    assert (found.keep_default, found.significant) == (True, False)
    assert [each.trial for each in found.choices] == [1]
    assert headline(found.status).startswith("No gain by the weights over the baseline: output_tokens_per_se")
    assert advice(found.status).startswith("Keep the baseline, unless")
    assert chosen(found.status).endswith("; losses outweigh gains.")
