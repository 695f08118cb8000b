"""What a resource in the cluster found, shown from its status by the code of local studies."""

import io
from dataclasses import replace

import pytest
from fakes.cluster_resources import COMPLETE, FAILED, RUNNING, condition, resource
from fakes.manifests import benchmark, changed
from releases.recorded import RECORDED, resources
from rich.console import Console

from llmopt.cluster.results import read_result, shown_status
from llmopt.progress import line
from llmopt.tables import print_result
from llmopt_core.resources.status import OptimizationStatus
from llmopt_core.results.progress import stage_of
from llmopt_core.results.results import OptimizationResult

STATUS = {
    "progress": {"finished": 4, "confirmFinished": 4},
    "baseline": {"trial": 0, "metrics": {"accuracy": "0.5"}},
    "best": {
        "trial": 3,
        "parameters": {
            "engine.n_parallel": 8, "engine.cont_batching": "false", "sampling.temperature": "0.2",
        },
        "metrics": {"accuracy": "0.75"},
        "gain": [{"metric": "accuracy", "baseline": "0.5", "best": "0.75", "difference": "0.25",
                  "interval": {"low": "0.1", "high": "0.4"}, "significant": True, "verdict": "better"}],
        "confirmed": True,
        "serveArgs": "llama-server -np 8",
        "requestFields": '{"temperature": 0.2}',
    },
    "errors": [
        {"class": "CudaFault", "count": 2, "lastMessage": "boom", "suggestion": "fix it", "lastTrial": 1}
    ],
}  # fmt: skip


def found(*conditions, document=None, **changes):
    status = {**STATUS, **changes}
    return read_result(resource("mine", *(conditions or (COMPLETE,)), status=status, document=document))


def printed(result, width=200):
    console = Console(width=width, record=True, file=io.StringIO())
    print_result(console, result)
    return console.export_text()


def test_the_probes_of_a_search_for_the_highest_load_are_printed():
    """The terminal shows the highest load with its interval, and how each probe ended."""
    probe = {"requests": 120, "strain": "1.2", "perSecond": "4"}
    search = {
        "name": "best", "trial": 3, "by": "rate", "attainment": "0.95", "value": "4", "low": "4", "high": "5",
        "probes": [{**probe, "load": "4", "kept": 118}, {**probe, "load": "5", "kept": 40, "stopped": True}],
    }  # fmt: skip
    text = printed(found(loads=[search]))
    assert (
        "Highest load at which 95 % of the requests keep the service level, best: 4 requests/s (4 to 5)"
        in text
    )
    rows = [line.split() for line in text.splitlines() if " of 120" in line]
    assert rows == [["4", "118", "of", "120", "kept"], ["5", "40", "of", "120", "stopped", "early"]]


def test_the_status_alone_gives_a_result():
    """Best, gains, errors and the end are those of the status."""
    result = found()
    assert (result.study, result.ended, result.failed, result.trials) == ("mine", "TrialsExhausted", False, 8)
    assert (result.trial, result.confirmed, result.significant) == (3, True, True)
    assert (result.gain, result.interval) == (0.25, (0.1, 0.4))
    assert result.parameters == {
        "engine": {"n_parallel": 8, "cont_batching": False},
        "sampling": {"temperature": 0.2},
        "prompt": {},
    }
    assert result.headline == "Significant gain over the baseline: accuracy +0.250 [+0.100 to +0.400]"
    assert result.errors[0].suggestion == "fix it"


def test_the_same_words_are_printed_as_of_a_local_study():
    """What a study's status says here is what its status says after the API server stored it."""
    result = found()
    local = OptimizationStatus.model_validate(result.status.model_dump())
    again = OptimizationResult("mine", local, engine="llamacpp")
    assert printed(again) == printed(result)
    assert "Serve it: llama-server -np 8" in printed(result)
    assert "with these fields in each request: temperature: 0.2" in printed(result)


