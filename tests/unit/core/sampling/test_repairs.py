"""What a refused configuration is changed to before it is tried once more."""

import pytest

from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.errors.limits import Limit
from llmopt_core.errors.remedies import Change, Remedy
from llmopt_core.sampling.repairs import Refused, repair
from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)

SEQS = "engine.max_num_seqs"
UTILIZATION = "engine.gpu_memory_utilization"
TOO_LONG = (
    "ValueError: To serve at least one request with the model's max seq len (132000), (8.06 GiB KV cache is"
    " needed, which is larger than the available KV cache memory (7.57 GiB). Based on the available memory,"
    " the estimated maximum model length is 123872."
)
OTHER = SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0))


def space(name, dimension, *more):
    return SearchSpace((SpaceParameter(name, dimension), OTHER, *more))


def changed(name, dimension, asked, *, limits=(), remedies=(), more=(), may_work=lambda _: True):
    """Return the value that a trial with `asked` is repaired to, None where it is not."""
    parameters = {name: asked, OTHER.name: 0.5} | {each.name: 1 for each in more}
    failure = Failure(ErrorClass.INVALID_CONFIGURATION, "no", "", tuple(limits), tuple(remedies))
    refused = Refused(parameters, Configuration.from_flat(parameters), failure)
    found = repair(refused, space(name, dimension, *more), may_work)
    assert found is None or found == parameters | {name: found[name]}
    return None if found is None else found[name]


@pytest.mark.parametrize(
    ("dimension", "asked", "limit", "value"),
    [
        (IntDimension(16, 2048), 1024, Limit("max_num_seqs", most=856), 856),
        (IntDimension(16, 2048, step=16), 1024, Limit("max_num_seqs", most=856), 848),
        (IntDimension(16, 2048, log=True), 1024, Limit("max_num_seqs", most=856), 856),
        (ChoiceDimension((64, 512, 1024)), 1024, Limit("max_num_seqs", most=856), 512),
        (IntDimension(900, 2048), 1024, Limit("max_num_seqs", most=856), None),
        (ChoiceDimension((1024, 2048)), 2048, Limit("max_num_seqs", most=856), None),
        (IntDimension(1, 2**20), 132_000, Limit("max_num_seqs", most=123_872), 123_872),
        (IntDimension(1024, 2**30, step=1024), 132_096, Limit("max_num_seqs", most=123_872), 122_880),
        (IntDimension(1024, 2**30, step=1024), 2048, Limit("max_num_seqs", least=5000), 5120),
        (IntDimension(1, 64), 8, Limit("max_num_seqs", least=40), 40),
        (IntDimension(1, 8), 8, Limit("max_num_seqs", divides=12), 6),
        (ChoiceDimension((1, 2, 4, 8)), 8, Limit("max_num_seqs", divides=12), 4),
        (ChoiceDimension((1, 2, 4, 8)), 8, Limit("max_num_seqs", parts=(1536, 128)), 4),
        (ChoiceDimension((2, 8)), 4, Limit("max_num_seqs", divides=8), 2),
        (FloatDimension(0.1, 900.0), 1024.0, Limit("max_num_seqs", most=856), 856.0),
        (FloatDimension(0.5, 900.0, step=0.5), 880.0, Limit("max_num_seqs", most=856.7), 856.5),
    ],
)
def test_a_limit_leads_to_the_nearest_searched_value_that_keeps_it(dimension, asked, limit, value):
    """It lies in the space, goes the way the limit asks, and is never more devices than were asked for."""
    assert changed(SEQS, dimension, asked, limits=[limit]) == value


@pytest.mark.parametrize(
    ("dimension", "asked", "change", "value"),
    [
        (IntDimension(16, 2048), 1024, Change.HALVE, 512),
        (ChoiceDimension((64, 400, 1024)), 1024, Change.HALVE, 400),
        (ChoiceDimension((800, 1024)), 1024, Change.HALVE, None),
        (FloatDimension(0.5, 0.95), 0.8, Change.MOST, 0.95),
        (FloatDimension(0.5, 0.95, step=0.1), 0.8, Change.MOST, 0.9),
        (ChoiceDimension((0.8, 0.9)), 0.9, Change.MOST, None),
    ],
)
def test_advice_leads_to_a_searched_value(dimension, asked, change, value):
    """Half of the parameter at most, or the largest that is searched."""
    assert changed(SEQS, dimension, asked, remedies=[Remedy("max_num_seqs", change)]) == value


