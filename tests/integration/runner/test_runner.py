"""The runner program as a whole, on a fake server of known accuracy: killed, stopped, resumed, failing."""

import re
from dataclasses import replace

import pytest
from fakes.endpoint_manifests import manifest
from fakes.graded_answers import ANSWERS, OPTIONS, counted
from fakes.openai_server import FakeOptions, FakeServer
from fakes.runner_folders import PATIENCE_SECONDS

from llmopt_core.analysis.confirmation import confirmation
from llmopt_core.analysis.summary import summarise
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.results.reading import search_result
from llmopt_core.storage.keys import MESSAGES_FACT
from llmopt_core.storage.records import OutcomeKind, Phase


def test_a_study_ends_with_its_budget_a_winner_and_a_proof(folder, server):
    """Eight trials, the default first; the winner is greedier than the default, and the repeats prove it."""
    folder.write(manifest(server.base_url, samples=40, confirm={"top": 1, "repeats": 3}))
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        trials = counted(study)
        summary = summarise(study)
        proof = confirmation(study)
        assert study.ended.reason == "TrialsExhausted"
    assert len(trials) == 8
    assert trials[0].phase is Phase.BASELINE
    assert summary.baseline.outcome.configuration.sampling["temperature"] == 1.0
    assert summary.best.outcome.configuration.sampling["temperature"] < 1.0
    assert proof.significant
    assert proof.winner.effects[0].better


def test_answers_and_questions_are_stored_with_the_study(folder, server):
    """Of each measured trial, with the score of each item, in the order in which all trials ask them."""
    folder.write(manifest(server.base_url, trials=2, samples=12, confirm={"top": 1, "repeats": 2}))
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        questions, trials = study.answers.questions(), study.trials()
        stored = {trial.number: study.answers.of(trial.number) for trial in trials}
    for trial in trials:
        assert {each.item: each.score for each in stored[trial.number]} == dict(trial.outcome.samples)
    assert [each.item for each in stored[0]] == [each.item for each in stored[1]]
    right = next(each for each in stored[0] if each.score)
    question = questions[right.item]
    assert right.text == question.expected == ANSWERS[question.text]
    assert len(questions) == 24


def test_tokens_have_a_price(folder, server):
    """With an hourly price a trial says what a million tokens cost, by its own speed."""
    document = manifest(server.base_url, trials=2, objectives=("cost_per_million_tokens",))
    document["spec"]["workload"]["hourlyPrice"] = "3.60"
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        metrics = counted(study)[0].outcome.metrics
    per_second = metrics["output_tokens_per_second"]
    assert metrics["cost_per_million_tokens"] == pytest.approx(3.60 / 3600 / per_second * 1e6)


def test_good_answers_have_a_rate_and_a_price(folder, server):
    """The rate is the accuracy times the answers per second; with an hourly price a thousand of them cost."""
    document = manifest(
        server.base_url, trials=2, objectives=("good_answers_per_second", "cost_per_thousand_good_answers")
    )
    document["spec"]["workload"]["hourlyPrice"] = "3.60"
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        metrics = counted(study)[0].outcome.metrics
    rate = metrics["good_answers_per_second"]
    assert rate == pytest.approx(metrics["accuracy"] * metrics["requests_per_second"])
    assert metrics["cost_per_thousand_good_answers"] == pytest.approx(1 / rate)
    assert "good_answers_per_second_per_gpu" not in metrics


@pytest.mark.parametrize(
    ("objective", "kind", "message"),
    [
        ("good_answers_per_second", OutcomeKind.MEASURED, None),
        ("cost_per_thousand_good_answers", OutcomeKind.INFEASIBLE, "none of 24 answers was good"),
    ],
)
def test_without_a_good_answer_the_rate_is_zero_and_the_cost_is_not_defined(folder, objective, kind, message):
    """Each configuration is measured once: nothing is tried again, and no cost is made up."""
    with FakeServer(replace(OPTIONS, right_probability=0.0)) as hopeless:
        document = manifest(hopeless.base_url, trials=2, objectives=(objective,))
        document["spec"]["workload"]["hourlyPrice"] = "1"
        folder.write(document)
        assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        ended = [trial.outcome for trial in counted(study)]
    assert [each.kind for each in ended] == [kind] * 2
    assert all(each.metrics["good_answers_per_second"] == 0 for each in ended)
    if message:
        assert all(each.failure.error_class is ErrorClass.NO_GOOD_ANSWERS for each in ended)
        assert message in ended[0].failure.message


NEARLY_AS_GOOD = {"metric": "accuracy", "min": "-0.1", "relativeTo": "baseline"}


