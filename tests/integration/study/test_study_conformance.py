"""What holds for a study on every database."""

import pytest
from fakes.studies import MIXED_SPACE, SLO, TWO_OBJECTIVES, definition, ended, heartbeat, measured

from llmopt_core.analysis.summary import rank, summarise
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.errors import (
    EnqueueInvalid,
    OutcomeInvalid,
    StudyMismatch,
    StudyNotFound,
    TrialLost,
)
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind, Phase


def test_definition_is_restored(storage):
    """A study opened by name has the definition it was created from, with every type kept."""
    made = definition(objectives=TWO_OBJECTIVES, constraints=SLO, enqueue=({"engine.n_parallel": 3},), seed=7)
    storage.create_study(made)
    assert storage.open_study("study").definition == made


def test_creating_twice_opens(storage):
    """Creating a study that exists opens it, unless its settings differ."""
    storage.create_study(definition())
    assert storage.create_study(definition()).trials() == storage.open_study("study").trials()
    with pytest.raises(StudyMismatch, match="other settings"):
        storage.create_study(definition(fingerprint="def"))


def test_missing_study(storage):
    """A study that does not exist cannot be opened, and dropping it does nothing."""
    with pytest.raises(StudyNotFound, match="'nothing'"):
        storage.open_study("nothing")
    storage.drop_study("nothing")


def test_dropped_study_is_gone(storage):
    """Dropping a study removes it whole and leaves the others alone."""
    for name in ("one", "two"):
        study = storage.create_study(definition(name))
        claim = study.claim("runner", budget=3)
        study.finish(claim, measured(claim))
        study.heartbeat(heartbeat("runner", 1))
    storage.drop_study("one")
    assert storage.study_names() == ("two",)
    assert len(storage.open_study("two").trials()) == 1
    assert len(storage.create_study(definition("one")).trials()) == 1
    assert storage.open_study("one").runners() == ()


def test_a_user_of_a_dropped_study_is_informed(storage):
    """Nothing is written to it: a runner hears that its trial was taken away, then that the study is gone."""
    study = storage.create_study(definition())
    claim = study.claim("runner", budget=3)
    storage.drop_study("study")
    with pytest.raises(StudyNotFound, match="dropped"):
        study.heartbeat(heartbeat("runner", 1))
    with pytest.raises(TrialLost):
        study.finish(claim, measured(claim))
    with pytest.raises(StudyNotFound, match="dropped"):
        study.claim("runner", budget=3)
    assert storage.create_study(definition()).runners() == ()


def test_default_comes_first_then_the_enqueued(storage):
    """Trial 0 is the default without parameters; enqueued entries follow, completed by the sampler."""
    study = storage.create_study(definition(enqueue=({"engine.n_parallel": 3}, {"engine.kv": "q8_0"})))
    claims = [study.claim("runner", budget=9) for _ in range(4)]
    assert [claim.number for claim in claims] == [0, 1, 2, 3]
    assert [claim.phase for claim in claims] == [Phase.BASELINE] + [Phase.SEARCH] * 3
    assert claims[0].parameters == {}
    assert claims[1].parameters["engine.n_parallel"] == 3
    assert claims[2].parameters["engine.kv"] == "q8_0"
    assert {"engine.n_parallel", "engine.kv", "sampling.temperature"} <= claims[1].parameters.keys()


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ({"engine.unknown": 1}, r"enqueue\[1\]: engine.unknown"),
        ({"engine.n_parallel": 9}, r"enqueue\[1\]: engine.n_parallel = 9"),
        ({"engine.n_parallel": "3"}, r"enqueue\[1\]: engine.n_parallel = '3'"),
        ({"engine.kv": "f32"}, r"enqueue\[1\]: engine.kv = 'f32'"),
        ({"sampling.temperature": 0.3}, r"enqueue\[1\]: sampling.temperature = 0.3"),
    ],
)
def test_enqueued_outside_the_space_is_refused(storage, entry, named):
    """An entry outside the space is refused when the study is created, by its place and parameter."""
    with pytest.raises(EnqueueInvalid, match=named):
        storage.create_study(definition(enqueue=({"engine.n_parallel": 3}, entry)))
    assert storage.study_names() == ()


def test_budget_is_exact(storage):
    """Trials are claimed up to the budget, running ones counted, and never beyond."""
    study = storage.create_study(definition())
    claims = [study.claim("runner", budget=5) for _ in range(7)]
    assert [claim is None for claim in claims] == [False] * 5 + [True] * 2
    assert study.claim("runner", budget=6).number == 5


def test_failed_trials_count_and_returned_ones_do_not(storage):
    """All but returned trials use up the budget."""
    study = storage.create_study(definition())
    for kind in (OutcomeKind.FAILED, OutcomeKind.INVALID, OutcomeKind.INFEASIBLE, OutcomeKind.PRUNED):
        study.finish(study.claim("runner", budget=5), ended(kind))
    claim = study.claim("runner", budget=5)
    study.give_back(claim, "asked to stop")
    again = study.claim("runner", budget=5)
    assert (again.parameters, again.attempt, again.number) == (claim.parameters, 1, 5)
    study.finish(again, measured(again))
    assert study.claim("runner", budget=5) is None
    assert summarise(study).budget_used == 5


