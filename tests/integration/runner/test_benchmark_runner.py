"""The runner program on benchmarks: several servers compared, failing candidates, kills, resumption."""

import signal

from fakes.graded_answers import ANSWERS
from fakes.openai_server import FakeOptions, FakeServer
from fakes.runner_folders import PATIENCE_SECONDS

from llmopt_core.analysis.comparison import compare_candidates
from llmopt_core.analysis.summary import summarise
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind
from llmopt_runner.datasets.arithmetic import arithmetic

# Right with probability 0.95 - 0.7 x temperature, so a candidate without temperature is the best.
COLD = {"name": "cold", "parameters": {"sampling.temperature": "0"}}
GONE = {"name": "gone", "model": {"source": "file:///no/such.gguf"}, "engine": {"name": "llamacpp"}}


def endpoint(url):
    return {"name": "openai", "endpoint": {"url": url, "model": "fake-model"}}


def manifest(url, *candidates, repeats=3, metric="accuracy", samples=24, budget=None, **spec):
    """Return a benchmark of `candidates` and the default, which share the endpoint at `url`."""
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMBenchmark",
        "metadata": {"name": "study"},
        "spec": {
            "model": {"source": "hf://nobody/fake-model"},
            "engine": endpoint(url),
            "workload": {
                "dataset": {"name": "arithmetic", "samples": samples},
                "load": {"concurrency": 4, "warmupRequests": 1},
                "maxTokens": 16,
            },
            "candidates": [{"name": "default"}, *candidates],
            "repeats": repeats,
            "objective": {"metric": metric},
            "budget": budget or {},
            **spec,
        },
    }


def finding(folder):
    with folder.study() as study:
        return compare_candidates(study), study.ended, study.trials()


def running(trials):
    return any(trial.state == "running" and trial.repeat for trial in trials)


def test_a_benchmark_measures_its_candidates_in_turn_and_finds_the_winner(folder, server):
    """Greedy answers are right more often: the repeats are interleaved, and the difference is significant."""
    folder.write(manifest(server.base_url, COLD, metrics=["output_tokens_per_second"]))
    assert folder.run() == RunnerExit.DONE, folder.log()
    found, ended, trials = finding(folder)
    assert ended.reason == "TrialsExhausted"
    assert found.winner == "cold"
    assert found.candidate("cold").against_baseline["accuracy"].better
    assert set(found.candidate("default").metrics) == {"accuracy", "output_tokens_per_second"}
    order = [(r, c) for r in range(3) for c in ((1, 0) if r % 2 else (0, 1))]
    assert [(trial.repeat, trial.candidate) for trial in trials] == order


def test_every_repeat_asks_the_same_held_out_items(folder, server):
    """All candidates and repeats are asked one set of items, and none that a search would have seen."""
    before = len(server.truth())
    folder.write(manifest(server.base_url, COLD, repeats=2))
    assert folder.run() == RunnerExit.DONE, folder.log()
    _, _, trials = finding(folder)
    asked = {frozenset(trial.outcome.samples) for trial in trials}
    assert len(asked) == 1
    split = arithmetic().split(24, 24, 0)
    assert asked == {frozenset(item.id for item in split.held_out)}
    seeds = [truth.fields["seed"] for truth in server.truth()[before:] if "seed" in truth.fields]
    assert len(set(seeds)) == len(seeds) > 0


def test_one_runner_serves_candidates_of_different_servers(folder, server):
    """A candidate with an endpoint of its own is measured there, the others on the shared one."""
    with FakeServer(FakeOptions(answers=ANSWERS, ttft_ms=40.0, gap_ms=10.0, tokens=3)) as slow:
        folder.write(
            manifest(
                server.base_url,
                {"name": "slow", "engine": endpoint(slow.base_url)},
                metric="ttft_ms_p50",
                samples=8,
            )
        )
        assert folder.run() == RunnerExit.DONE, folder.log()
        asked = len(slow.truth())
    found, _, _ = finding(folder)
    assert asked >= 3 * (8 + 1)
    assert found.winner == "default"
    assert found.candidate("slow").against_baseline["ttft_ms_p50"].relative > 1


