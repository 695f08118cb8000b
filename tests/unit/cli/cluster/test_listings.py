from datetime import UTC, datetime, timedelta

import pytest
from fakes.cluster_resources import COMPLETE, RUNNING, condition, resource
from fakes.manifests import benchmark

from llmopt.cluster.listings import columns, row

MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BEST = {
    "trial": 3,
    "headline": "accuracy 0.75",
    "shortGain": "+0.25 (+0.1 to +0.4)",
    "summary": "Significant",
}


def cells(document, *, wide=True, after=timedelta(minutes=5)):
    titles = columns(wide=wide, everywhere=True)
    return dict(zip(titles, row(document, titles, MADE + after), strict=True))


def test_a_row_holds_what_kubectl_shows():
    """Name, phase, trials, best, gain and age, and wide what is found out in more words."""
    document = resource(
        "mine", COMPLETE,
        status={"phase": "Complete", "progress": {"text": "4/4 + 4/4", "etaSeconds": 90}, "best": BEST,
                "study": "uid", "runners": [{"name": "a"}, {"name": "b", "ended": "done"}]},
    )  # fmt: skip
    assert cells(document) == {
        "namespace": "team-a", "kind": "llmo", "name": "mine", "phase": "Complete", "trials": "4/4 + 4/4",
        "best": "accuracy 0.75", "gain": "+0.25 (+0.1 to +0.4)", "age": "5m", "outcome": "Significant",
        "engine": "llamacpp", "left": "90s", "runners": "1", "study": "uid",
    }  # fmt: skip
    assert "outcome" not in cells(document, wide=False)


def test_a_benchmark_shows_its_winner_and_its_verdict():
    """The same columns hold what the other kind finds."""
    document = resource(
        "b", COMPLETE, document=benchmark(), status={"winner": "fast", "verdict": "fast wins"}
    )
    found = cells(document)
    assert (found["kind"], found["best"], found["outcome"]) == ("llmb", "fast", "fast wins")


def test_why_it_does_not_run_stands_beside_its_phase():
    """The reason is in the table; a new resource is pending without one."""
    stuck = resource("mine", condition("Running", "False", "Unschedulable"), status={"phase": "Pending"})
    assert cells(stuck)["phase"] == "Pending: Unschedulable"
    assert cells(resource())["phase"] == "Pending"
    assert cells(resource("mine", RUNNING, status={"phase": "Running"}))["phase"] == "Running"


def test_what_is_refused_is_rejected():
    """Also where an operator that does not know the phase yet calls it pending; wide, the reason in words."""
    refused = condition("Accepted", "False", "InvalidSpec")
    for phase in ("Pending", "Rejected"):
        status = {"phase": phase, "reason": "spec.engine.name: nobody has it"}
        found = cells(resource("mine", refused, status=status))
        assert (found["phase"], found["outcome"]) == ("Rejected: InvalidSpec", status["reason"])


def test_what_was_changed_is_not_said_to_stand_still():
    """A reason that belongs to the manifest before says nothing about this one."""
    stale = resource("mine", condition("Running", "False", "Unschedulable"), status={"phase": "Pending"})
    stale["metadata"]["generation"] = 2
    assert cells(stale)["phase"] == "Pending"


@pytest.mark.parametrize(
    ("after", "age"),
    [
        (timedelta(seconds=-3), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(minutes=2), "2m"),
        (timedelta(hours=2), "2h"),
        (timedelta(days=9), "9d"),
    ],
)
def test_ages_are_short(after, age):
    """As kubectl writes them; a clock that is behind makes no negative one."""
    assert cells(resource(), after=after)["age"] == age
