"""What the manifests of both kinds limit."""

from fakes.manifests import benchmark, changed, optimization

from llmopt_core.resources import resource_of
from llmopt_runner.exporter.limits import Limits, limits_of


def test_an_optimizations_limits_are_in_seconds():
    """Trials, duration and GPU hours of the budget; what is not given is no limit."""
    budget = {"trials": 20, "duration": "90m", "gpuHours": "1.5"}
    limited = changed(optimization(), "spec.budget", budget)
    assert limits_of(resource_of(limited)) == Limits(20, active_seconds=5400.0, gpu_seconds=5400.0)
    assert limits_of(resource_of(changed(limited, "spec.budget", {"trials": 20}))) == Limits(20)


def test_a_benchmarks_trials_are_its_repeats():
    """Each candidate is measured as often as asked; a duration limits it, GPU hours do not."""
    document = changed(changed(benchmark(), "spec.repeats", 4), "spec.budget", {"duration": "1h"})
    assert limits_of(resource_of(document)) == Limits(4 * 2, active_seconds=3600.0)
