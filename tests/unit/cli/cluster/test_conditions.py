import pytest
from fakes.cluster_resources import COMPLETE, FAILED, RUNNING, condition, resource
from fakes.manifests import benchmark

from llmopt.cluster.conditions import (
    StatusUnreadable,
    is_current,
    problem_of,
    status_of,
    warning_of,
)
from llmopt_core.results.endings import end_of


def status(*conditions, **more):
    return status_of(resource("mine", *conditions, status=more or None))


def test_a_resource_that_nobody_has_looked_at_has_an_empty_status():
    """Nothing is wrong with it yet, and nothing has ended."""
    document = resource()
    assert problem_of(status_of(document)) is None
    assert end_of(status_of(document)) is None
    assert not is_current(document, status_of(document))


def test_a_status_of_an_earlier_generation_is_not_current():
    """After a change the old status says nothing about the new manifest."""
    document = resource("mine", COMPLETE, generation=2)
    assert is_current(document, status_of(document))
    document["metadata"]["generation"] = 3
    assert not is_current(document, status_of(document))


@pytest.mark.parametrize(
    ("held", "failed", "reason"), [(COMPLETE, False, "TrialsExhausted"), (FAILED, True, "ModelNotFound")]
)
def test_an_end_is_read_from_its_condition(held, failed, reason):
    """Complete and Failed end it, with reason and message."""
    end = end_of(status(held))
    assert (end.failed, end.reason, end.message) == (failed, reason, held["message"])


@pytest.mark.parametrize(
    ("conditions", "reason", "advice"),
    [
        (
            [condition("Running", "False", "Unschedulable", "0/3 nodes")],
            "Unschedulable",
            "spec.runners.resources",
        ),
        (
            [condition("Running", "False", "ImagePullFailed", "correct spec.runners.image")],
            "ImagePullFailed",
            "",
        ),
        ([condition("Running", "False", "QueueInadmissible")], "QueueInadmissible", "workloads"),
        (
            [condition("StudyReady", "False", "StorageUnavailable"), RUNNING],
            "StorageUnavailable",
            "llmopt-storage",
        ),
        ([condition("Suspended", "True", "SuspendedByUser")], "Suspended", "spec.suspend"),
    ],
)
def test_why_it_does_not_run_is_reported_with_what_to_do(conditions, reason, advice):
    """Each reason has advice, unless the operator's own message gives it; all may pass."""
    problem = problem_of(status(*conditions))
    assert problem.reason == reason
    assert advice in str(problem)
    assert not problem.hopeless


@pytest.mark.parametrize("reason", ["InvalidSpec", "PolicyDenied"])
def test_a_refused_resource_is_hopeless(reason):
    """What the operator does not accept will not run before it is changed."""
    problem = problem_of(status(condition("Accepted", "False", reason, "spec.model: no")))
    assert problem.hopeless
    assert f"{reason}: spec.model: no\n  -> " in str(problem)


@pytest.mark.parametrize(
    "conditions",
    [[RUNNING], [condition("Running", "False", "Starting")], [condition("Running", "False", "X"), COMPLETE]],
)
def test_no_problem_where_it_runs_starts_or_has_ended(conditions):
    """A pod that starts is no problem, nor is one that went with the end."""
    assert problem_of(status(*conditions)) is None


def test_a_tripped_guard_is_worth_a_word():
    """The guard's own message is reported although the study goes on."""
    assert warning_of(
        status(RUNNING, condition("MemoryGuardPassed", "False", "GuardTripped", "3 trials"))
    ) == ("memory guard: 3 trials")
    assert warning_of(status(RUNNING, condition("MemoryGuardPassed", "True"))) is None


def test_a_default_that_cannot_run_is_worth_a_word():
    """It is reported while the study goes on."""
    said = condition("BaselineMeasured", "False", "BaselineInfeasible", "the baseline cannot run here")
    assert warning_of(status(RUNNING, said)) == "the baseline cannot run here"


def test_a_refusal_is_worth_a_word():
    """What the API server refuses is shown though the runners work."""
    blocked = condition("Blocked", "True", "NameTaken", "ConfigMap a/b belongs to Helm")
    assert warning_of(status(RUNNING, blocked)) == "NameTaken: ConfigMap a/b belongs to Helm"


def test_what_a_newer_operator_says_beside_is_passed_over():
    """Unknown fields, at any depth, do not keep the known ones from being read."""
    more = {"progress": {"finished": 2, "newField": 1}, "another": {"a": 1}}
    assert status(RUNNING, **more).progress.finished == 2


def test_a_phase_and_a_condition_that_came_later_are_passed_over():
    """A newer operator's names do not keep a status from being read."""
    said = status(RUNNING, condition("CameLater", "True", "Why"), phase="CameLater")
    assert [each.type for each in said.conditions] == ["Running"]
    assert said.phase is None


def test_a_status_in_other_words_is_one_clear_error():
    """The field and what to do are named."""
    with pytest.raises(StatusUnreadable, match=r"status\.progress\.finished: .*another version"):
        status(RUNNING, progress={"finished": "many"})


def test_a_benchmark_has_its_own_status():
    """Results and winner are read for the kind that has them."""
    document = resource(
        "bench", COMPLETE, status={"winner": "fast", "verdict": "fast wins"}, document=benchmark()
    )
    assert status_of(document).winner == "fast"