def test_returned_trial_comes_before_all_others(storage):
    """A returned trial is the next to be claimed, before the enqueued and the sampler's."""
    study = storage.create_study(definition(enqueue=({"engine.n_parallel": 3},)))
    study.give_back(study.claim("runner", budget=9), "asked to stop")
    assert study.claim("other", budget=9).phase is Phase.BASELINE


def test_a_repair_is_one_more_trial_of_the_budget(storage):
    """It is enqueued with the ending, once for equal repairs, and keeps whose it is when it is run again."""
    study = storage.create_study(definition())
    repair = {"engine.n_parallel": 3, "engine.kv": "f16", "sampling.temperature": 0.25}
    claims = [study.claim("runner", budget=4) for _ in range(2)]
    for claim in (*claims, claims[0]):
        study.finish(claim, ended(OutcomeKind.INFEASIBLE), repair)
    repaired = study.claim("runner", budget=4)
    assert (repaired.parameters, repaired.repaired_from) == (repair, claims[0].number)
    study.give_back(repaired, "the runner was asked to stop")
    again = study.claim("other", budget=4)
    assert (again.parameters, again.repaired_from) == (repair, claims[0].number)
    study.finish(again, measured(again))
    last = study.claim("runner", budget=4)
    assert last.repaired_from is None
    assert study.claim("runner", budget=4) is None
    assert storage.open_study("study").trials()[again.number].repaired_from == claims[0].number
    study.finish(last, ended(OutcomeKind.INFEASIBLE), repair)
    assert not [trial for trial in study.trials() if trial.state == "waiting"]


def test_fixed_values_are_kept(storage):
    """What the sampler proposes has the fixed load-time values."""
    study = storage.create_study(definition(sampler="tpe"))
    study.finish(claim := study.claim("runner", budget=40), measured(claim))
    fixed = {"engine.n_parallel": 5, "engine.kv": "q8_0"}
    for _ in range(25):
        claim = study.claim("runner", budget=40, fixed=fixed)
        assert {name: claim.parameters[name] for name in fixed} == fixed
        study.finish(claim, measured(claim))


def test_outcome_is_kept_whole(storage):
    """An outcome comes back as it was reported, by this and by a newly opened study."""
    study = storage.create_study(definition(sampler="tpe"))
    claim = study.claim("runner", budget=9)
    outcome = measured(claim)
    study.finish(claim, outcome)
    for reader in (study, storage.open_study("study")):
        (record,) = reader.trials()
        assert record.outcome == outcome
        assert (record.state, record.runner) == ("finished", "runner")
        assert 0 <= record.finished_at - record.started_at < 60


def test_finishing_again_changes_nothing(storage):
    """The same outcome may be reported twice, for the answer to the first may be lost; another is refused."""
    study = storage.create_study(definition())
    claim = study.claim("runner", budget=9)
    study.finish(claim, measured(claim))
    study.finish(claim, measured(claim))
    with pytest.raises(TrialLost, match="trial 0"):
        study.finish(claim, measured(claim, accuracy=0.9))
    with pytest.raises(TrialLost, match="trial 0"):
        study.give_back(claim, "asked to stop")
    assert len(study.trials()) == 1


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_measured_without_its_metric_is_refused(storage, value):
    """A measured outcome without a finite value of an objective is refused, and the trial still runs."""
    study = storage.create_study(definition())
    claim = study.claim("runner", budget=9)
    outcome = measured(claim)
    metrics = {} if value is None else {"accuracy": value}
    with pytest.raises(OutcomeInvalid, match=r"trial 0 .* accuracy"):
        study.finish(claim, type(outcome)(outcome.kind, outcome.configuration, metrics=metrics))
    assert study.trials()[0].state == "running"


def test_measured_finds_the_same_configuration(storage):
    """A measured configuration is found by its key; failed and repeated ones are not."""
    study = storage.create_study(definition())
    claim = study.claim("runner", budget=9)
    key = Configuration.from_flat(claim.parameters).key()
    other = storage.open_study("study")
    assert other.measured(key) is None
    study.finish(claim, measured(claim))
    assert other.measured(key).number == 0
    assert other.measured("0" * 16) is None


def test_plan_is_stored_once_and_interleaved(storage):
    """The first confirm plan stays; its repeats are claimed repeat by repeat, every second one backwards."""
    study = storage.create_study(definition())
    assert study.confirm_plan is None
    assert study.claim_confirm("runner") is None
    plan = ConfirmPlan(({}, {"engine.n_parallel": 3, "engine.kv": "f16"}), (0, 4), repeats=3)
    assert study.plan_confirm(plan) == plan
    assert storage.open_study("study").plan_confirm(ConfirmPlan(({},), (0,), 9)) == plan
    claims = [study.claim_confirm("runner") for _ in range(6)]
    assert [(claim.repeat, claim.candidate) for claim in claims] == [
        (0, 0), (0, 1), (1, 1), (1, 0), (2, 0), (2, 1),
    ]  # fmt: skip
    assert claims[1].parameters == plan.candidates[1]
    assert study.claim_confirm("runner") is None


