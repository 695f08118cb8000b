"""What live searches are asked: the quickstart, with one objective and a time."""

import pytest
from live.manifests import OBJECTIVE, comparison, quickstart, search
from live_search import tasks

from llmopt_core.resources.loading import resource_of
from llmopt_core.storage.definitions import define_study


@pytest.mark.parametrize(("sampler", "pruner"), [("auto", "auto"), ("tpe", "none")])
def test_a_search_is_the_quickstarts_with_one_objective(sampler: str, pruner: str) -> None:
    """Same space, model and items; it ends by its time, and confirms nothing."""
    found = resource_of(search("tpe-1", sampler, pruner, 1, 300))
    sample = resource_of(quickstart())
    assert found.spec.search.space == sample.spec.search.space
    assert found.spec.workload == sample.spec.workload
    assert [each.metric for each in found.spec.objectives] == [OBJECTIVE]
    assert (found.spec.budget.duration, found.spec.confirm.top) == ("300s", 0)
    definition = define_study(found)
    assert (definition.sampler, definition.pruner, definition.seed) == (sampler, pruner, 1)


def test_winners_are_compared_with_the_default_on_the_same_items() -> None:
    """Their parameters are those that were found, typed as the engine has them."""
    winner = {"engine.n_parallel": 4, "engine.cache_prompt": False, "sampling.temperature": 0.3}
    found = resource_of(comparison({"auto-0": winner}, 5))
    assert found.spec.workload == resource_of(quickstart()).spec.workload
    default, candidate = define_study(found).candidates
    assert default.name == found.spec.baseline_name == "default"
    assert {name: candidate.parameters[name] for name in winner} == winner


def test_every_method_has_every_seed_in_an_order_of_its_own() -> None:
    """A drift of the machine falls on no method in particular."""
    methods = ["auto", "tpe", "random", "smac"]
    found = tasks(methods, 2, 0.5)
    assert {(task.method, task.seed) for task in found} == {
        (name, seed) for name in methods for seed in (0, 1)
    }
    assert [task.seed for task in found] == [0] * 4 + [1] * 4
    assert [task.method for task in found[:4]] != [task.method for task in found[4:]]
    assert {task.seconds for task in found} == {30.0}
