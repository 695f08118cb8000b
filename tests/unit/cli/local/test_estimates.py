"""What is said of a study's cost before it runs."""

import pytest
import yaml
from fakes.local_runs import benchmark_document, document

from llmopt.local.estimates import estimate
from llmopt.local.folders import ResultsFolder
from llmopt.local.studies import LocalStudy
from llmopt_core.resources import resource_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Outcome, OutcomeKind


def local(tmp_path, written):
    """Return the study of a document, in a folder of its name."""
    folder = ResultsFolder(tmp_path / written["metadata"]["name"])
    folder.prepare()
    return LocalStudy(resource_of(written), yaml.safe_dump(written), folder)


def said(tmp_path, written, *, finished=0, runners=1):
    """Return what is said of the study of `written` once `finished` trials of it have ended."""
    one = local(tmp_path, written)
    with one.opened():
        pass
    with open_for_search(one.storage_url) as storage:
        study = storage.open_study(one.folder.name)
        for number in range(finished):
            claim = study.claim("runner", budget=10)
            outcome = Outcome(OutcomeKind.INFEASIBLE, Configuration({}, {"temperature": number / 10}, {}))
            study.finish(claim, outcome)
        return estimate(study, one, runners)


def test_a_search_is_reported_with_its_trials_and_repeats(tmp_path):
    """Nothing is known of the time before anything like it was measured."""
    assert said(tmp_path, document(trials=4)) == (
        "plan: up to 4 trials, then up to 4 repeats to verify the best;"
        " how long is shown once the first has ended"
    )


def test_what_is_done_is_not_to_do(tmp_path):
    """A study that goes on says what is left, and how long by its own trials."""
    text = said(tmp_path, document(trials=4), finished=3)
    assert text.startswith("plan: 3 of 4 trials are done, up to 1 more, then up to 4 repeats")
    assert "; about " in text


def test_a_budget_of_time_is_the_most(tmp_path):
    """budget.duration bounds the time, whatever is known."""
    written = document()
    written["spec"]["budget"]["duration"] = "1h"
    assert said(tmp_path, written).endswith("once the first has ended, at most 1h")


def test_a_benchmark_is_reported_with_candidates_and_repeats(tmp_path):
    """Its repeats are all there is to measure."""
    assert said(tmp_path, benchmark_document(repeats=3)).startswith(
        "plan: 3 candidates, 3 repeats each; how long"
    )


def test_without_verification_that_is_said(tmp_path):
    """No repeats follow where none are wanted."""
    assert "up to 4 trials, no verification" in said(tmp_path, document(confirm={"top": 0}))


def test_an_earlier_study_of_the_same_says_how_long(tmp_path):
    """Trials of the same model, engine and questions beside it are what its own will be like."""
    said(tmp_path, document(name="earlier"), finished=2)
    assert f"by the trials of {tmp_path / 'earlier'}" in said(tmp_path, document(name="later"))


@pytest.mark.parametrize(
    "change", [{"max_tokens": 8}, {"engine": {"name": "llamacpp", "args": {"n_ctx": 64}}}]
)
def test_a_study_of_something_else_says_nothing(tmp_path, change):
    """Other questions or another engine take another time."""
    said(tmp_path, document(name="earlier", **change), finished=2)
    assert "how long is shown once" in said(tmp_path, document(name="later"))


def test_a_broken_study_beside_it_costs_nothing(tmp_path):
    """What cannot be read is left out."""
    said(tmp_path, document(name="earlier"), finished=2)
    (tmp_path / "earlier" / "study.db").write_bytes(b"garbage" * 1000)
    assert "how long is shown once" in said(tmp_path, document(name="later"))
