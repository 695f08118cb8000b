"""Benchmarks run by the command, with the real study and real processes; only measurements are made up."""

import json
import signal

import psutil
import pytest
from fakes.local_runs import (
    FAST,
    Listener,
    benchmark_document,
    benchmark_manifest,
    commands,
    document,
    manifest,
    run_options,
    stub_command,
    until_printed,
)
from typer.testing import CliRunner

import llmopt
from llmopt.api import BenchmarkFailed
from llmopt.commands.run import local_study, run_text
from llmopt.local.folders import ResultsFolder
from llmopt.local.runs import RunSettings, find
from llmopt.local.sessions import Stop
from llmopt.main import app
from llmopt.manifests import OptionInvalid
from llmopt_core.api.exit_codes import Exit
from llmopt_core.results.progress import stage_of
from llmopt_core.sampling.others import ReferenceInvalid
from llmopt_core.storage.storages import open_storage


def run(tmp_path, *stub, text=None, **options):
    return run_text(text or benchmark_manifest(), "b.yaml", run_options(tmp_path, *stub, **options))


def best(tmp_path, name="small"):
    return json.loads((tmp_path / name / "best.json").read_text())


def trials_of(tmp_path, name="small"):
    with open_storage(ResultsFolder(tmp_path / name).storage_url()) as storage:
        return storage.open_study(name).trials()


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_benchmark_measures_its_candidates_and_says_which_one_wins(tmp_path, capsys):
    """The table has every candidate and metric, best.json the winner and how to serve it."""
    assert run(tmp_path) == Exit.FINISHED
    printed = capsys.readouterr().out
    assert "cold wins: accuracy +0." in printed
    assert "output_tokens_per_second (tokens/s, higher is better)" in printed
    assert "Parameters of cold:" in printed
    assert "Serve it: llama-server --model " in printed
    written = best(tmp_path)
    assert written["winner"] == "cold"
    assert written["parameters"]["sampling"] == {"temperature": 0.0}
    assert written["serve_command"].startswith("llama-server")
    assert [candidate["repeats"] for candidate in written["candidates"]] == [3, 3, 3]
    cold = written["candidates"][2]["against_baseline"]["accuracy"]
    assert cold["verdict"] == "better"
    assert 0 < cold["absolute_interval"]["low"] <= cold["absolute"] <= cold["absolute_interval"]["high"]


def test_no_difference_is_said_so(tmp_path, capsys):
    """Candidates that answer alike have no winner, and nothing to serve."""
    assert run(tmp_path, "--gain", "0") == Exit.FINISHED
    assert "No significant difference in accuracy" in capsys.readouterr().out
    assert best(tmp_path)["winner"] is None
    assert best(tmp_path)["serve_command"] is None


def test_a_finished_benchmark_is_shown_again_without_a_runner(tmp_path, capsys):
    """The same command prints the result of what was measured, and starts nothing."""
    run(tmp_path)
    log = tmp_path / "small" / "logs" / "runner-0.log"
    before = log.read_bytes(), len(trials_of(tmp_path))
    assert run(tmp_path) == Exit.FINISHED
    assert (log.read_bytes(), len(trials_of(tmp_path))) == before
    assert capsys.readouterr().out.count("cold wins") == 2


def test_a_candidate_that_cannot_be_measured_is_named_and_tried_again(tmp_path, capsys):
    """It is in the table, with its failure and what to do; fixed, the same command measures it alone."""
    assert run(tmp_path, "--lose", "warm") == Exit.FINISHED
    printed = capsys.readouterr().out
    assert "not measured: warm (ModelNotFound)" in printed
    assert "warm: 0 of 3 repeats measured: ModelNotFound: no such model <b>x</b>" in printed
    assert "-> name one that exists" in printed
    assert run(tmp_path) == Exit.FINISHED
    assert [candidate["repeats"] for candidate in best(tmp_path)["candidates"]] == [3, 3, 3]
    assert len(trials_of(tmp_path)) == 9 + 3


