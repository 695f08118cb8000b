"""A benchmark's study on every database: its repeats wait beforehand, and are claimed interleaved."""

import dataclasses

import pytest
from fakes.comparisons import FASTER, SPEED, comparison
from fakes.manifests import benchmark, changed
from fakes.records import outcome
from fakes.studies import MIXED_SPACE, definition, measured

from llmopt_core.analysis.comparison import compare_candidates
from llmopt_core.analysis.summary import summarise
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources.benchmark import LLMBenchmark
from llmopt_core.sampling.others import ReferenceInvalid, from_others
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.errors import StudyNotFound
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind, Phase, Serving

SERVING = Serving({"source": "hf://org/found"}, {"name": "llamacpp"}, {"prompt.few_shot": 1})


def compared(*names, repeats=2, **changes):
    return definition(objectives=(FASTER,), comparison=comparison(*names, repeats=repeats, **changes))


def fast(claim):
    return outcome(metrics={SPEED: 50.0 + claim.number}, parameters=claim.parameters)


def work_off(study, *, broken=()):
    """Run all repeats that wait; those of the `broken` candidates fail."""
    failure = outcome(OutcomeKind.FAILED, error=ErrorClass.MODEL_NOT_FOUND)
    claims = []
    while (claim := study.claim_confirm("runner")) is not None:
        study.finish(claim, failure if claim.candidate in broken else fast(claim))
        claims.append(claim)
    return claims


def test_all_repeats_wait_from_the_beginning(storage):
    """There is no default and nothing to search: every repeat of every candidate is there, in its place."""
    study = storage.create_study(compared("a", "b", "c", repeats=2))
    assert [trial.state for trial in study.trials()] == ["waiting"] * 6
    assert {trial.phase for trial in study.trials()} == {Phase.CONFIRM}
    assert study.claim("runner", budget=99) is None
    claims = work_off(study)
    assert [(claim.repeat, claim.candidate) for claim in claims] == [
        (0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0),
    ]  # fmt: skip
    assert claims[1].parameters == {"engine.n_parallel": 2}
    assert summarise(study).confirm_counts == {OutcomeKind.MEASURED: 6}
    assert compare_candidates(study).decided


def test_its_definition_is_restored(storage):
    """A benchmark opened by name has its candidates, repeats, metrics and confidence."""
    made = compared("a", "b", metrics=("accuracy",), confidence=0.9)
    storage.create_study(made)
    assert storage.open_study("study").definition == made


def test_a_repeat_that_was_given_back_is_run_before_later_ones(storage):
    """A lost repeat keeps its place among the others, so that repeats stay interleaved."""
    study = storage.create_study(compared("a", "b"))
    claim = study.claim_confirm("runner")
    study.give_back(claim, "stopped")
    again = study.claim_confirm("runner")
    assert (again.candidate, again.repeat, again.attempt) == (0, 0, 1)


def test_more_repeats_are_enqueued_and_fewer_withdrawn(storage):
    """Repeats may change while a benchmark runs: what is missing comes, what is too much goes."""
    study = storage.create_study(compared("a", "b", repeats=2))
    done = study.claim_confirm("runner")
    study.finish(done, fast(done))
    storage.create_study(compared("a", "b", repeats=3))
    assert sum(trial.state == "waiting" for trial in study.trials()) == 5
    storage.create_study(compared("a", "b", repeats=1))
    assert [(claim.candidate, claim.repeat) for claim in work_off(study)] == [(1, 0)]
    finding = compare_candidates(study)
    assert (finding.finished, finding.planned, finding.decided) == (2, 2, True)
    storage.create_study(compared("a", "b", repeats=2))
    assert len(work_off(study)) == 2


def test_metrics_and_confidence_are_taken_over(storage):
    """What is reported, and how sure it must be, can be asked anew of what was measured."""
    study = storage.create_study(compared("a", "b"))
    work_off(study)
    storage.create_study(compared("a", "b", metrics=("accuracy",), confidence=0.8))
    finding = compare_candidates(study)
    assert (finding.metrics, finding.confidence) == ((SPEED, "accuracy"), 0.8)


def test_what_came_to_nothing_is_run_again_after_the_end(storage):
    """A candidate whose model was missing is measured once it is there; what was measured is kept."""
    study = storage.create_study(compared("a", "b"))
    work_off(study, broken={1})
    study.end("TrialsExhausted", "done")
    study.reopen()
    study.reopen()  # by another runner
    assert [claim.candidate for claim in work_off(study)] == [1, 1]
    assert compare_candidates(study).candidate("b").repeats == 2


