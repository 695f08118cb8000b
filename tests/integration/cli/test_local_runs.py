"""Runs with the real study and real processes; only the runner's measurements are made up."""

import json
import re
from contextlib import suppress

import psutil
import pytest
import yaml
from fakes.local_runs import Listener, finding, manifest, run_options, trials_of

from llmopt.commands.run import run_text
from llmopt.local.folders import ResultsFolder
from llmopt.local.sessions import Pace
from llmopt_core.api.exit_codes import Exit
from llmopt_core.storage.storages import open_storage


def test_a_run_measures_confirms_and_writes_its_results(tmp_path, capsys):
    """A run spends its budget, proves the winner, prints it, writes best.json and ends with 0."""
    code = run_text(manifest(trials=5), "m.yaml", run_options(tmp_path))
    printed = capsys.readouterr().out
    best = json.loads((tmp_path / "small" / "best.json").read_text())
    assert code == Exit.FINISHED
    assert "Significant gain over the baseline: accuracy" in printed
    assert "Serve it: llama-server --model SmolLM2" in printed
    assert best["trials"] == 5 + 4
    assert best["parameters"]["sampling"]["temperature"] < 1
    assert best["effects"][0]["verdict"] == "better"
    assert best["interval"][0] <= best["gain"] <= best["interval"][1]


def test_a_run_for_programs_prints_the_document_of_best_json(tmp_path, capsys):
    """With --json standard output is that one document; progress and outcome go to standard error."""
    options = run_options(tmp_path, as_json=True)
    assert run_text(manifest(), "m.yaml", options) == Exit.FINISHED
    printed = capsys.readouterr()
    assert printed.out == (tmp_path / "small" / "best.json").read_text()
    assert json.loads(printed.out)["ended"] == "TrialsExhausted"
    assert "plan: " in printed.err
    assert "The study is finished" in printed.err
    assert run_text(manifest(), "m.yaml", options) == Exit.FINISHED
    assert capsys.readouterr().out == printed.out
    assert run_text(manifest(trials="many"), "m.yaml", options) == Exit.INVALID
    refused = capsys.readouterr()
    assert refused.out == ""
    assert "spec.budget.trials" in refused.err


@pytest.mark.parametrize(
    ("stub", "code"), [(("--fail", "ModelNotFound"), Exit.FAILED), (("--exit", "65"), Exit.UNFINISHED)]
)
def test_a_run_that_goes_wrong_prints_its_document_as_well(tmp_path, capsys, stub, code):
    """The exit code is that of a run without --json, and the document says what is known."""
    assert run_text(manifest(), "m.yaml", run_options(tmp_path, *stub, as_json=True)) == code
    document = json.loads(capsys.readouterr().out)
    assert (document["failed"], document["trial"]) == (code == Exit.FAILED, None)


def test_no_gain_is_said_so(tmp_path, capsys):
    """A search whose winner is not better than the baseline says so and still ends with 0."""
    code = run_text(manifest(), "m.yaml", run_options(tmp_path, "--gain", "0"))
    assert code == Exit.FINISHED
    assert "No gain: nothing that was tried is better than the baseline" in capsys.readouterr().out


def test_without_a_proved_gain_the_default_is_what_to_serve(tmp_path, capsys):
    """A lucky trial that the repeats do not prove is shown as such: what can be pasted is the default's."""
    objectives = [{"metric": "output_tokens_per_second"}]
    options = run_options(tmp_path, "--gain", "0")
    assert run_text(manifest(trials=6, objectives=objectives), "m.yaml", options) == Exit.FINISHED
    printed = capsys.readouterr().out
    best = json.loads((tmp_path / "small" / "best.json").read_text())
    assert "Nothing that was tried is verified to be better: keep the baseline." in printed
    assert f"Best that was tried, not to be preferred to the baseline (trial {best['trial']}):" in printed
    assert "Serve the baseline: llama-server" in printed
    assert best["keep_default"] is True
    assert best["trial"] > 0
    assert best["trial_parameters"]["sampling"]["temperature"] < 1
    assert (best["parameters"]["sampling"], best["request_fields"]) == ({}, {})
    page = (tmp_path / "small" / "report.html").read_text()
    assert "Serve the baseline" in page


