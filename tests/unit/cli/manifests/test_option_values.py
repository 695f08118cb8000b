"""The grammar of options: what is accepted, and that an error shows the value and what to do."""

import pytest

from llmopt.manifests import OptionInvalid
from llmopt.manifests.option_values import constraint, kubernetes_duration, objective


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy", {"metric": "accuracy"}),
        ("ttft_ms_p95:minimize", {"metric": "ttft_ms_p95", "goal": "minimize"}),
    ],
)
def test_an_objective_is_a_metric_and_maybe_a_goal(text, said):
    """METRIC leaves the goal to the metric; METRIC:GOAL says it."""
    assert objective(text) == said


def test_an_unknown_goal_is_refused():
    """A goal other than the two is an error that shows the value."""
    with pytest.raises(OptionInvalid, match="'accuracy:up'"):
        objective("accuracy:up")


BASELINE = {"relativeTo": "baseline"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy>=0.6", {"metric": "accuracy", "min": "0.6"}),
        (" accuracy >= 60% ", {"metric": "accuracy", "min": "0.6"}),
        ("ttft_ms_p95<=500", {"metric": "ttft_ms_p95", "max": "500"}),
        ("peak_memory_mib<=baseline+10%", {"metric": "peak_memory_mib", "max": "0.1", **BASELINE}),
        (
            "requests_per_second >= baseline - 2.5%",
            {"metric": "requests_per_second", "min": "-0.025"} | BASELINE,
        ),
        ("accuracy>=baseline-0.02", {"metric": "accuracy", "min": "-0.02", **BASELINE}),
        ("accuracy>=baseline", {"metric": "accuracy", "min": "0", **BASELINE}),
        ("requests_per_second>=baseline", {"metric": "requests_per_second", "min": "0", **BASELINE}),
        ("no_such_metric<=3", {"metric": "no_such_metric", "max": "3"}),
    ],
)
def test_a_constraint_is_a_metric_a_side_and_a_bound(text, said):
    """A bound is a number, or the baseline and a change in the metric's own terms."""
    assert constraint(text) == said


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("accuracy", "in quotes, or the shell takes < and > for a file"),
        ("ttft_ms_p95<=500ms", "ttft_ms_p95 is in ms, which is not written"),
        ("peak_memory_mib<=4 GiB", "peak_memory_mib is in MiB, which is not written"),
        ("accuracy>0.6", "such as accuracy>=0.6"),
        ("accuracy>=", "such as accuracy>=0.6"),
        ("accuracy>=%", "such as accuracy>=0.6"),
        ("accuracy=>0.6", "such as accuracy>=0.6"),
        ("accuracy>=-0.6", "such as accuracy>=0.6"),
        ("accuracy>=0.6>=0.5", "such as accuracy>=0.6"),
        ("accuracy>=baseline0.1", "such as accuracy>=0.6"),
        ("accuracy>=٣", "such as accuracy>=0.6"),
        ("accuracy>=baseline-2%", r"expected baseline-0\.02"),
        ("accuracy>=baseline+5%", r"expected baseline\+0\.05"),
        ("ttft_ms_p95<=baseline+50", "is a percentage"),
        ("ttft_ms_p95<=50%", "a percentage of what"),
    ],
)
def test_a_constraint_that_could_be_misread_is_refused(text, hint):
    """The error shows the value and the way to write it."""
    with pytest.raises(OptionInvalid, match=hint) as caught:
        constraint(text)
    assert f"--constraint {text!r}: " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"), [("90", "90s"), ("10m", "10m"), ("1h30m", "1h30m"), ("45s", "45s")]
)
def test_a_duration_may_be_plain_seconds(text, said):
    """Plain seconds are accepted beside Kubernetes' notation."""
    assert kubernetes_duration(text) == said


@pytest.mark.parametrize("text", ["", "0", "0s", "soon", "-5", "1.5h", "5d"])
def test_what_is_no_duration_is_refused(text):
    """Nothing, zero and other units are errors."""
    with pytest.raises(OptionInvalid, match="--timeout"):
        kubernetes_duration(text)