def test_a_constraint_is_held_to_what_the_baseline_measured(folder, server):
    """The best is more often right than the baseline by what the manifest asks for, also in the repeats."""
    bound = {**NEARLY_AS_GOOD, "min": "0.2"}
    document = manifest(
        server.base_url, objectives=("e2e_ms_mean",), constraints=[bound], confirm={"top": 1, "repeats": 2}
    )
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        trials, result = counted(study), search_result(study, folder.spec)
    baseline = trials[0].outcome.metrics["accuracy"]
    best = next(trial for trial in trials if trial.number == result.trial)
    assert best.outcome.metrics["accuracy"] >= baseline + 0.2
    (standing,) = result.constraints
    assert standing.constraint == "accuracy >= baseline + 0.2"
    assert standing.kept
    assert standing.bound == pytest.approx(result.effects[1].baseline + 0.2)


def test_a_constraint_without_a_baseline_is_said_not_to_have_been_applied(folder):
    """The server fails all requests of the baseline and of its second try: the study goes on without it."""
    # Before the 24 questions of each try come one to see that the server is ready, and one warm-up; before
    # the first also four that are asked twice, to see whether it keeps prompts.
    failing = {str(number): "status=500" for number in (*range(11, 35), *range(37, 61))}
    with FakeServer(replace(OPTIONS, faults=failing)) as shaky:
        folder.write(manifest(shaky.base_url, trials=4, constraints=[NEARLY_AS_GOOD]))
        assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        result = search_result(study, folder.spec)
    assert result.default_failure is not None
    assert result.trial is not None
    assert "was not applied: the baseline was not measured" in result.warnings[0].last_message


def fixed_length(url, **changes):
    """Return a benchmark of one configuration whose answers shall all have 12 tokens."""
    document = manifest(url)
    workload = {**document["spec"]["workload"], "outputTokens": 12}
    shared = {name: document["spec"][name] for name in ("model", "engine")}
    spec = {"candidates": [{"name": "only"}], "repeats": 2, "objective": {"metric": "tpot_ms_mean"}}
    return {**document, "kind": "LLMBenchmark", "spec": {**shared, "workload": workload, **spec, **changes}}


def test_answers_are_fixed_to_one_length_and_not_scored(folder, server):
    """Each answer has the length that the manifest says, and there is no figure of quality."""
    before = len(server.truth())
    folder.write(fixed_length(server.base_url))
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        outcomes = [trial.outcome for trial in study.trials()]
    assert [each.kind for each in outcomes] == [OutcomeKind.MEASURED] * 2
    assert {truth.output_tokens for truth in server.truth()[before + 1 :]} == {12}
    for each in outcomes:
        assert each.samples == {}
        assert not {"accuracy", "good_answers_per_second"} & each.metrics.keys()
        per_answer = each.metrics["output_tokens_per_second"] / each.metrics["requests_per_second"]
        assert per_answer == pytest.approx(12)


def test_a_server_that_ends_answers_itself_is_not_measured(folder):
    """An endpoint that ignores both fields gives answers of three tokens: one measurement shows it."""
    with FakeServer(replace(OPTIONS, fixes_length=False)) as stubborn:
        folder.write(fixed_length(stubborn.base_url))
        folder.run()
    with folder.study() as study:
        outcomes = [trial.outcome for trial in study.trials() if trial.outcome is not None]
    assert {each.kind for each in outcomes} == {OutcomeKind.INFEASIBLE}
    assert "another length than workload asks for (12)" in outcomes[0].failure.message


def test_no_configuration_is_measured_twice(folder, server):
    """With three configurations and eight trials, the others are copies that sent no request."""
    choices = [0, "0.5"]
    search = {
        "space": {"sampling": [{"name": "temperature", "categorical": {"choices": choices}}]},
        "sampler": {"name": "random"},
        "pruner": {"name": "none"},
        "enqueue": [{"sampling.temperature": choice} for choice in choices],
    }
    folder.write(manifest(server.base_url, search=search))
    before = len(server.truth())
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        kinds = [trial.outcome.kind for trial in counted(study)]
    assert kinds.count(OutcomeKind.MEASURED) == 3
    assert kinds.count(OutcomeKind.COPIED) == 5
    # Each of the three: 24 items and one warm-up; the readiness check and eight repeated prompts come once.
    assert len(server.truth()) - before == 3 * 25 + 1 + 8


