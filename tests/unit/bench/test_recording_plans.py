"""Which configurations are recorded, and in which order."""

from collections import Counter
from dataclasses import replace

import pytest
from recording.plans import REPEATS, Plan, TooFewConfigurations
from recording.recipes import MAX_TOKENS, Recipe, llamacpp

from llmopt_core.resources.search_spaces import complete
from llmopt_core.search.spaces import ChoiceDimension, Condition, SpaceParameter
from llmopt_core.storage.definitions import fixed_parameters


@pytest.fixture(name="recipe")
def _recipe() -> Recipe:
    return replace(llamacpp(), engines=6, requests=4)


def test_the_same_recipe_has_the_same_plan(recipe: Recipe) -> None:
    """A recording that goes on must measure what it began with."""
    assert Plan.of(recipe) == Plan.of(recipe)
    assert Plan.of(replace(recipe, seed=recipe.seed + 1)) != Plan.of(recipe)


def test_each_engine_starts_once_in_each_repeat(recipe: Recipe) -> None:
    """All are started before any is started again, and each start is asked everything."""
    plan = Plan.of(recipe)
    starts = Counter((start.repeat, start.engine) for start in plan.starts)
    assert starts == {(repeat, engine): 1 for repeat in range(REPEATS) for engine in range(6)}
    assert [start.repeat for start in plan.starts] == sorted(start.repeat for start in plan.starts)
    assert all(sorted(start.requests) == [0, 1, 2, 3] for start in plan.starts)


def test_no_engine_configuration_is_there_twice(recipe: Recipe) -> None:
    """Two that the engine takes for the same would be one configuration with two rows."""
    plan = Plan.of(replace(recipe, engines=30))
    fixed = fixed_parameters(recipe.spec.engine, recipe.spec.workload, recipe.declaration)
    keys = {complete(dict(point), fixed, recipe.declaration).key() for point in plan.engines}
    assert len(keys) == 30


def test_a_configuration_holds_what_is_active_only(recipe: Recipe) -> None:
    """What depends on the engine that is asked is left out where its condition does not hold."""
    cached = Condition("engine.cache_prompt", among=(True,))
    on_cached = SpaceParameter("workload.extra", ChoiceDimension((1, 2)), (cached,))
    plan = Plan.of(replace(recipe, workload=(*recipe.workload, on_cached)))
    for engine, point in enumerate(plan.engines):
        values = plan.configuration(engine, 0)
        assert ("workload.extra" in values) == point["engine.cache_prompt"]
        assert ("engine.cache_type_v" in values) == (point["engine.flash_attn"] == "on")
        assert MAX_TOKENS in values
        assert list(values) == [name for name in plan.space.names() if name in values]


def test_requests_differ_in_what_no_engine_switches_off(recipe: Recipe) -> None:
    """Else two of them were the same on an engine that leaves the only difference out."""
    plan = Plan.of(replace(recipe, requests=12))
    assert len({tuple(sorted(point.items())) for point in plan.requests}) == 12
    assert all(("sampling.top_p" in point) == (point["sampling.temperature"] > 0) for point in plan.requests)


def test_a_space_that_is_too_small_is_refused(recipe: Recipe) -> None:
    """The error says how many configurations there are."""
    few = SpaceParameter(MAX_TOKENS, ChoiceDimension((8,)))
    bare = {**recipe.document, "spec": {**recipe.document["spec"]}}
    bare["spec"]["search"] = {
        "space": {"engine": [{"name": "flash_attn", "categorical": {"choices": ["on", "off"]}}]}
    }
    with pytest.raises(TooFewConfigurations, match=r"3 configurations of engine.flash_attn: there are 2"):
        Plan.of(replace(recipe, document=bare, workload=(few,), engines=3, requests=1))