def test_a_candidate_whose_model_is_missing_fails_alone(folder, server):
    """Its repeats fail with its class, without a start; the others are compared, and the end says which."""
    folder.write(manifest(server.base_url, COLD, GONE))
    assert folder.run() == RunnerExit.DONE, folder.log()
    found, ended, trials = finding(folder)
    assert not ended.failed
    assert (
        "gone could not be measured: ModelNotFound: spec.model.source: file:///no/such.gguf" in ended.message
    )
    assert found.winner == "cold"
    assert found.verdict.endswith("not measured: gone (ModelNotFound)")
    assert {trial.outcome.kind for trial in trials if trial.candidate == 2} == {OutcomeKind.FAILED}
    with folder.study() as study:
        assert [(error.error_class, error.count) for error in summarise(study).errors] == [
            ("ModelNotFound", 3)
        ]


def test_without_its_baseline_nothing_is_compared(folder, server):
    """The benchmark ends at once as failed with the baseline's class: the others' repeats would be wasted."""
    folder.write(manifest(server.base_url, COLD, GONE, baseline="gone", repeats=5))
    assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    found, ended, _ = finding(folder)
    assert ended.reason == "ModelNotFound"
    assert "the baseline gone cannot be measured, so nothing can be compared" in ended.message
    assert found.winner is None
    assert found.measured < 5


def test_without_any_rival_nothing_is_compared(folder, server):
    """When every candidate but the baseline is lost there is nothing to go on for."""
    folder.write(manifest(server.base_url, GONE, repeats=5))
    assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    _, ended, _ = finding(folder)
    assert "no candidate is left to compare with default" in ended.message


def test_a_candidate_that_was_fixed_is_measured_by_the_same_command(folder, server, tmp_path):
    """A model that appears is measured; what was measured before is kept."""
    late = {**GONE, "model": {"source": f"file://{tmp_path}/late.gguf"}, "engine": endpoint(server.base_url)}
    folder.write(manifest(server.base_url, COLD, late))
    assert folder.run() == RunnerExit.DONE, folder.log()
    (tmp_path / "late.gguf").touch()
    assert folder.go_on() == RunnerExit.DONE, folder.log()
    found, ended, trials = finding(folder)
    assert [each.repeats for each in found.candidates] == [3, 3, 3]
    assert ended.message == "all 9 repeats are done"
    assert sum(trial.outcome.kind is OutcomeKind.MEASURED for trial in trials) == 9


def test_what_the_engine_refuses_is_reported_once_per_repeat_without_a_start(folder, server):
    """A combination that llama.cpp never takes makes its candidate infeasible, not the benchmark failed."""
    refused = {
        "name": "refused",
        "model": {"source": f"file://{folder.path}/manifest.yaml"},
        "engine": {"name": "llamacpp", "args": {"flash_attn": "off", "cache_type_v": "q8_0"}},
    }
    folder.write(manifest(server.base_url, COLD, refused, memoryGuard={"predict": False}))
    assert folder.run() == RunnerExit.DONE, folder.log()
    found, _, trials = finding(folder)
    assert {trial.outcome.kind for trial in trials if trial.candidate == 2} == {OutcomeKind.INFEASIBLE}
    assert found.candidate("refused").failure.error_class == "InvalidConfiguration"


def test_a_killed_runner_loses_no_repeat(folder, server):
    """SIGKILL in the middle of a repeat: its replacement runs that one again, and each is measured once."""
    folder.write(manifest(server.base_url, COLD))
    runner = folder.start()
    folder.until(running)
    runner.send_signal(signal.SIGKILL)
    runner.wait(PATIENCE_SECONDS)
    assert folder.run() == RunnerExit.DONE, folder.log()
    found, _, _ = finding(folder)
    assert [each.repeats for each in found.candidates] == [3, 3]


def test_sigterm_gives_the_repeat_back_and_the_same_command_resumes(folder, server):
    """A runner that is asked to stop leaves nothing running; the rest is measured later."""
    folder.write(manifest(server.base_url, COLD))
    runner = folder.start()
    folder.until(running)
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(PATIENCE_SECONDS) == RunnerExit.INTERRUPTED, folder.log()
    found, ended, trials = finding(folder)
    assert ended is None
    assert not found.decided
    assert not any(trial.state == "running" for trial in trials)
    assert folder.run() == RunnerExit.DONE, folder.log()
    assert finding(folder)[0].measured == 6