def test_more_enqueued_configurations_than_the_budget_do_not_keep_a_study_alive(folder, server):
    """What waits beyond the budget is never tried: the study ends, and says how many were left out."""
    document = manifest(server.base_url, trials=2)
    document["spec"]["search"]["enqueue"] = [{"sampling.temperature": f"0.{n}"} for n in range(1, 5)]
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert len([t for t in study.trials() if t.state == "finished"]) == 2
        assert study.ended.reason == "TrialsExhausted"
        assert "3 given configurations were not tried" in study.ended.message


def test_three_runners_share_one_budget(folder, server):
    """Runners beside each other run exactly the budget, and one default."""
    folder.write(manifest(server.base_url, trials=10, confirm={"top": 1, "repeats": 2}))
    runners = [folder.start(index) for index in range(3)]
    assert [runner.wait(PATIENCE_SECONDS) for runner in runners] == [RunnerExit.DONE] * 3, folder.log()
    with folder.study() as study:
        trials = counted(study)
        confirmed = [trial for trial in study.trials() if trial.phase is Phase.CONFIRM]
    assert len(trials) == 10
    assert [trial.phase for trial in trials].count(Phase.BASELINE) == 1
    assert len(confirmed) == 4


def test_a_server_that_never_answers_a_request_ends_the_study_at_once(folder):
    """A server whose every answer is an error is no server of a model: no trial is lost to it."""
    with FakeServer(FakeOptions(faults={"*": "status=500"})) as broken:
        folder.write(manifest(broken.base_url, trials=50, budget={"maxFailedTrials": 2}))
        assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    with folder.study() as study:
        assert study.ended.reason == "EndpointUnreachable"
        assert "/v1/chat/completions answered 500" in study.ended.message
        assert summarise(study).best is None


def test_failed_requests_above_the_tolerance_invalidate_their_trials_and_not_the_study(folder):
    """Every twelfth request fails: each trial is invalid and says what to raise, and the study goes on."""
    faults = {str(number): "status=500" for number in range(12, 2000, 12)}
    with FakeServer(replace(OPTIONS, faults=faults)) as flaky:
        folder.write(manifest(flaky.base_url, trials=4, budget={"maxFailedTrials": 2}))
        folder.run()
    with folder.study() as study:
        assert study.ended.reason == "TrialsExhausted"
        outcomes = [trial.outcome for trial in counted(study)]
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.INVALID] * 4
    assert "workload.tolerateFailedRequests is 0.01" in outcomes[0].failure.message
    assert outcomes[0].metrics["failed_requests_ratio"] == pytest.approx(2 / 24)


def test_failed_requests_can_be_tolerated_and_bounded(folder):
    """With a higher tolerance the share of failed requests is a metric, and can be a constraint."""
    faults = {str(number): "status=500" for number in range(12, 2000, 12)}
    with FakeServer(replace(OPTIONS, faults=faults)) as flaky:
        bound = [{"metric": "failed_requests_ratio", "max": "0.05"}]
        document = manifest(flaky.base_url, trials=3, constraints=bound)
        document["spec"]["workload"]["tolerateFailedRequests"] = "0.2"
        folder.write(document)
        assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        outcomes = [trial.outcome for trial in counted(study)]
        assert summarise(study).best is None
    assert {outcome.kind for outcome in outcomes} <= {OutcomeKind.MEASURED, OutcomeKind.COPIED}
    assert outcomes[0].metrics["failed_requests_ratio"] == pytest.approx(2 / 24)
    assert any("requests failed; the most common error: HTTP 500" in text for text in outcomes[0].warnings)


def test_an_endpoint_that_is_not_there_is_said_so(folder):
    """Nothing listens: the study fails with the endpoint's address in its errors."""
    folder.write(manifest("http://127.0.0.1:9", trials=5, budget={"maxFailedTrials": 1}))
    assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    with folder.study() as study:
        error = summarise(study).errors[0]
    assert "http://127.0.0.1:9" in error.last.message


def test_the_target_ends_the_search(folder, server):
    """A study that only wants 10 % accuracy is done after its first trial."""
    target = {"target": {"metric": "accuracy", "value": "0.1"}}
    folder.write(manifest(server.base_url, trials=50, budget=target))
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert study.ended.reason == "GoalReached"
        assert len(counted(study)) == 1


def test_a_broken_data_set_ends_the_study_before_the_first_trial(folder, server):
    """A bad line costs no trial; its file and number are in the ending; fixed, the same command goes on."""
    data = folder.path / "items.jsonl"
    data.write_text('{"question": "What is 1 + 1?", "answer": "2"}\nnot json\n')
    document = manifest(server.base_url, trials=2, samples=4)
    document["spec"]["workload"]["dataset"] = {"path": str(data), "samples": 4}
    folder.write(document)
    assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    with folder.study() as study:
        assert study.ended.reason == "DatasetInvalid"
        assert "items.jsonl:2" in study.ended.message
    lines = [f'{{"question": "What is {n} + 1?", "answer": "{n + 1}"}}' for n in range(12)]
    data.write_text("\n".join(lines))
    assert folder.go_on() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert len(counted(study)) == 2


