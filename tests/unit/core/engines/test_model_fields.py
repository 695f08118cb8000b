"""What engines make of the fields that all of them share."""

import pytest

from llmopt_core.engines.model_fields import FIELDS, Unusable
from llmopt_core.engines.registry import BUILT_IN

STARTED = [engine for engine in BUILT_IN.values() if not engine.asks_endpoint]
VALUES = {
    "device": ("auto", "cpu", "cuda", "cuda:1"),
    "dtype": ("auto", "bfloat16"),
    "quantization": (0, 4, 8),
    "max_batch_size": (1, 8),
    "tensor_parallel_size": (1, 2),
    "pipeline_parallel_size": (1, 2),
}


@pytest.mark.parametrize("engine", STARTED, ids=lambda engine: engine.name)
def test_every_engine_that_is_started_knows_every_field(engine):
    """No field is ignored: each is a parameter, or a reason why it is none."""
    assert set(engine.model_fields) == set(FIELDS) == set(VALUES)


@pytest.mark.parametrize("engine", STARTED, ids=lambda engine: engine.name)
@pytest.mark.parametrize("field", FIELDS)
def test_what_a_field_means_is_a_parameter_that_the_engine_takes(engine, field):
    """Each value becomes declared parameters with allowed values, or says what to do."""
    for value in VALUES[field]:
        meant = engine.model_fields[field](value)
        if isinstance(meant, Unusable):
            assert meant.expected
            assert meant.hint
            continue
        for name, given in meant.items():
            engine.parameters[f"engine.{name}"].parse(given)
