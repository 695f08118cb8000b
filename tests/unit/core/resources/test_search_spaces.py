"""From a manifest's space to dimensions with typed values."""

import pytest

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.resources.optimization import Space
from llmopt_core.resources.search_spaces import build_space, complete, parse_value
from llmopt_core.search.spaces import ChoiceDimension, FloatDimension, IntDimension


def space(**groups):
    return Space.model_validate(groups)


def test_each_kind_of_dimension_keeps_its_bounds():
    """Whole numbers, decimals as text, and choices in the type that the engine declares."""
    built = build_space(
        space(
            engine=[
                {"name": "n_parallel", "int": {"low": 1, "high": 16, "log": True}},
                {"name": "cache_prompt", "categorical": {"choices": ["true", "false"]}},
            ],
            sampling=[{"name": "temperature", "float": {"low": "0", "high": "1.2", "step": "0.1"}}],
        ),
        LLAMACPP,
    )
    assert built.names() == ("engine.n_parallel", "engine.cache_prompt", "sampling.temperature")
    slots, cache, temperature = (parameter.dimension for parameter in built.parameters)
    assert slots == IntDimension(1, 16, 1, log=True)
    assert cache == ChoiceDimension((True, False))
    assert temperature == FloatDimension(0.0, 1.2, 0.1)


def test_a_condition_decides_whether_a_parameter_is_asked():
    """At temperature 0 every answer is the likeliest one: top_p is not asked."""
    built = build_space(
        space(
            sampling=[
                {"name": "temperature", "float": {"low": "0", "high": "1"}},
                {
                    "name": "top_p",
                    "float": {"low": "0.5", "high": "1"},
                    "when": [{"parameter": "sampling.temperature", "above": "0"}],
                },
            ]
        ),
        LLAMACPP,
    )
    assert not built.parameters[1].active({"sampling.temperature": 0.0})
    assert built.parameters[1].active({"sampling.temperature": 0.1})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("prompt.colour", "red", "not a prompt parameter"),
        ("engine.no_such", 1, "no parameter"),
        ("prompt.few_shot", "three", "three"),
    ],
)
def test_a_value_that_cannot_be_read_says_why(name, value, words):
    """The message names what was not understood."""
    with pytest.raises(ValueError, match=words):
        parse_value(name, value, LLAMACPP)


def test_the_searched_values_win_over_the_fixed_ones_and_both_over_defaults():
    """A configuration is complete: what neither the search nor the manifest says is the engine's default."""
    configuration = complete(
        {"engine.n_parallel": 4}, {"engine.n_parallel": 2, "engine.n_ctx": 4096}, LLAMACPP
    )
    assert configuration.engine["n_parallel"] == 4
    assert configuration.engine["n_ctx"] == 4096
    assert configuration.engine["cont_batching"] is True


def test_steps_of_a_float_leave_no_dust():
    """0.1 x 6 is 0.6 to a reader, and to the key of the configuration."""
    dusty = complete({"sampling.temperature": 0.1 * 6}, {}, LLAMACPP)
    assert dusty.sampling["temperature"] == 0.6
    assert dusty.key() == complete({"sampling.temperature": 0.6}, {}, LLAMACPP).key()