def test_cached_prompts_invalidate_a_measurement(folder):
    """A server that answers every prompt from its cache was asked them before: no value of it is used."""
    with FakeServer(FakeOptions(answers=ANSWERS, cached_tokens=10_000)) as cached:
        folder.write(manifest(cached.base_url, trials=3, budget={"maxFailedTrials": 2}))
        folder.run()
    with folder.study() as study:
        kinds = {trial.outcome.kind for trial in counted(study)}
        assert kinds == {OutcomeKind.INVALID}
        assert "contamination" in summarise(study).errors[0].last.message


def test_a_configuration_with_more_examples_than_there_are_is_infeasible(folder, server):
    """A search that goes beyond the examples of a small data set learns where they end, and goes on."""
    data = folder.path / "items.jsonl"
    data.write_text("\n".join(f'{{"question": "What is {n} + 1?", "answer": "{n + 1}"}}' for n in range(10)))
    space = {"prompt": [{"name": "few_shot", "categorical": {"choices": [1, 9]}}]}
    search = {"space": space, "pruner": {"name": "none"}, "sampler": {"name": "grid"}}
    document = manifest(server.base_url, trials=3, samples=4, search=search)
    document["spec"]["workload"]["dataset"] = {"path": str(data), "samples": 4}
    document["spec"]["workload"]["evaluator"] = {"name": "numeric"}
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        outcomes = {trial.parameters.get("prompt.few_shot"): trial.outcome for trial in counted(study)}
    kinds = {examples: ended.kind for examples, ended in outcomes.items()}
    assert kinds == {None: OutcomeKind.MEASURED, 1: OutcomeKind.MEASURED, 9: OutcomeKind.INFEASIBLE}
    assert outcomes[9].failure.of_requests
    example, answer, asked = outcomes[1].facts[MESSAGES_FACT]
    assert (example["role"], answer["role"], asked) == (
        "user", "assistant", {"role": "user", "content": "{question}"},
    )  # fmt: skip
    assert int(answer["content"]) == int(re.search(r"\d+", example["content"])[0]) + 1
    assert MESSAGES_FACT not in outcomes[None].facts


def test_a_baseline_that_is_never_right_is_warned_of(folder):
    """Where the default scores 0 on every item, its own trial says so, before the search goes on."""
    with FakeServer(replace(OPTIONS, right_probability=0.0, right_loss_per_temperature=0.0)) as never:
        folder.write(manifest(never.base_url, trials=2, samples=8))
        assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        first, *others = counted(study)
    assert any("the baseline scored 0 on all 8 items" in text for text in first.outcome.warnings)
    assert not any("baseline scored" in text for trial in others for text in trial.outcome.warnings)


def test_a_scoring_service_that_fails_fails_the_trial(folder, server):
    """A judge or a user's function that cannot be reached gives no score, and none is made up."""
    document = manifest(server.base_url, trials=4, budget={"maxFailedTrials": 1}, objectives=("score",))
    scoring = {"name": "endpoint", "endpoint": {"url": "http://127.0.0.1:9/score"}}
    document["spec"]["workload"]["evaluator"] = scoring
    folder.write(document)
    assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    with folder.study() as study:
        assert summarise(study).best is None
        assert "127.0.0.1:9" in summarise(study).errors[0].last.message


def test_a_grid_smaller_than_the_budget_ends_with_its_space(folder, server):
    """Three temperatures and a budget of fifty: each is measured, and it is said that there are no more."""
    space = {"sampling": [{"name": "temperature", "categorical": {"choices": [0, "0.3", "0.6"]}}]}
    search = {"space": space, "pruner": {"name": "none"}, "sampler": {"name": "grid"}}
    folder.write(manifest(server.base_url, trials=50, search=search))
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert study.ended.reason == "TrialsExhausted"
        assert "configurations of the space" in study.ended.message
        assert len(counted(study)) == 4


def test_a_manifest_with_a_fault_is_refused(folder, server):
    """The runner names the field and ends with its reserved code; no study is made."""
    folder.write(manifest(server.base_url, trials=0))
    assert folder.run() == RunnerExit.INVALID, folder.log()
    assert "spec.budget.trials" in folder.log()
    assert not (folder.path / "study.db").exists()