def test_a_finished_study_is_shown_again_without_a_runner(tmp_path, capsys):
    """The same command on a finished study prints the result and starts nothing."""
    run_text(manifest(), "m.yaml", run_options(tmp_path))
    log = tmp_path / "small" / "logs" / "runner-0.log"
    before = log.read_bytes()
    assert run_text(manifest(), "m.yaml", run_options(tmp_path)) == Exit.FINISHED
    assert log.read_bytes() == before
    assert "Significant gain" in capsys.readouterr().out


def test_a_raised_budget_goes_on(tmp_path):
    """A finished study whose budget was raised spends the difference."""
    finding(tmp_path, trials=3, confirm={"top": 0, "repeats": 2})
    found = finding(tmp_path, trials=6, confirm={"top": 0, "repeats": 2})
    assert found.result.trials == 6
    assert found.session is not None


def test_a_raised_target_goes_on(tmp_path):
    """A study that reached its goal goes on towards a higher one, which is part of the budget."""
    confirm = {"top": 0, "repeats": 2}
    finding(tmp_path, trials=3, confirm=confirm)
    with open_storage(ResultsFolder(tmp_path / "small").storage_url()) as storage:
        study = storage.open_study("small")
        study.reopen()
        study.end("GoalReached", "trial 2 reached accuracy 0.1")  # the stub runner knows no targets
    budget = {"trials": 6, "target": {"metric": "accuracy", "value": "0.99"}}
    assert finding(tmp_path, budget=budget, confirm=confirm).result.trials == 6


def test_several_runners_share_the_budget(tmp_path):
    """Two runners together measure exactly the budget."""
    found = finding(tmp_path, "--trial-seconds", "1", runners=2, trials=8, confirm={"top": 0, "repeats": 2})
    trials = trials_of(ResultsFolder(tmp_path / "small"))
    assert found.result.trials == 8
    assert len({trial.runner for trial in trials}) == 2


