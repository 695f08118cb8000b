import pytest
from fakes.cluster_resources import COMPLETE, FAILED, RUNNING, resource
from fakes.manifests import benchmark, changed

from llmopt.cluster.comparisons import benchmark_from
from llmopt.cluster.conditions import status_of
from llmopt_core.analysis.effects import Interval

SPEED = "output_tokens_per_second"
RESULTS = [
    {"candidate": "default", "repeats": 5,
     "metrics": {SPEED: {"mean": "40", "interval": {"low": "38", "high": "42"}},
                 "ttft_ms_p95": {"mean": "100"}}},
    {"candidate": "slots", "repeats": 4,
     "metrics": {SPEED: {"mean": "50"}, "ttft_ms_p95": {"mean": "80"}},
     "againstBaseline": {
         SPEED: {"difference": "10", "interval": {"low": "4", "high": "16"}, "significant": True},
         "ttft_ms_p95": {"difference": "-20", "interval": {"low": "-30", "high": "-10"}, "significant": True},
     }},
]  # fmt: skip
MANIFEST = changed(benchmark(), "spec.metrics", ["ttft_ms_p95"])


def found(*conditions, document=MANIFEST, **status):
    body = resource("duel", *(conditions or (COMPLETE,)), status=status or None, document=document)
    return benchmark_from(body, status_of(body))


def test_differences_are_read_on_both_scales_and_judged_by_the_metrics_direction():
    """A status holds them in the metric's unit; fewer milliseconds are better."""
    result = found(
        results=RESULTS, winner="slots", verdict="slots wins", progress={"measured": 9, "finished": 9}
    )
    assert (result.winner, result.verdict, result.repeats) == ("slots", "slots wins", 9)
    assert result.finding.metrics == (SPEED, "ttft_ms_p95")
    slots = result.candidate("slots")
    speed, ttft = slots.against_baseline[SPEED], slots.against_baseline["ttft_ms_p95"]
    assert (speed.absolute, speed.absolute_interval) == (10, Interval(4, 16))
    assert (speed.relative, speed.relative_interval) == (0.25, Interval(0.1, 0.4))
    assert (speed.better, ttft.better) == (True, True)
    assert ttft.relative == pytest.approx(-0.2)
    assert slots.parameters == {"engine.n_parallel": 8, "sampling.temperature": 0.0}
    assert result.parameters["engine"] == {"n_parallel": 8}
    assert result.candidate("default").metrics[SPEED].low == 38.0


def test_a_goal_of_the_manifest_turns_the_judgement():
    """Who wants less speed is told that more is worse."""
    turned = changed(MANIFEST, "spec.objective", {"metric": SPEED, "goal": "minimize"})
    difference = found(results=RESULTS, document=turned).candidate("slots").against_baseline[SPEED]
    assert difference.worse


def test_before_anything_was_measured_all_candidates_are_there():
    """They have no repeats, nothing is decided, and that is the verdict."""
    result = found(RUNNING)
    assert [(each.name, each.repeats) for each in result.candidates] == [("default", 0), ("slots", 0)]
    assert (result.finding.decided, result.ended) == (False, None)
    assert result.verdict == "nothing was measured yet"


def test_a_failed_one_has_its_errors():
    """How it ended and what was wrong are the status's."""
    errors = [{"class": "ModelNotFound", "count": 1, "lastMessage": "no", "suggestion": "name one"}]
    result = found(FAILED, results=RESULTS[:1], errors=errors)
    assert (result.failed, result.ended) == (True, "ModelNotFound")
    assert result.errors[0].suggestion == "name one"


def test_a_candidate_that_an_optimization_found_says_where_it_comes_from():
    """Its parameters are not in the manifest."""
    candidates = [{"name": "default"}, {"name": "best", "optimizationRef": {"name": "search", "rank": 2}}]
    document = changed(MANIFEST, "spec.candidates", candidates)
    assert found(RUNNING, document=document).candidate("best").origin == "search, rank 2"
