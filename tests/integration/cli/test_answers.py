"""`llmopt answers` on studies whose measurements a stub runner made up."""

import json

import pytest
from fakes.local_runs import benchmark_manifest, manifest, run_options
from typer.testing import CliRunner

from llmopt.commands.run import run_text
from llmopt.main import app
from llmopt_core.api.exit_codes import Exit


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a results folder with a verified search, one that was not verified, and a benchmark."""
    folder = tmp_path_factory.mktemp("results")
    for text in (
        manifest(name="verified", trials=5),
        manifest(name="searched", trials=5, confirm={"top": 0}),
        benchmark_manifest(name="compared"),
    ):
        assert run_text(text, "m.yaml", run_options(folder)) == Exit.FINISHED
    return folder


def called(results, *arguments):
    """Return the exit code and the output of `llmopt answers`."""
    run = CliRunner().invoke(app, ["answers", *arguments, "--results", str(results)])
    return run.exit_code, run.output


def test_the_first_repeats_of_baseline_and_best_are_compared(results):
    """Question, expected answer, both answers and scores are shown, and how many changed."""
    code, text = called(results, "verified")
    assert code == Exit.FINISHED, text
    for said in ("0 < 0 + 1?", "expected", "yes", "<b>item-0</b> at 1.00", "8 items: 8 better, 0 worse"):
        assert said in text
    assert "baseline: answers of trial 5, mean score 0.27" in text


def test_what_a_terminal_would_obey_is_escaped(results):
    """An answer is a server's: its control characters are shown, not sent."""
    _, text = called(results, "verified")
    assert "\x1b[31m" not in text
    assert r"\x1b[31m" in text


def test_json_has_whole_texts_by_item(results):
    """A program reads titles, trials, questions, answers and scores."""
    code, text = called(results, "verified", "--json")
    document = json.loads(text)
    assert code == Exit.FINISHED
    assert document["first"]["title"] == "baseline"
    assert document["items"][7]["question"] == "7 < 7 + 1?"
    assert document["items"][7]["first"] == {
        "text": "\x1b[31m<b>item-7</b> at 1.00",
        "score": 0.34,
        "cut": False,
    }


def test_without_repeats_the_trials_of_the_search_are_compared(results):
    """The baseline is trial 0."""
    document = json.loads(called(results, "searched", "--json")[1])
    assert document["first"]["trial"] == 0
    assert document["second"]["title"] == f"best (trial {document['second']['trial']})"


def test_two_trials_can_be_chosen(results):
    """They are called by their numbers; one that is not there is named."""
    document = json.loads(called(results, "searched", "--trials", "2", "1", "--json")[1])
    assert (document["first"]["trial"], document["second"]["trial"]) == (2, 1)
    code, text = called(results, "searched", "--trials", "2", "77")
    assert code == Exit.INVALID
    assert "trial 77 has not ended or is not there" in text


def test_a_benchmark_compares_baseline_and_winner(results):
    """Both by their names."""
    document = json.loads(called(results, "compared", "--json")[1])
    assert (document["first"]["title"], document["second"]["title"]) == ("default", "cold")


def test_a_study_that_is_not_there_is_said_so(results):
    """Those that there are are named."""
    code, text = called(results, "other")
    assert code == Exit.INVALID
    assert "there are: compared, searched, verified" in text
