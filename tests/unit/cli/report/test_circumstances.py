"""How a study's requests are described in its report."""

import pytest
from fakes.local_runs import benchmark_document, document

from llmopt.report.circumstances import served_facts, workload_facts
from llmopt_core.resources import resource_of
from llmopt_core.resources.load import Load
from llmopt_core.resources.serving import Dataset, Prompt, Workload
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus, Progress


def test_a_shared_prefix_is_said():
    """A reader learns how much of each prompt a server could keep."""
    workload = Workload(dataset=Dataset(name="arithmetic"), prompt=Prompt(shared_prefix="0.6"))
    said = dict(workload_facts(workload))["Shared prefix"]
    assert said == "the first 60 % of each user message, the same in all"
    assert "Shared prefix" not in described(concurrency=8)


def described(**load):
    """Return the facts of a workload with `load`."""
    workload = Workload(dataset=Dataset(name="arithmetic"), load=Load.model_validate(load))
    return dict(workload_facts(workload))


@pytest.mark.parametrize(
    ("load", "requests", "conversations"),
    [
        ({"concurrency": 8}, "8 at once", None),
        (
            {"concurrency": 8, "conversations": {}},
            "8 users at once, each in a conversation",
            "all turns, with the server's own answers; no time to think between them",
        ),
        (
            {
                "rate": "0.5",
                "conversations": {"thinkTime": {"mean": "5s"}, "history": "recorded", "maxTurns": 4},
            },
            "0.5 conversations per second (poisson arrivals)",
            "up to 4 turns, with the recorded answers; think time 5s (constant)",
        ),
        (
            {
                "concurrency": 2,
                "conversations": {"thinkTime": {"mean": "800ms", "distribution": "lognormal"}},
            },
            "2 users at once, each in a conversation",
            (
                "all turns, with the server's own answers;"
                " think time 800ms on average (lognormal, standard deviation 800ms)"
            ),
        ),
    ],
)
def test_a_load_is_said_in_words(load, requests, conversations):
    """Of conversations a reader learns which answers the turns hold and how long users think."""
    facts = described(**load)
    assert facts["Requests"] == requests
    assert facts.get("Conversations") == conversations


@pytest.mark.parametrize(
    ("made", "status", "counts"),
    [
        (document(), OptimizationStatus, {"confirm_finished": 2}),
        (benchmark_document(), BenchmarkStatus, {"measured": 2}),
    ],
)
def test_items_are_said_to_be_held_out_once_repeats_were_measured_on_them(made, status, counts):
    """A study that measured none has asked none of them."""
    spec = resource_of(made).spec
    before = dict(served_facts(spec, status(progress=Progress()), ()))
    after = dict(served_facts(spec, status(progress=Progress(**counts)), ()))
    assert "Items" not in before
    assert after["Items"] == "8 held out, the same for all repeats"