def test_runners_share_the_starts_of_a_plan(storage):
    """What belongs to a start that another runner uses comes last; every repeat is claimed exactly once."""
    study = storage.create_study(definition())
    candidates = ({}, {"engine.n_parallel": 3, "engine.kv": "f16"})
    study.plan_confirm(ConfirmPlan(candidates, (0, 4), repeats=4, per_start=2))
    first = study.claim_confirm("one")
    second = storage.open_study("study").claim_confirm("two")
    assert [(each.candidate, each.repeat, each.start) for each in (first, second)] == [(0, 0, 0), (1, 0, 1)]
    study.finish(first, measured(first))
    third = study.claim_confirm("one")
    assert (third.candidate, third.repeat, third.start) == (0, 1, 0)
    rest = [study.claim_confirm("three") for _ in range(5)]
    assert (rest[0].candidate, rest[0].start) == (1, 2)
    claims = [first, second, third, *rest]
    assert len({(each.candidate, each.repeat) for each in claims}) == 8
    assert study.claim_confirm("three") is None


def test_a_lost_repeat_is_claimed_before_later_starts(storage):
    """A start that nobody uses any more is taken up where its runner left it."""
    study = storage.create_study(definition())
    study.plan_confirm(ConfirmPlan(({}, {"engine.n_parallel": 3}), (0, 4), repeats=4, per_start=2))
    study.give_back(study.claim_confirm("one"), "asked to stop")
    again = study.claim_confirm("two")
    assert (again.candidate, again.repeat, again.start, again.attempt) == (0, 0, 0, 1)


def test_returned_repeat_keeps_its_place(storage):
    """A repeat that was given back is claimed before later repeats."""
    study = storage.create_study(definition())
    study.plan_confirm(ConfirmPlan(({}, {"engine.n_parallel": 3}), (0, 1), repeats=2))
    study.give_back(study.claim_confirm("runner"), "asked to stop")
    again = study.claim_confirm("runner")
    assert (again.repeat, again.candidate, again.attempt) == (0, 0, 1)


def test_repeats_are_no_part_of_the_search(storage):
    """Repeats neither use the budget, nor are copied from, nor come from `claim`."""
    study = storage.create_study(definition())
    study.plan_confirm(ConfirmPlan(({}, {"engine.n_parallel": 3}), (0, 1), repeats=2))
    for _ in range(4):
        claim = study.claim_confirm("runner")
        study.finish(claim, measured(claim))
    assert study.measured(Configuration().key()) is None
    assert [study.claim("runner", budget=2).phase for _ in range(2)] == [Phase.BASELINE, Phase.SEARCH]
    assert study.claim("runner", budget=2) is None


def test_end_is_said_once(storage):
    """The first end stays, stops claims, and can be taken back."""
    study = storage.create_study(definition())
    assert study.ended is None
    study.end("GoalReached", "accuracy is 0.9")
    study.end("Other", "too late", failed=True)
    assert (study.ended.reason, study.ended.message) == ("GoalReached", "accuracy is 0.9")
    assert not study.ended.failed
    assert study.claim("runner", budget=9) is None
    study.reopen()
    assert storage.open_study("study").ended is None
    assert study.claim("runner", budget=9) is not None


def test_constraints_decide_what_is_best(storage):
    """The best keeps the constraints; an infeasible trial never is it."""
    study = storage.create_study(definition(constraints=SLO))
    for accuracy, latency in ((0.5, 300.0), (0.9, 800.0), (0.7, 400.0)):
        claim = study.claim("runner", budget=9)
        study.finish(claim, measured(claim, accuracy=accuracy, ttft_ms_p95=latency))
    study.finish(study.claim("runner", budget=9), ended(OutcomeKind.INFEASIBLE))
    assert summarise(study).best.number == 2
    assert [trial.number for trial in rank(study)] == [2, 0]


def test_several_objectives_have_a_front(storage):
    """With two objectives the summary holds the front, and one of it as best."""
    study = storage.create_study(definition(objectives=TWO_OBJECTIVES, sampler="tpe"))
    for accuracy, latency in ((0.5, 300.0), (0.9, 800.0), (0.7, 200.0), (0.4, 900.0)):
        claim = study.claim("runner", budget=20)
        study.finish(claim, measured(claim, accuracy=accuracy, ttft_ms_p95=latency))
    summary = summarise(study)
    assert [trial.number for trial in summary.pareto] == [1, 2]
    assert summary.best.number == 2


def test_parameters_lie_in_the_space(storage):
    """Every proposed parameter is active and in its dimension."""
    study = storage.create_study(definition())
    names = MIXED_SPACE.names()
    for _ in range(20):
        parameters = study.claim("runner", budget=21).parameters
        assert set(parameters) <= set(names)
        if parameters:
            assert ("sampling.top_p" in parameters) == (parameters["sampling.temperature"] > 0.5)