def test_several_runners_share_the_repeats(folder, server):
    """Three runners measure each repeat of each candidate exactly once."""
    folder.write(manifest(server.base_url, COLD, repeats=4))
    runners = [folder.start(index) for index in range(3)]
    assert [runner.wait(PATIENCE_SECONDS) for runner in runners] == [RunnerExit.DONE] * 3, folder.log()
    found, _, trials = finding(folder)
    assert found.measured == len(trials) == 8


def test_the_duration_ends_a_benchmark_gracefully(folder):
    """A budget of a second is spent after a repeat or two, which is said; a longer one goes on from there."""
    with FakeServer(FakeOptions(answers=ANSWERS, ttft_ms=300.0, gap_ms=1.0, tokens=3)) as slow:
        folder.write(manifest(slow.base_url, COLD, budget={"duration": "1s"}, samples=16))
        assert folder.run() == RunnerExit.DONE, folder.log()
        found, ended, _ = finding(folder)
        assert ended.reason == "DeadlineExceeded"
        assert "of 6 repeats" in ended.message
        assert found.measured < 6
        folder.write(manifest(slow.base_url, COLD, budget={"duration": "10m"}, samples=16))
        assert folder.go_on() == RunnerExit.DONE, folder.log()
    assert finding(folder)[0].measured == 6


def test_a_server_whose_every_answer_is_an_error_is_lost(folder, server):
    """Its candidate fails as one whose server is not there; with nobody left to compare, that is the end."""
    with FakeServer(FakeOptions(faults={"*": "status=500"})) as broken:
        bad = {"name": "bad", "engine": endpoint(broken.base_url)}
        folder.write(manifest(server.base_url, bad, repeats=5, budget={"maxFailedTrials": 2}))
        assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    found, ended, _ = finding(folder)
    assert ended.reason == "EndpointUnreachable"
    assert "no candidate is left to compare with" in ended.message
    assert found.candidate("bad").failure.error_class == "EndpointUnreachable"


def test_a_measurement_that_takes_too_long_is_given_up(folder, server):
    """trialTimeout holds for each repeat; a candidate that never kept it is not asked again and again."""
    with FakeServer(FakeOptions(ttft_ms=60_000.0)) as stuck:
        slow = {"name": "stuck", "engine": endpoint(stuck.base_url)}
        document = manifest(server.base_url, COLD, slow, budget={"trialTimeout": "2s"}, samples=4)
        document["spec"]["workload"]["load"]["warmupRequests"] = 0
        document["spec"]["engine"]["startTimeout"] = "2s"
        slow["engine"]["startTimeout"] = "2s"
        folder.write(document)
        assert folder.run() == RunnerExit.DONE, folder.log()
    found, _, _ = finding(folder)
    assert found.candidate("stuck").repeats == 0
    assert found.candidate("stuck").failure is not None
    assert found.candidate("cold").repeats == 3


def test_a_broken_data_set_ends_the_benchmark_before_its_first_repeat(folder, server):
    """What all candidates share is no candidate's failure."""
    document = manifest(server.base_url, COLD, samples=4)
    document["spec"]["workload"]["dataset"] = {"path": "/no/such.jsonl", "samples": 4}
    folder.write(document)
    assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    _, ended, trials = finding(folder)
    assert ended.reason == "DatasetInvalid"
    assert {trial.state for trial in trials} == {"waiting"}


def test_a_candidate_that_wants_more_examples_than_there_are_fails_alone(folder, server, tmp_path):
    """Few-shot examples are a candidate's own claim_request: the others are measured without it."""
    lines = [f'{{"question": "What is {n} + 1?", "answer": "{n + 1}"}}' for n in range(10)]
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    greedy = {"name": "greedy", "parameters": {"prompt.few_shot": 9}}
    document = manifest(server.base_url, COLD, greedy, samples=4)
    document["spec"]["workload"]["dataset"] = {"path": str(tmp_path / "items.jsonl"), "samples": 4}
    document["spec"]["workload"]["evaluator"] = {"name": "numeric"}
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    found, _, _ = finding(folder)
    assert found.candidate("greedy").failure.error_class == "InvalidConfiguration"
    assert "asks for 9 examples" in found.candidate("greedy").failure.message
    assert found.candidate("cold").repeats == 3