@pytest.mark.parametrize(
    ("prompts", "said"), [({3: [{"role": "user", "content": "Q: {question}"}]}, True), ({}, False)]
)
def test_a_result_with_a_prompt_says_where_its_messages_are(tmp_path, prompts, said):
    """The parameters of a prompt alone do not say what to send."""
    shown = printed(replace(found(), report=tmp_path / "report.html", prompts=prompts))
    assert ("with the messages that the report shows" in shown) is said


def test_a_default_that_cannot_run_is_read_from_the_status():
    """The class and the message are the status's own, and gains are over the trial in its place."""
    failure = {"class": "InvalidConfiguration", "count": 1, "lastMessage": "at most 856", "lastTrial": 0}
    result = found(baselineFailure=failure, baseline=None, best={**STATUS["best"], "reference": 2})
    text = "The baseline cannot run here (InvalidConfiguration: at most 856). Significant gain over trial 2:"
    assert result.headline.startswith(text)
    assert "InvalidConfiguration" in printed(result)


def test_nothing_measured_is_said_so():
    """Without a best there is no trial, but the end and its message are there."""
    result = found(FAILED, best=None)
    assert (result.trial, result.failed, result.ended) == (None, True, "ModelNotFound")
    assert result.message == "the model is not there"
    assert found(RUNNING, best=None).ended is None


def test_a_benchmark_without_a_look_has_decided_nothing():
    """All candidates are there, and the verdict says that nothing was measured."""
    result = read_result(resource("duel", RUNNING, document=benchmark()))
    assert [each.candidate for each in result.candidates] == ["default", "slots"]
    assert result.headline == "Nothing was measured yet"


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ({"phase": "Pending"}, "pending"),
        ({}, "pending"),
        ({"phase": "Running"}, "starting"),
        ({"phase": "Running", "progress": {"running": 1}}, "baseline"),
        ({"phase": "Running", "progress": {"finished": 1}}, "search"),
        ({"phase": "Running", "progress": {"finished": 9, "confirmFinished": 1}}, "verification"),
        ({"phase": "Confirming"}, "verification"),
        ({"phase": "Suspended"}, "suspended"),
        ({"phase": "Rejected"}, "rejected"),
        ({"phase": "Complete"}, "ended"),
        ({"phase": "Failed"}, "ended"),
    ],
)
def test_phases_have_the_words_of_local_runs(status, stage):
    """What only a cluster knows keeps the cluster's word."""
    assert stage_of(shown_status(resource("mine", RUNNING, status=status))) == stage


def test_a_suspended_resource_shows_what_it_had():
    """Its progress stays."""
    status = {"phase": "Suspended", "progress": {"finished": 3, "budget": 9}}
    shown = shown_status(resource("mine", condition("Suspended"), status=status))
    assert line(shown) == "[0 s] suspended; 3/9 trials, 0 running"


def test_a_refused_resource_has_no_budget():
    """A spec that cannot be read plans nothing, and is shown all the same."""
    document = changed(resource("mine", status={"phase": "Rejected"}), "spec.budget", {"trials": -1})
    assert line(shown_status(document)) == "[0 s] rejected"


@pytest.mark.parametrize("release", RECORDED, ids=lambda release: release.name)
def test_resources_of_earlier_releases_are_shown(release):
    """Whatever an earlier operator wrote is printed, with the best trial or the winner that it names."""
    shown = 0
    for name, document in resources(release).items():
        if not name.startswith(("cluster/llmoptimizations", "cluster/llmbenchmarks")):
            continue
        status = document.get("status", {})
        text = printed(read_result(document))
        if best := status.get("best"):
            assert f"trial {best['trial']}" in text or "No gain" in text or "default" in text
            assert all(f"{each['metric']}" in text for each in best.get("gain", ()))
            shown += 1
        if winner := status.get("winner"):
            assert f"{winner} wins" in text
            shown += 1
    assert shown >= 2