def test_the_next_way_is_taken_where_the_first_is_known_not_to_work():
    """Limits come before advice, and what was refused or measured already is passed over."""
    limits, remedies = [Limit("max_num_seqs", most=856)], [Remedy("max_num_seqs", Change.HALVE)]
    ways = {"limits": limits, "remedies": remedies}
    assert changed(SEQS, IntDimension(16, 2048), 1024, **ways) == 856
    assert changed(SEQS, IntDimension(16, 2048), 1024, **ways, may_work=lambda one: one[SEQS] != 856) == 512
    assert changed(SEQS, IntDimension(16, 2048), 1024, **ways, may_work=lambda _: False) is None


def test_what_a_manifest_fixes_stays():
    """A limit of a parameter that is not searched repairs nothing."""
    limit = Limit("max_model_len", most=123_872)
    assert changed(SEQS, IntDimension(16, 2048), 1024, limits=[limit]) is None


def test_a_change_that_asks_for_another_parameter_is_none():
    """A condition that comes to hold asks for a value that nobody proposed."""
    extra = SpaceParameter("engine.extra", IntDimension(1, 2), (Condition(SEQS, below=900.0),))
    parameters = {SEQS: 1024, OTHER.name: 0.5}
    failure = Failure(ErrorClass.INVALID_CONFIGURATION, "", "", (Limit("max_num_seqs", most=856),))
    refused = Refused(parameters, Configuration.from_flat(parameters), failure)
    assert repair(refused, space(SEQS, IntDimension(16, 2048), extra), lambda _: True) is None


def test_the_default_is_repaired_too():
    """Its own value is what the log says; where it lies outside the space only the change is told."""
    failure = Failure(
        ErrorClass.INVALID_CONFIGURATION, "", "", (Limit("max_num_seqs", most=856, unset_means=1024),)
    )
    asked = space(SEQS, IntDimension(16, 2048))
    assert repair(Refused({}, Configuration(), failure), asked, lambda _: True) == {SEQS: 856}
    inside = Configuration.from_flat({OTHER.name: 0.7})
    assert repair(Refused({}, inside, failure), asked, lambda _: True) == {SEQS: 856, OTHER.name: 0.7}


@pytest.mark.parametrize(
    ("log", "name", "dimension", "asked", "value"),
    [
        (
            "ValueError: max_num_seqs (1024) exceeds available Mamba cache blocks (856). Each decode",
            SEQS,
            IntDimension(16, 2048),
            1024,
            856,
        ),
        (
            TOO_LONG,
            "engine.max_model_len",
            IntDimension(1024, 262_144),
            132_000,
            123_872,
        ),
        (
            TOO_LONG,
            UTILIZATION,
            FloatDimension(0.5, 0.95),
            0.8,
            0.95,
        ),
        (
            "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`",
            UTILIZATION,
            FloatDimension(0.5, 0.95),
            0.8,
            0.95,
        ),
        (
            "RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests.",
            SEQS,
            IntDimension(16, 2048),
            1024,
            512,
        ),
        (
            "The input_size of down's weight = 192 is not divisible by weight quantization block_k = 128.",
            "engine.tensor_parallel_size",
            ChoiceDimension((1, 2, 4, 8)),
            8,
            4,
        ),
        (
            "Total number of attention heads (12) must be divisible by tensor parallel size (8).",
            "engine.tensor_parallel_size",
            ChoiceDimension((1, 2, 4, 8)),
            8,
            4,
        ),
        (
            "Value error, max_num_batched_tokens (2048) is smaller than max_model_len (8192). This",
            "engine.max_num_batched_tokens",
            IntDimension(1024, 16_384, step=1024),
            2048,
            8192,
        ),
        (
            "Value error, max_num_batched_tokens (32) must be greater than or equal to max_num_seqs (64).",
            SEQS,
            IntDimension(8, 64),
            64,
            32,
        ),
    ],
)
def test_messages_of_vllm_lead_to_what_they_ask_for(log, name, dimension, asked, value):
    """The configuration of a real message is repaired to the value that it names."""
    parameters = {name: asked, OTHER.name: 0.5}
    configuration = Configuration.from_flat(parameters)
    evidence = Evidence(log, 1, numbers=configuration.engine, patterns=VLLM.logs.patterns)
    failure = classify(evidence)
    found = repair(Refused(parameters, configuration, failure), space(name, dimension), lambda _: True)
    assert found == parameters | {name: value}
