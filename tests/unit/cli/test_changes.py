from fakes.local_runs import benchmark_document, document

from llmopt.local.changes import changed_fields, changes_between
from llmopt_core.resources.loading import resource_of


def spec(**changes):
    return resource_of(document(**changes)).spec


def test_nothing_changed():
    """The same manifest has no differences."""
    assert changed_fields(spec(), spec()) == ()


def test_what_may_change_is_not_listed():
    """A study goes on with another budget, other runners and another confirmation."""
    other = spec(trials=99, confirm={"top": 0, "repeats": 9}, runners={"count": 3})
    assert changed_fields(spec(), other) == ()


def test_each_difference_is_named_with_both_values():
    """Fields are named as the user writes them, lists by index."""
    other = spec(max_tokens=64, temperature_high="0.5", constraints=[{"metric": "accuracy", "min": "0.5"}])
    assert set(changed_fields(spec(), other)) == {
        "spec.workload.maxTokens: 256 -> 64",
        "spec.search.space.sampling[0].float.high: 1 -> 0.5",
        "spec.constraints: (0 entries) -> (1 entries)",
    }


def test_a_comparison_goes_on_with_other_repeats_and_metrics():
    """What the API server lets a person change of a benchmark does not make another study of it."""
    before = resource_of(benchmark_document())
    after = resource_of(benchmark_document(repeats=9, metrics=[], confidencePercent=90))
    assert changes_between(before, after) == ()
    other = resource_of(benchmark_document(max_tokens=64))
    assert changes_between(before, other) == ("spec.workload.maxTokens: 256 -> 64",)


def test_another_kind_is_another_study():
    """One name for an optimization and a benchmark in one folder is said so, not compared field by field."""
    assert changes_between(resource_of(document()), resource_of(benchmark_document())) == (
        "kind: LLMOptimization -> LLMBenchmark",
    )
