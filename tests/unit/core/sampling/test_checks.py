import pytest
from fakes.studies import TWO_OBJECTIVES, definition

from llmopt_core.sampling.checks import OPTUNA_SAMPLERS, check_sampler
from llmopt_core.sampling.samplers import make_sampler
from llmopt_core.search.spaces import FloatDimension, IntDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.errors import SamplerUnavailable


def test_grid_needs_steps():
    """A grid over a dimension without steps is refused by its name, as is one of too many points."""
    endless = SearchSpace((SpaceParameter("sampling.top_p", FloatDimension(0.1, 1.0)),))
    with pytest.raises(SamplerUnavailable, match=r"sampling\.top_p has no step"):
        check_sampler(definition(sampler="grid", space=endless))
    wide = SearchSpace(tuple(SpaceParameter(f"engine.p{n}", IntDimension(1, 100)) for n in range(3)))
    with pytest.raises(SamplerUnavailable, match="more than 100000 points"):
        check_sampler(definition(sampler="grid", space=wide))


def test_cmaes_has_one_objective():
    """cmaes with several objectives is refused with what to use instead."""
    with pytest.raises(SamplerUnavailable, match="use tpe or nsga2"):
        check_sampler(definition(sampler="cmaes", objectives=TWO_OBJECTIVES))


def test_unknown_sampler_is_refused():
    """A sampler that does not exist is refused with those that do."""
    with pytest.raises(SamplerUnavailable, match="'magic' is unknown; there are auto, cmaes"):
        check_sampler(definition(sampler="magic"))


@pytest.mark.parametrize("name", OPTUNA_SAMPLERS)
def test_known_samplers_exist(name):
    """Each sampler of Optuna's that is known can be made, where what it needs is installed."""
    check_sampler(definition(sampler=name))
    assert make_sampler(definition(sampler=name), "runner", 0) is not None
