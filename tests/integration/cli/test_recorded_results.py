"""Results folders of earlier releases, under the command of this version: read, reported and resumed."""

import json

import pytest
from fakes.local_runs import run_options
from releases.recorded import RECORDED, unpack_results
from typer.testing import CliRunner

from llmopt.commands.run import run_file
from llmopt.local.folders import ResultsFolder
from llmopt.local.histories import states
from llmopt.main import app
from llmopt_core.api.exit_codes import Exit
from llmopt_core.storage.storages import open_storage

FINISHED = ("finished", "benchmark-finished", "measured")
UNFINISHED = ("interrupted", "killed", "benchmark-interrupted")


@pytest.fixture(params=RECORDED, ids=lambda release: release.name)
def results(request, tmp_path):
    return unpack_results(request.param, tmp_path)


def trials_of(results, name):
    with open_storage(ResultsFolder(results / name).storage_url()) as storage:
        return storage.open_study(name).trials()


def run_again(results, name, *stub):
    return run_file(str(results / name / "manifest.yaml"), run_options(results, *stub))


def test_the_status_counts_them(results):
    """Each study is read, with its trials, and known as finished or not."""
    found = {state.folder.name: state for state in states(results, None)}
    assert {name: bool(state.ended) for name, state in found.items()} == {
        **dict.fromkeys(FINISHED, True),
        **dict.fromkeys(UNFINISHED, False),
    }
    assert {name: state.trouble for name, state in found.items() if state.trouble} == {}
    printed = CliRunner().invoke(app, ["status", "--results", str(results)]).output
    assert "3 finished, 3 unfinished" in " ".join(printed.split())


@pytest.mark.parametrize("name", [*FINISHED, *UNFINISHED])
def test_each_is_reported(results, name):
    """A report can be written of what has ended and of what was cut off."""
    done = CliRunner().invoke(app, ["report", name, "--results", str(results)])
    assert done.exit_code == 0, done.output
    assert "</html>" in (results / name / "report.html").read_text()


@pytest.mark.parametrize("name", FINISHED)
def test_what_has_finished_is_shown_again_without_a_runner(results, name, capsys):
    """The same command prints the recorded result, and nothing is measured.

    Intervals and words are this version's: it calls what gains are over the baseline. `parameters` of release
    0.1.0 are those of the best that was tried, also where the baseline is what to serve.
    """
    before, best = trials_of(results, name), json.loads((results / name / "best.json").read_text())
    assert run_again(results, name, "--exit", "7") == Exit.FINISHED, capsys.readouterr()
    assert trials_of(results, name) == before
    after = json.loads((results / name / "best.json").read_text())
    kept = ("ended", "trials", "trial", "winner", "metrics")
    tried = after.get("trial_parameters", after["parameters"])
    assert tried == best["parameters"]
    assert {each: after.get(each) for each in kept} == {each: best.get(each) for each in kept}
    if "gain" in best:
        assert after["gain"] == pytest.approx(best["gain"], rel=1e-12)
    said = best["headline"].replace("the default", "the baseline").replace("Not confirmed", "Not verified")
    assert after["headline"].partition("[")[0] == said.partition("[")[0]


@pytest.mark.parametrize("name", UNFINISHED)
def test_what_was_cut_off_goes_on(results, name, capsys):
    """The same command measures what is missing; no earlier measurement is made again or changed."""
    before = {trial.number: trial for trial in trials_of(results, name) if trial.outcome is not None}
    assert len(before) >= 2
    assert run_again(results, name) == Exit.FINISHED, capsys.readouterr()
    after = {trial.number: trial for trial in trials_of(results, name)}
    assert {number: after[number] for number in before} == before
    assert {trial.state for trial in after.values()} == {"finished"}
    assert sum(trial.outcome.kind == "measured" for trial in after.values()) == 12
