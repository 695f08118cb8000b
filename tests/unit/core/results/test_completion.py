"""Statuses from a cluster: of release 0.1.0, or before the operator has looked."""

import pytest
from fakes.manifests import benchmark, changed, optimization

from llmopt_core.api.verdicts import Verdict
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.served import served_spec
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus, ReportedInterval
from llmopt_core.results.completion import completed

SPEED = "output_tokens_per_second"
OLD = {
    "progress": {"finished": 4, "confirmFinished": 4},
    "baseline": {"trial": 0, "metrics": {"accuracy": "0.5", SPEED: "50", "peak_memory_mib": "300"}},
    "best": {
        "trial": 3,
        "metrics": {"accuracy": "0.75", SPEED: "100", "peak_memory_mib": "600"},
        "gain": [
            {"metric": "accuracy", "baseline": "0.5", "best": "0.75", "difference": "0.25",
             "interval": {"low": "0.1", "high": "0.4"}, "significant": True},
            {"metric": SPEED, "baseline": "50", "best": "100", "difference": "50", "ratio": "2",
             "interval": {"low": "0.9", "high": "1.1"}},
        ],
        "confirmed": True,
    },
}  # fmt: skip
TWO = changed(optimization(), "spec.objectives", [{"metric": "accuracy"}, {"metric": SPEED}])
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
DUEL = changed(benchmark(), "spec.metrics", ["ttft_ms_p95"])


def search(document=TWO, **fields):
    return completed(OptimizationStatus.model_validate(fields), served_spec(document))


def duel(document=DUEL, **fields):
    return completed(BenchmarkStatus.model_validate(fields), served_spec(document))


def test_a_gain_of_release_0_1_0_has_both_scales_and_a_verdict():
    """There its interval was on the metric's scale, and a significant gain was not called so."""
    accuracy, speed = search(**OLD).best.gain
    assert (accuracy.verdict, accuracy.absolute_interval) == (
        Verdict.BETTER,
        ReportedInterval(low=0.1, high=0.4),
    )
    assert (speed.absolute_interval.low, speed.absolute_interval.high) == pytest.approx((45, 55))
    assert (speed.verdict, speed.relative) == (Verdict.BETTER, 1.0)
    assert (speed.relative_interval.low, speed.relative_interval.high) == pytest.approx((0.9, 1.1))


def test_what_else_release_0_1_0_measured_is_for_information():
    """Its repeats are those of the manifest."""
    best = search(**OLD).best
    assert [one.metric for one in best.others] == ["peak_memory_mib"]
    assert best.repeats == OptimizationSpec.model_fields["confirm"].default.repeats


def test_a_goal_of_the_manifest_turns_the_verdict():
    """A user who minimises a score reads that less is better."""
    turned = changed(TWO, "spec.objectives", [{"metric": "accuracy", "goal": "minimize"}])
    (gain,) = search(turned, **OLD).best.gain
    assert gain.verdict is Verdict.WORSE


def test_the_budget_is_known_before_the_study_is():
    """As long as the status says nothing it is the manifest's, or the default of its type."""
    assert search(changed(TWO, "spec.budget", {"trials": 7})).progress.budget == 7
    assert duel(changed(DUEL, "spec.repeats", 5)).progress.budget == 10
    silent = optimization()
    silent["spec"].pop("budget", None)
    assert search(silent).progress.budget == OptimizationSpec.model_fields["budget"].default.trials
    assert duel().progress.budget == 2 * BenchmarkSpec.model_fields["repeats"].default


def test_what_a_refused_resource_says_is_shown_as_it_is():
    """A spec that cannot be read plans nothing."""
    refused = search(changed(TWO, "spec.budget", {"trials": -1}))
    assert refused == OptimizationStatus()


def test_differences_of_release_0_1_0_are_read_on_both_scales():
    """A status held them in the metric's unit; fewer milliseconds are better."""
    status = duel(results=RESULTS, winner="slots")
    assert (status.metrics, status.baseline) == ([SPEED, "ttft_ms_p95"], "default")
    slots = status.results[1]
    speed, ttft = slots.against_baseline[SPEED], slots.against_baseline["ttft_ms_p95"]
    assert (speed.baseline, speed.value, speed.absolute) == (40, 50, 10)
    assert (speed.relative, speed.relative_interval) == (0.25, ReportedInterval(low=0.1, high=0.4))
    assert (speed.better, ttft.better) == (True, True)
    assert ttft.relative == pytest.approx(-0.2)
    assert slots.parameters == {"engine.n_parallel": 8, "sampling.temperature": "0"}


def test_a_goal_of_the_manifest_turns_the_judgement_of_candidates():
    """A user who minimises speed reads that more is worse."""
    turned = changed(DUEL, "spec.objective", {"metric": SPEED, "goal": "minimize"})
    assert duel(turned, results=RESULTS).results[1].against_baseline[SPEED].worse


def test_before_anything_was_measured_all_candidates_are_there():
    """They have no repeats, and say what they are."""
    first, second = duel().results
    assert [(each.candidate, each.repeats) for each in (first, second)] == [("default", 0), ("slots", 0)]
    assert second.engine == "llamacpp"


def test_a_candidate_that_an_optimization_found_says_where_it_comes_from():
    """Its parameters are not in the manifest."""
    candidates = [{"name": "default"}, {"name": "best", "optimizationRef": {"name": "search", "rank": 2}}]
    assert duel(changed(DUEL, "spec.candidates", candidates)).results[1].origin == "search, rank 2"
