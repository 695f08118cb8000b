"""What a refused configuration is changed to before it is tried once more."""

import pytest

from llmopt_core.errors.classes import ErrorClass, Failure
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
        (IntDimension(1, 8), 5, Limit("max_num_seqs", multiples=2), 4),
        (ChoiceDimension((1, 3, 5)), 5, Limit("max_num_seqs", multiples=2), 1),
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
        (FloatDimension(1.0, 900.0), 800.0, Change.HALVE, 400.0),
        (FloatDimension(0.5, 0.95), 0.9, Change.LOWER, 0.81),
        (FloatDimension(0.5, 0.95, step=0.05), 0.9, Change.LOWER, 0.8),
        (ChoiceDimension((0.85, 0.9)), 0.9, Change.LOWER, None),
        (IntDimension(16, 2048), 100, Change.DOUBLE, 200),
        (IntDimension(16, 2048, step=16), 48, Change.DOUBLE, 96),
        (ChoiceDimension((1, 2, 4)), 1, Change.DOUBLE, 2),
        (ChoiceDimension((1, 2, 4)), 4, Change.DOUBLE, None),
        (FloatDimension(0.5, 0.95), 0.8, Change.MOST, 0.95),
        (FloatDimension(0.5, 0.95, step=0.1), 0.8, Change.MOST, 0.9),
        (ChoiceDimension((0.8, 0.9)), 0.9, Change.MOST, None),
    ],
)
def test_advice_leads_to_a_searched_value(dimension, asked, change, value):
    """Half of the parameter at most, a tenth less, twice as much, or the largest that is searched."""
    assert changed(SEQS, dimension, asked, remedies=[Remedy("max_num_seqs", change)]) == pytest.approx(value)


@pytest.mark.parametrize(
    ("choices", "asked", "value", "found"),
    [
        (("auto", "bfloat16", "float16"), "bfloat16", "float16", "float16"),
        (("auto", "bfloat16"), "bfloat16", "float16", None),
        (("float16", "float32"), "float16", "float16", None),
        ((False, True), False, True, True),
    ],
)
def test_a_value_that_is_advised_is_taken_where_it_is_searched(choices, asked, value, found):
    """Words and switches too; what was refused with the value itself is left as it is."""
    remedy = Remedy("max_num_seqs", Change.TAKE, value)
    assert changed(SEQS, ChoiceDimension(choices), asked, remedies=[remedy]) == found


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
    """Its own value is what the log says; where it lies outside the space only the change is reported."""
    failure = Failure(
        ErrorClass.INVALID_CONFIGURATION, "", "", (Limit("max_num_seqs", most=856, unset_means=1024),)
    )
    asked = space(SEQS, IntDimension(16, 2048))
    assert repair(Refused({}, Configuration(), failure), asked, lambda _: True) == {SEQS: 856}
    inside = Configuration.from_flat({OTHER.name: 0.7})
    assert repair(Refused({}, inside, failure), asked, lambda _: True) == {SEQS: 856, OTHER.name: 0.7}


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        (Remedy("max_num_seqs", Change.HALVE), "halve max_num_seqs"),
        (Remedy("mem_fraction_static", Change.LOWER), "lower mem_fraction_static"),
        (Remedy("n_ctx", Change.DOUBLE), "double n_ctx"),
        (Remedy("gpu_memory_utilization", Change.MOST), "raise gpu_memory_utilization"),
        (Remedy("enforce_eager", Change.TAKE, value=True), "set enforce_eager to true"),
        (Remedy("dtype", Change.TAKE, value="float16"), "set dtype to float16"),
    ],
)
def test_advice_is_given_in_words(remedy, words):
    """As `llmopt explain` prints it: what to do, with values as a manifest has them."""
    assert str(remedy) == words