def test_more_repeats_go_on_where_it_ended(tmp_path):
    """Repeats may be raised: only the missing ones are measured."""
    run(tmp_path)
    assert run(tmp_path, text=benchmark_manifest(repeats=5)) == Exit.FINISHED
    assert [candidate["repeats"] for candidate in best(tmp_path)["candidates"]] == [5, 5, 5]
    assert len(trials_of(tmp_path)) == 15


def test_another_confidence_needs_no_new_measurement(tmp_path):
    """What was measured is judged anew."""
    run(tmp_path)
    wide = best(tmp_path)["candidates"][2]["against_baseline"]["output_tokens_per_second"][
        "relative_interval"
    ]
    assert run(tmp_path, text=benchmark_manifest(confidencePercent=60)) == Exit.FINISHED
    narrow = best(tmp_path)["candidates"][2]["against_baseline"]["output_tokens_per_second"][
        "relative_interval"
    ]
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]
    assert len(trials_of(tmp_path)) == 9


def test_a_changed_benchmark_is_refused_and_fresh_starts_over(tmp_path, capsys):
    """What differs is named, another kind too."""
    run(tmp_path)
    changed = benchmark_manifest(max_tokens=64)
    assert run(tmp_path, text=changed) == Exit.INVALID
    assert "spec.workload.maxTokens: 256 -> 64" in capsys.readouterr().err
    assert run(tmp_path, text=manifest()) == Exit.INVALID
    assert "kind: LLMBenchmark -> LLMOptimization" in capsys.readouterr().err
    assert run(tmp_path, text=changed, fresh=True) == Exit.FINISHED


def test_list_status_report_and_clean_know_benchmarks(tmp_path):
    """A benchmark's folder is a study like any other."""
    run(tmp_path, "--lose", "warm")
    listed = call("list", "--results", tmp_path)
    assert "TrialsExhausted" in listed.output
    assert "cold" in listed.output
    status = call("status", "--results", tmp_path)
    assert "1 finished" in " ".join(status.output.split())  # the folder's name may wrap the line
    errors = json.loads(call("list", "--type", "errors", "--json", "--results", tmp_path).output)
    assert (errors["trials"], errors["errors"][0]["count"]) == (9, 3)
    output = tmp_path / "again.html"
    report = call("report", "small", "--results", tmp_path, "--output", output)
    assert report.exit_code == Exit.FINISHED, report.output
    assert "cold wins" in output.read_text()
    assert call("clean", "--yes", "--results", tmp_path).exit_code == Exit.FINISHED
    assert not (tmp_path / "small").exists()


def test_progress_says_candidate_repeat_and_time(tmp_path):
    """A user who watches sees which candidate is measured for which time, and how long the rest will take."""
    listener = Listener()
    local = local_study(benchmark_manifest(), "test", run_options(tmp_path))
    find(local, RunSettings(None, stub_command("--trial-seconds", "0.3"), FAST), Stop(), listener.audience)
    seen = {runner.repeat for status in listener.progress for runner in status.runners}
    assert {"default (repeat 1 of 3)", "cold (repeat 3 of 3)"} <= seen
    last = listener.progress[-1]
    assert stage_of(last) == "ended"
    assert (last.progress.finished, last.progress.budget) == (9, 9)
    assert any(status.progress.eta_seconds for status in listener.progress)


@pytest.fixture
def command(tmp_path):
    """Start the command on the benchmark; its results are in the folder `results`."""
    with commands(tmp_path / "results") as start:
        yield lambda *stub: start(benchmark_manifest(), *stub)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_benchmark_goes_on(tmp_path, command, signal_number):
    """Ctrl-C, or SIGKILL of command and runner: the same command measures what is missing, nothing twice."""
    process = command("--trial-seconds", "30")
    until_printed(process, "measuring")
    if signal_number == signal.SIGKILL:
        for child in psutil.Process(process.pid).children():
            child.kill()
    process.send_signal(signal_number)
    process.communicate(timeout=30)
    assert process.returncode == (Exit.INTERRUPTED if signal_number == signal.SIGINT else -signal.SIGKILL)
    again = command()
    output, _ = again.communicate(timeout=120)
    assert again.returncode == Exit.FINISHED, output
    kinds = [trial.outcome.kind for trial in trials_of(tmp_path / "results")]
    assert kinds.count("measured") == 9
    assert kinds.count("returned") == 1