@pytest.mark.parametrize(
    ("gpus", "runners", "seen"),
    [
        (("0", "1", "2", "3"), 2, {("0,1", None), ("2,3", None)}),
        (("0",), 2, {("0", None), ("0", "no")}),
        (("0", "1"), 1, {(None, None)}),
        ((), 2, {(None, None)}),
    ],
)
def test_several_runners_see_gpus_of_their_own(tmp_path, monkeypatch, gpus, runners, seen):
    """Each process has its own environment; a GPU that two share is counted by one; one runner has all."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = set()

    def look(_progress):
        for child in psutil.Process().children():
            with suppress(psutil.Error):
                own = child.environ()
                if "LLMOPT_STORAGE_URL" in own:
                    found.add((own.get("CUDA_VISIBLE_DEVICES"), own.get("LLMOPT_GPUS_COUNTED")))

    listener = Listener(look)
    confirm = {"top": 0, "repeats": 2}
    finding(
        tmp_path, "--trial-seconds", "0.5", runners=runners, gpus=gpus, listener=listener, trials=4,
        confirm=confirm,
    )  # fmt: skip
    assert found == seen
    assert any("share 1 GPU(s)" in event for event in listener.events) is (len(gpus) == 1)


def test_a_killed_runner_is_started_again(tmp_path):
    """A runner that is killed in a trial is started again, and its trial is measured all the same."""
    listener = Listener()
    found = finding(tmp_path, "--die-once", listener=listener, pace=Pace(poll=0.05, grace=5, lease=0.5))
    measured = [t for t in trials_of(ResultsFolder(tmp_path / "small")) if t.outcome.kind == "measured"]
    assert any("was killed by SIGKILL; started again (1 of" in event for event in listener.events)
    assert found.result.ended == "TrialsExhausted"
    assert len(measured) == 4 + 4


def test_a_runner_that_cannot_work_is_not_started_for_ever(tmp_path, capsys):
    """A runner that always dies is started a bounded number of times; its last words are shown."""
    code = run_text(manifest(), "m.yaml", run_options(tmp_path, "--exit", "7"))
    printed = capsys.readouterr().out
    assert code == Exit.UNFINISHED
    assert printed.count("started again") == 5
    assert "ended with exit code 7" in printed
    assert "something is wrong with this machine" in printed


def test_a_runner_that_refuses_its_input_is_not_started_again(tmp_path, capsys):
    """An exit code that says that no start can help is believed at once."""
    assert run_text(manifest(), "m.yaml", run_options(tmp_path, "--exit", "65")) == Exit.UNFINISHED
    assert "started again" not in capsys.readouterr().out


def test_a_failed_study_ends_with_1_and_its_suggestion(tmp_path, capsys):
    """A fatal class of errors ends the command with 1 and says what to do."""
    code = run_text(manifest(), "m.yaml", run_options(tmp_path, "--fail", "ModelNotFound"))
    printed = capsys.readouterr().out
    assert code == Exit.FAILED
    assert "ModelNotFound x1 (trial 0): no such model <b>x</b>" in printed
    assert "name one that exists" in printed


def test_what_measured_trials_warn_of_is_one_line(tmp_path, capsys):
    """Warnings that differ in numbers only are one line: at the first one, in the result, in the report."""
    run_text(manifest(trials=3), "m.yaml", run_options(tmp_path, "--warn", "# of 9 answers were <cut>"))
    printed = capsys.readouterr().out
    page = (tmp_path / "small" / "report.html").read_text()
    first, last = (line for line in printed.splitlines() if "answers were <cut>" in line)
    assert first.startswith("warning: ")
    count, trial = re.search(r"Warning x(\d+) \(trial (\d+)\): \2 of 9 answers", last).groups()
    assert 3 <= int(count) == int(trial) + 1
    assert f"{trial} of 9 answers were &lt;cut&gt;" in page


def test_what_failed_a_study_can_be_fixed_and_the_same_command_goes_on(tmp_path, capsys):
    """A missing model or a bad data set is fixed outside the manifest: the study is not shut for ever."""
    assert run_text(manifest(), "m.yaml", run_options(tmp_path, "--fail", "ModelNotFound")) == Exit.FAILED
    assert run_text(manifest(), "m.yaml", run_options(tmp_path)) == Exit.FINISHED, capsys.readouterr().out


def test_a_changed_manifest_is_refused_and_fresh_starts_over(tmp_path, capsys):
    """What differs is named; --fresh starts over and keeps the earlier results beside the new ones."""
    run_text(manifest(), "m.yaml", run_options(tmp_path))
    capsys.readouterr()
    changed = manifest(max_tokens=64, temperature_high="0.5")
    assert run_text(changed, "m.yaml", run_options(tmp_path)) == Exit.INVALID
    error = capsys.readouterr().err
    assert "spec.workload.maxTokens: 256 -> 64" in error
    assert "spec.search.space.sampling[0].float.high: 1 -> 0.5" in error
    assert "--fresh" in error
    assert run_text(changed, "m.yaml", run_options(tmp_path, fresh=True)) == Exit.FINISHED
    assert len(list(tmp_path.glob("small.until-*/study.db"))) == 1


def test_paths_are_checked_before_a_study_is_made(tmp_path, capsys):
    """A wrong path is a fault with its line, and leaves neither a folder nor a study behind."""
    text = manifest(workload={"dataset": {"path": str(tmp_path / "none.jsonl"), "samples": 8}})
    results = tmp_path / "results"
    assert run_text(text, "m.yaml", run_options(results)) == Exit.INVALID
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "none.jsonl" in each)
    assert f"m.yaml:{line}: spec.workload.dataset.path:" in capsys.readouterr().err
    assert not results.exists()


def test_a_finished_study_is_shown_although_its_files_are_gone(tmp_path, capsys):
    """What was measured needs no data set any more."""
    path = tmp_path / "questions.jsonl"
    path.touch()
    text = manifest(workload={"dataset": {"path": str(path), "samples": 8}})
    assert run_text(text, "m.yaml", run_options(tmp_path)) == Exit.FINISHED
    path.unlink()
    assert run_text(text, "m.yaml", run_options(tmp_path)) == Exit.FINISHED


def test_without_a_finished_trial_a_changed_manifest_needs_no_fresh(tmp_path, capsys):
    """A study in which nothing was measured has nothing to keep: the corrected manifest simply runs."""
    failing = run_options(tmp_path, "--fail", "ModelNotFound")
    assert run_text(manifest(), "m.yaml", failing) == Exit.FAILED
    changed = manifest(max_tokens=64)
    assert run_text(changed, "m.yaml", run_options(tmp_path)) == Exit.FINISHED, capsys.readouterr().err
    assert "maxTokens: 64" in (tmp_path / "small" / "manifest.yaml").read_text()
    assert not list(tmp_path.glob("small.until-*"))


def test_a_damaged_copy_of_the_manifest_does_not_close_a_study(tmp_path):
    """The copy is for people: a study whose copy was cut off goes on."""
    run_text(manifest(trials=3), "m.yaml", run_options(tmp_path))
    (tmp_path / "small" / "manifest.yaml").write_text("apiVersion: [")
    assert run_text(manifest(trials=3), "m.yaml", run_options(tmp_path)) == Exit.FINISHED


def test_a_warning_is_said_before_a_run(tmp_path, capsys):
    """What validate warns of is said where the manifest is run, too."""
    search = {
        "sampler": {"name": "random"},
        "space": {"sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}]},
        "enqueue": [{"sampling.temperature": "0.5"}] * 3,
    }
    run_text(manifest(trials=2, search=search), "m.yaml", run_options(tmp_path))
    assert "warning: spec.search.enqueue: 3 configurations are given" in capsys.readouterr().err


def test_the_storage_url_is_not_in_the_arguments(tmp_path):
    """The study's address, which may hold a password, reaches runners by the environment only."""
    seen = []

    def look(_):
        for child in psutil.Process().children():
            with suppress(psutil.NoSuchProcess):  # it ended between the two looks, and is not yet reaped
                seen.append(child.cmdline())

    finding(tmp_path, "--trial-seconds", "0.1", listener=Listener(look))
    assert any("stub_runner.py" in " ".join(line) for line in seen)
    assert not any("sqlite" in " ".join(line) for line in seen)