def test_a_benchmark_is_no_study_to_start_from(storage):
    """An optimization and a benchmark may have one name: who starts from it means the optimization."""
    storage.create_study(compared("a", "b"))
    storage.create_study(dataclasses.replace(definition("other"), resource="team/x"))
    storage.create_study(dataclasses.replace(compared("a"), name="bench", resource="team/x"))
    assert storage.newest_study("team/x").definition.name == "other"
    with pytest.raises(StudyNotFound):
        storage.newest_study("")


def optimized(storage, *, serving=SERVING, ended=True):
    """A study of the optimization `team/found`: the default, then 3, 5 and 1 slots, 5 the best."""
    entries = tuple({"engine.n_parallel": slots, "engine.kv": "f16"} for slots in (3, 5, 1))
    study = storage.create_study(
        definition("found", resource="team/found", enqueue=entries, serving=serving, space=MIXED_SPACE)
    )
    for accuracy in (0.5, 0.6, 0.9, 0.4):
        claim = study.claim("runner", budget=4)
        configuration = Configuration.from_flat(claim.parameters)
        study.finish(claim, dataclasses.replace(measured(claim, accuracy), configuration=configuration))
    if ended:
        study.end("TrialsExhausted", "all 4 trials are done")
    return study


def referring(storage, rank, name="found"):
    """Create the study of a benchmark whose second candidate is a result of an optimization."""
    reference = {"name": "found", "optimizationRef": {"name": name, "rank": rank}}
    resource = LLMBenchmark.model_validate(changed(benchmark(), "spec.candidates.1", reference))
    others = from_others(resource, lambda asked: storage.newest_study(f"team/{asked}"))
    return storage.create_study(define_study(resource), others)


@pytest.mark.parametrize(("rank", "slots"), [(1, 5), (2, 3), (4, 1)])
def test_a_result_of_an_optimization_becomes_a_candidate(storage, rank, slots):
    """It comes whole, with the model, the engine and all that the optimization fixed, and is stored."""
    optimized(storage)
    serving = referring(storage, rank).definition.candidates[1].serving
    assert serving.model == {"source": "hf://org/found"}
    assert serving.parameters["engine.n_parallel"] == slots
    assert serving.parameters["prompt.few_shot"] == 1
    assert storage.open_study("small").trials()[1].parameters == serving.parameters


def test_rank_0_is_the_optimizations_default(storage):
    """The default is what the optimization fixed, and nothing that it searched."""
    optimized(storage)
    assert referring(storage, 0).definition.candidates[1].parameters == {"prompt.few_shot": 1}


def test_the_confirmed_winner_is_taken_before_the_searchs_own_best(storage):
    """Where repeats were made, they say who won."""
    study = optimized(storage, ended=False)
    third = study.trials()[1].parameters
    best = study.trials()[2].parameters
    study.plan_confirm(ConfirmPlan(({}, best, third), (0, 2, 1), repeats=2))
    scores = {0: 0.5, 1: 0.4, 2: 0.8}
    while (claim := study.claim_confirm("runner")) is not None:
        study.finish(claim, measured(claim, scores[claim.candidate] + claim.repeat / 100))
    study.end("TrialsExhausted", "all trials are done")
    assert referring(storage, 1).definition.candidates[1].parameters["engine.n_parallel"] == 3


def test_what_an_optimization_has_not_decided_is_no_candidate(storage):
    """Its best may still change while it goes on; its default cannot."""
    optimized(storage, ended=False)
    with pytest.raises(ReferenceInvalid, match="'found' has not ended, so its best may change"):
        referring(storage, 1)
    assert referring(storage, 0).definition.candidates[1].parameters == {"prompt.few_shot": 1}


def test_an_existing_benchmark_asks_no_optimization(storage):
    """Every runner measures what was looked up at first, also when the optimization has gone."""
    optimized(storage)
    before = referring(storage, 1).definition
    storage.drop_study("found")
    assert referring(storage, 1).definition == before


@pytest.mark.parametrize(
    ("rank", "name", "message"),
    [
        (1, "absent", r"spec.candidates\[1\].optimizationRef.name: 'absent' has no study"),
        (
            5,
            "found",
            r"spec.candidates\[1\].optimizationRef.rank: 5: 'found' measured 4 .* 0 \(the baseline\) to 4",
        ),
    ],
)
def test_a_result_that_is_not_there_is_named(storage, rank, name, message):
    """One error with the field, the value and what to do; no study is left behind."""
    optimized(storage)
    with pytest.raises(ReferenceInvalid, match=message):
        referring(storage, rank, name)
    assert storage.study_names() == ("found",)


def test_a_study_that_does_not_say_what_it_served_is_named(storage):
    """A study of an earlier version cannot be a candidate: what it served is not known."""
    optimized(storage, serving=None)
    with pytest.raises(ReferenceInvalid, match="an earlier version"):
        referring(storage, 1)