def test_a_result_of_an_optimization_is_compared(tmp_path):
    """The folder beside holds what an optimization found; it is measured again as a candidate."""
    assert run_text(manifest(name="before"), "m.yaml", run_options(tmp_path)) == Exit.FINISHED
    found = [{"name": "default"}, {"name": "found", "optimizationRef": {"name": "before", "rank": 1}}]
    assert run(tmp_path, text=benchmark_manifest(candidates=found)) == Exit.FINISHED
    optimized = json.loads((tmp_path / "before" / "best.json").read_text())
    assert best(tmp_path)["winner"] == "found"
    assert (
        best(tmp_path)["candidates"][1]["parameters"]["sampling.temperature"]
        == (optimized["parameters"]["sampling"]["temperature"])
    )


def test_a_result_that_is_not_there_is_one_error(tmp_path, capsys):
    """The field, the name and what to do; nothing is started and no half study is left."""
    found = [{"name": "default"}, {"name": "found", "optimizationRef": {"name": "absent"}}]
    assert run(tmp_path, text=benchmark_manifest(candidates=found)) == Exit.INVALID
    error = capsys.readouterr().err
    assert error.startswith("error: spec.candidates[1].optimizationRef.name: 'absent' has no study")
    assert "run the optimization first" in error
    assert error.count("\n") == 1


def arguments(tmp_path, *stub, **more):
    return {"results": tmp_path, "pace": FAST, "runner_command": stub_command(*stub), **more}


def test_benchmark_from_python_returns_what_was_found(tmp_path):
    """llmopt.benchmark takes a manifest as optimize does; candidates and winner are plain data."""
    result = llmopt.benchmark(benchmark_document(), **arguments(tmp_path))
    assert result.winner == "cold"
    assert (
        result.candidate("cold").metrics["accuracy"].mean > result.candidate("warm").metrics["accuracy"].mean
    )
    assert result.serve_command.startswith("llama-server")
    assert result.parameters["sampling"] == {"temperature": 0.0}


def test_a_persons_own_evaluator_scores_candidates(tmp_path):
    """A Python function is what answers are scored by, as in an optimization."""
    scored = benchmark_document(objective={"metric": "score"}, metrics=[])
    result = llmopt.benchmark(
        scored, evaluator=lambda _item, answer: 1.0 - float(answer) / 2, **arguments(tmp_path)
    )
    assert result.winner == "cold"
    assert result.candidate("cold").metrics["score"].mean == 1.0


def test_a_benchmark_is_not_optimized(tmp_path):
    """A user who gives the other kind learns which function takes it."""
    with pytest.raises(OptionInvalid, match=r"kind is LLMBenchmark.*llmopt.benchmark\(\)"):
        llmopt.optimize(manifest=benchmark_document(), **arguments(tmp_path))


def test_an_optimization_is_not_compared(tmp_path):
    """And the other way round."""
    with pytest.raises(OptionInvalid, match=r"kind is LLMOptimization.*llmopt.optimize\(\)"):
        llmopt.benchmark(document(), **arguments(tmp_path))


def test_a_benchmark_that_was_stopped_before_it_measured_anything_says_so(tmp_path):
    """There is no result to return, and it is not made up."""
    with pytest.raises(BenchmarkFailed, match="stopped before anything was measured") as caught:
        llmopt.benchmark(benchmark_document(), timeout=4, **arguments(tmp_path, "--trial-seconds", "60"))
    assert caught.value.result.repeats == 0


def test_a_missing_result_of_an_optimization_is_raised_to_python(tmp_path):
    """The same error that the command prints."""
    found = [{"name": "default"}, {"name": "found", "optimizationRef": {"name": "absent"}}]
    with pytest.raises(ReferenceInvalid, match="'absent' has no study"):
        llmopt.benchmark(benchmark_document(candidates=found), **arguments(tmp_path))