def test_the_copy_of_the_manifest_is_what_the_user_wrote(tmp_path):
    """The manifest in the results folder is the user's text, comments included."""
    text = "# mine\n" + manifest()
    run_text(text, "m.yaml", run_options(tmp_path))
    assert (tmp_path / "small" / "manifest.yaml").read_text() == text


def test_fresh_forgets_a_study_in_an_external_storage(tmp_path):
    """--fresh with --storage drops the study of that name there."""
    storage = f"sqlite:///{tmp_path / 'shared.db'}"
    options = {"storage": storage}
    assert run_text(manifest(), "m", run_options(tmp_path, **options)) == Exit.FINISHED
    assert run_text(manifest(max_tokens=64), "m", run_options(tmp_path, **options)) == Exit.INVALID
    assert (
        run_text(manifest(max_tokens=64), "m", run_options(tmp_path, fresh=True, **options)) == Exit.FINISHED
    )


def test_best_json_names_the_study_and_trial(tmp_path):
    """best.json is complete enough to act on without the study."""
    finding(tmp_path, name="mine")
    best = json.loads((tmp_path / "mine" / "best.json").read_text())
    assert best["study"] == "mine"
    assert isinstance(best["trial"], int)
    assert best["serve_command"]
    assert yaml.safe_load((tmp_path / "mine" / "manifest.yaml").read_text())["metadata"]["name"] == "mine"
