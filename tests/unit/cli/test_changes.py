from fakes.local_runs import document

from llmopt.local.changes import changed_fields
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
