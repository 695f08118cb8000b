import pytest
from fakes.cluster_resources import COMPLETE, RUNNING, condition, resource
from fakes.manifests import benchmark, changed, optimization

from llmopt.cluster.conditions import status_of
from llmopt.cluster.readings import gains_of, progress_of
from llmopt.progress import line
from llmopt_core.analysis.effects import Interval
from llmopt_core.api.verdicts import Verdict
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec

TWO = changed(optimization(), "spec.objectives", [{"metric": "accuracy"}, {"metric": "ttft_ms_p95"}])
BEST = {
    "trial": 3,
    "headline": "accuracy 0.75, ttft_ms_p95 80",
    "metrics": {"accuracy": "0.75", "ttft_ms_p95": "80"},
    "gain": [
        {"metric": "accuracy", "baseline": "0.5", "best": "0.75", "difference": "0.25", "ratio": "1.5",
         "interval": {"low": "0.1", "high": "0.4"}, "significant": True},
        {"metric": "ttft_ms_p95", "baseline": "100", "best": "80", "difference": "-20", "ratio": "0.8",
         "interval": {"low": "-0.3", "high": "0.05"}},
    ],
}  # fmt: skip


def seen(*conditions, document=None, **status):
    body = resource("mine", *(conditions or (RUNNING,)), status=status, document=document)
    return progress_of(body, status_of(body))


def test_a_look_says_what_a_local_one_says():
    """Counts, best, memory, errors, runners and the time left are those of the status."""
    look = seen(
        document=TWO,
        phase="Running",
        progress={
            "budget": 10, "finished": 4, "running": 2, "measured": 3, "failed": 1, "elapsedSeconds": 65,
            "etaSeconds": 120, "confirmPlanned": 20,
        },
        best=BEST,
        baseline={"trial": 0, "metrics": {"accuracy": "0.5", "ttft_ms_p95": "100"}},
        errors=[{"class": "CudaFault", "count": 2}],
        runners=[
            {"name": "a", "stage": "measure", "memoryMib": 512, "memoryTotalMib": 4096},
            {"name": "b", "stage": "load", "memoryMib": 256},
            {"name": "c", "stage": "measure", "memoryMib": 999, "ended": "done"},
        ],
    )  # fmt: skip
    assert line(look) == (
        "[1 min 05 s] search; 4/10 trials, 2 running; best trial 3: accuracy 0.75 (+0.250 over the default,"
        " not confirmed), ttft_ms_p95 80.0 (-20.0 % over the default, not confirmed); memory 768 of 4,096"
        " MiB; errors CudaFault x2; about 2 min 00 s left"
    )
    assert look.outcomes == (("measured", 3), ("failed", 1))
    assert (look.runners, look.stages) == (2, ("measure", "load"))


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ({"phase": "Pending"}, "pending"),
        ({}, "pending"),
        ({"phase": "Running"}, "baseline"),
        ({"phase": "Running", "progress": {"finished": 1}}, "search"),
        ({"phase": "Running", "progress": {"finished": 9, "confirmFinished": 1}}, "confirm"),
        ({"phase": "Confirming"}, "confirm"),
        ({"phase": "Suspended"}, "suspended"),
        ({"phase": "Complete"}, "ended"),
        ({"phase": "Failed"}, "ended"),
    ],
)
def test_phases_have_the_words_of_local_runs(status, phase):
    """What only a cluster knows keeps the cluster's word."""
    assert seen(**status).phase == phase


def test_the_budget_is_known_before_the_study_is():
    """As long as the status says nothing it is the manifest's."""
    assert seen(document=changed(optimization(), "spec.budget", {"trials": 7})).budget == 7
    repeated = changed(benchmark(), "spec.repeats", 5)
    assert seen(document=repeated).repeats_planned == 10


def test_what_the_manifest_leaves_out_has_the_default_of_its_type():
    """The budget before the operator looked is the one that it will give."""
    silent = optimization()
    silent["spec"].pop("budget", None)
    assert seen(document=silent).budget == OptimizationSpec.model_fields["budget"].default.trials
    assert seen(document=benchmark()).repeats_planned == 2 * BenchmarkSpec.model_fields["repeats"].default


def test_a_refused_resource_has_no_budget():
    """A spec that cannot be read plans nothing, and is shown all the same."""
    look = seen(document=changed(optimization(), "spec.budget", {"trials": -1}), phase="Rejected")
    assert (look.budget, look.phase) == (0, "rejected")


def test_a_benchmark_counts_repeats():
    """Its trials are repeats of its candidates, and it compares from the first one on."""
    look = seen(document=benchmark(), phase="Running", progress={"budget": 10, "finished": 4, "running": 2})
    assert line(look) == "[0 s] compare; 4/10 repeats"


def test_a_gain_is_judged_by_its_interval_and_its_direction():
    """An interval on the good side is significant, one on the bad side is worse."""
    worse = {**BEST["gain"][1], "interval": {"low": "0.1", "high": "0.3"}}
    best = {**BEST, "gain": [BEST["gain"][0], worse]}
    document = resource("mine", COMPLETE, status={"best": best}, document=TWO)
    accuracy, ttft = gains_of(document, status_of(document))
    assert (accuracy.verdict, accuracy.absolute_interval) == (Verdict.BETTER, Interval(0.1, 0.4))
    assert (ttft.verdict, ttft.direction) == (Verdict.WORSE, "minimize")


def test_a_goal_of_the_manifest_turns_the_direction():
    """Who minimises a score is told that less is better."""
    upside_down = changed(optimization(), "spec.objectives", [{"metric": "accuracy", "goal": "minimize"}])
    document = resource("mine", status={"best": BEST}, document=upside_down)
    (gain,) = gains_of(document, status_of(document))
    assert gain.verdict is Verdict.WORSE


def test_while_it_runs_the_searchs_own_numbers_are_told():
    """What the repeats prove belongs into the result: the line says `not confirmed`, and so it is."""
    proved = {**BEST, "gain": [{**BEST["gain"][0], "best": "0.6"}], "confirmed": True}
    baseline = {"trial": 0, "metrics": {"accuracy": "0.5"}}
    (gain,) = seen(phase="Complete", best=proved, baseline=baseline).gains
    assert (gain.baseline, gain.value, gain.absolute_interval) == (0.5, 0.75, None)


def test_a_suspended_resource_shows_what_it_had():
    """Its progress stays."""
    look = seen(condition("Suspended"), phase="Suspended", progress={"finished": 3, "budget": 9})
    assert (look.finished, look.budget) == (3, 9)
