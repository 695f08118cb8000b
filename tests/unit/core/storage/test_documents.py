import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from fakes.comparisons import comparison
from fakes.studies import MIXED_SPACE, SLO, TWO_OBJECTIVES, definition, heartbeat
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import Confirm
from llmopt_core.resources.searching import Categorical, Search, Space
from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.documents import (
    ASSIGNMENTS,
    ENDINGS,
    HEARTBEATS,
    PLANS,
    Assignment,
    Ending,
    Heartbeat,
    dump,
    dump_definition,
    kept_size,
    load,
    load_definition,
)
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.records import (
    MOST_CANDIDATES,
    MOST_METRICS,
    MOST_REPEATS,
    ConfirmPlan,
    ConstraintDefinition,
    Outcome,
    OutcomeKind,
    Phase,
)

_names = st.text("abcdef._", min_size=1, max_size=8)
_values = st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | st.text(max_size=12)
_mappings = st.dictionaries(_names, _values, max_size=5)


def _typed(mapping):
    return {name: (type(value), value) for name, value in mapping.items()}


@given(_mappings, _mappings, st.dictionaries(_names, st.floats(-1e9, 1e9), max_size=5))
def test_endings_survive(engine, sampling, metrics):
    """An ending comes back equal, each parameter with its own type."""
    outcome = Outcome(
        OutcomeKind.FAILED,
        Configuration(engine=engine, sampling=sampling),
        metrics=metrics,
        failure=Failure(ErrorClass.DISK_FULL, "full", "free space"),
        warnings=("one", "two"),
        facts={"nested": {"list": [1, "two", None, 3.5]}},
        copied_from=3,
    )
    ending = Ending(outcome, ((0, 1.0), (5, 0.0)))
    loaded = ENDINGS.validate_json(dump(ending))
    assert loaded == ending
    assert _typed(loaded.outcome.configuration.engine) == _typed(engine)
    assert loaded.outcome.configuration.key() == outcome.configuration.key()


@given(_mappings)
def test_assignments_survive(parameters):
    """An assignment comes back equal, each parameter with its own type."""
    assignment = Assignment(
        Phase.CONFIRM, parameters, attempt=2, candidate=1, repeat=0, sampler={"cma": "ab", "n": 3}
    )
    loaded = ASSIGNMENTS.validate_json(dump(assignment))
    assert loaded == assignment
    assert _typed(loaded.parameters) == _typed(parameters)


def test_definitions_survive():
    """A definition comes back equal: all dimensions, conditions, choices of every type."""
    space = SearchSpace(
        (
            *MIXED_SPACE.parameters,
            SpaceParameter("engine.mixed", ChoiceDimension((True, 1, 1.5, "1"))),
            SpaceParameter("engine.log", IntDimension(1, 64, log=True)),
            SpaceParameter(
                "sampling.min_p",
                FloatDimension(0.01, 1.0, log=True),
                (Condition("engine.mixed", among=(True, "1")), Condition("engine.log", above=2, below=9.5)),
            ),
        )
    )
    made = definition(space=space, objectives=TWO_OBJECTIVES, constraints=SLO, enqueue=({"engine.log": 4},))
    loaded = load_definition(dump_definition(made))
    assert loaded == made
    assert [type(choice) for choice in loaded.space.parameters[4].dimension.choices] == [
        bool,
        int,
        float,
        str,
    ]


def test_numbers_of_numpy_are_stored_as_plain_ones():
    """Facts and metrics may hold numpy's numbers."""
    outcome = Outcome(
        OutcomeKind.MEASURED, Configuration(), metrics={"accuracy": np.float32(0.5)}, facts={"n": np.int64(3)}
    )
    loaded = ENDINGS.validate_json(dump(Ending(outcome))).outcome
    assert (loaded.metrics["accuracy"], loaded.facts["n"]) == (0.5, 3)


@pytest.mark.parametrize("value", [object(), float("nan"), float("inf"), {1, 2}])
def test_what_json_cannot_hold_is_refused(value):
    """A fact that cannot be read back is refused when it is stored."""
    with pytest.raises((TypeError, ValueError)):
        dump(Ending(Outcome(OutcomeKind.FAILED, Configuration(), facts={"bad": value})))


_any_text = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\ud83d\ude00\udfff\x00\\u"), max_size=20
)


@given(_any_text)
def test_any_text_can_be_stored_and_read_back(text):
    """Half of a character in a server's message becomes U+FFFD; all other text comes back as it was."""
    failure = Failure(ErrorClass.REQUESTS_FAILED, text, text)
    ending = Ending(Outcome(OutcomeKind.FAILED, Configuration(), failure=failure, facts={text: [text]}))
    stored = dump(ending)
    assert stored.isascii()
    assert "\x00" not in stored
    loaded = load(ENDINGS, stored, "it")
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert loaded.outcome.failure.message == whole
    assert dump(loaded) == stored


@given(_any_text)
def test_what_earlier_versions_stored_can_be_read(text):
    """Text that was stored with half of a character in it is read, with U+FFFD in its place."""
    stored = json.dumps({"outcome": {"kind": "failed", "configuration": {}, "warnings": [text]}})
    (loaded,) = load(ENDINGS, stored, "it").outcome.warnings
    assert loaded == text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


@given(st.text(max_size=30) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_what_is_no_document_has_its_own_error(text):
    """Whatever stands where a document should is StudyUnreadable, and never another exception."""
    for adapter in (ENDINGS, ASSIGNMENTS):
        with pytest.raises(StudyUnreadable, match="it cannot be read"):
            load(adapter, text, "it")
    with pytest.raises(StudyUnreadable, match="definition"):
        load_definition(text)


def test_what_came_after_the_first_release_is_stored_only_where_it_is_set():
    """So a runner of an earlier release reads a study without it; a measured baseline is no setting."""
    plain = json.loads(dump_definition(definition(constraints=SLO)))
    assert "output_tokens" not in plain
    assert plain["constraints"] == [{"metric": "ttft_ms_p95", "minimum": None, "maximum": 500.0}]
    relative = ConstraintDefinition("accuracy", -0.02, None, "baseline", baseline=0.3)
    made = definition(constraints=(relative,), output_tokens=32)
    loaded = load_definition(dump_definition(made))
    assert loaded == replace(made, constraints=(replace(relative, baseline=None),))


def test_what_the_api_allows_can_be_read():
    """No bound on stored documents is narrower than what the API allows a resource to ask for."""
    assert _most(BenchmarkSpec, "repeats") == _most(Confirm, "repeats") == MOST_REPEATS
    assert max(_most(BenchmarkSpec, "candidates"), _most(Confirm, "top") + 1) == MOST_CANDIDATES
    assert _most(BenchmarkSpec, "metrics") == MOST_METRICS
    names = [f"candidate-{place}" for place in range(MOST_CANDIDATES)]
    metrics = tuple(f"metric_{place}" for place in range(MOST_METRICS))
    made = definition(comparison=comparison(*names, repeats=MOST_REPEATS, metrics=metrics), seed=2**31 - 1)
    assert load_definition(dump_definition(made)) == made
    plan = ConfirmPlan(
        tuple({"engine.n": place} for place in range(MOST_CANDIDATES)),
        tuple(range(MOST_CANDIDATES)),
        MOST_REPEATS,
        basis=10_000,
        engines=tuple(names),
        level=0.01,
        first_look=MOST_REPEATS,
        spent=(0.01,) * MOST_REPEATS,
        smallest_gain=0.5,
        reference=MOST_CANDIDATES - 1,
    )
    assert load(PLANS, dump(plan), "it") == plan


def _most(kind, field):
    """Return the largest number, or the longest list, that `field` of a resource accepts."""
    limits = kind.model_fields[field].metadata
    return next(most for each in limits if (most := getattr(each, "le", getattr(each, "max_length", None))))


def test_a_space_as_large_as_the_api_allows_can_be_read():
    """So do all parameters, choices and configurations that a resource may give."""
    count = sum(_most(Space, group) for group in ("engine", "sampling", "prompt"))
    choices = tuple(str(place) for place in range(_most(Categorical, "choices")))
    space = SearchSpace(
        tuple(SpaceParameter(f"engine.p{place}", ChoiceDimension(choices)) for place in range(count))
    )
    inherited = 5 * _most(Search, "warm_start_from")
    enqueue = ({"engine.p0": "1"},) * (_most(Search, "enqueue") + inherited)
    made = definition(space=space, enqueue=enqueue)
    assert load_definition(dump_definition(made)) == made


_PLAN = {"candidates": [{}, {}], "source_trials": [0, 1], "repeats": 5}
_MANY = 1_000_000_000


@pytest.mark.parametrize(
    "forged",
    [
        {"repeats": _MANY},
        {"repeats": -1},
        {"per_start": 0},
        {"per_start": _MANY},
        {"first_look": _MANY},
        {"first": -1},
        {"basis": 10**100},
        {"reference": 2},
        {"reference": -1},
        {"level": 0},
        {"level": 1.5},
        {"smallest_gain": float("nan")},
        {"spent": [0.01] * 51},
        {"spent": [0.0]},
        {"engines": ["a"]},
        {"source_trials": [0]},
        {"source_trials": [0, -1]},
        {"candidates": [{}] * 17, "source_trials": [0] * 17},
        {"candidates": [], "source_trials": []},
    ],
    ids=lambda forged: str(forged)[:40],
)
def test_a_plan_beyond_what_llmopt_makes_cannot_be_read(forged):
    """Numbers in a stored plan decide how much a reader computes: forged ones are refused."""
    assert load(PLANS, json.dumps(_PLAN), "it").repeats == 5
    with pytest.raises(StudyUnreadable, match="it cannot be read"):
        load(PLANS, json.dumps({**_PLAN, **forged}), "it")


@pytest.mark.parametrize(
    ("adapter", "document"),
    [
        (ASSIGNMENTS, Assignment(Phase.CONFIRM, candidate=0, repeat=MOST_REPEATS)),
        (ASSIGNMENTS, Assignment(Phase.CONFIRM, candidate=0, repeat=-1)),
        (ASSIGNMENTS, Assignment(Phase.CONFIRM, candidate=-1, repeat=0)),
        (ASSIGNMENTS, Assignment(Phase.CONFIRM, turn=10**30)),
        (ASSIGNMENTS, Assignment(Phase.CONFIRM, start=-1)),
        (ASSIGNMENTS, Assignment(Phase.SEARCH, attempt=-1)),
        (ASSIGNMENTS, Assignment(Phase.SEARCH, losses=2**31)),
        (ASSIGNMENTS, Assignment(Phase.SEARCH, repaired_from=10**30)),
        (ENDINGS, Ending(Outcome(OutcomeKind.COPIED, Configuration(), copied_from=10**30))),
        (HEARTBEATS, Heartbeat("a", heartbeat("runner", 10**30))),
        (HEARTBEATS, Heartbeat("a", heartbeat("runner", 1, trial=-1))),
        (HEARTBEATS, Heartbeat("a", heartbeat("runner", 1, gpus=10**30))),
    ],
    ids=lambda part: "" if not isinstance(part, Assignment | Ending | Heartbeat) else str(part)[:60],
)
def test_a_number_that_no_column_holds_cannot_be_read(adapter, document):
    """Numbers of trials, repeats and runners are those that llmopt counts."""
    with pytest.raises(StudyUnreadable, match="it cannot be read"):
        load(adapter, dump(document), "it")


@pytest.mark.parametrize(
    "changes",
    [
        {"repeats": _MANY},
        {"confidence": 1.0},
        {"confidence": float("-inf")},
        {"metrics": ["accuracy"] * 33},
        {"candidates": [{"name": "a", "serving": None}] * 17},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_comparison_beyond_the_api_cannot_be_read(changes):
    """So are the numbers in a benchmark's definition."""
    document = json.loads(dump_definition(definition(comparison=comparison("a", "b"))))
    document["comparison"].update(changes)
    with pytest.raises(StudyUnreadable, match="definition cannot be read"):
        load_definition(json.dumps(document))


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": -1},
        {"seed": 10**30},
        {"seed": "many"},
        {"enqueue": [{}] * 257},
        {"objectives": [{"metric": "accuracy", "direction": "maximize"}] * 257},
        {"constraints": [{"metric": "accuracy", "minimum": 0.5}] * 257},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_definition_beyond_what_llmopt_makes_cannot_be_read(changes):
    """A reader keeps a definition as long as the study is open: it has no more parts than ours have."""
    document = {**json.loads(dump_definition(definition())), **changes}
    with pytest.raises(StudyUnreadable, match="definition cannot be read"):
        load_definition(json.dumps(document))


_FORGED = {
    "metrics": (ENDINGS, '{"outcome":{"kind":"failed","configuration":{},"metrics":{@}}}', '"#":1'),
    "samples": (ENDINGS, '{"outcome":{"kind":"failed","configuration":{},"samples":{@}}}', '"#":1'),
    "parameters": (ASSIGNMENTS, '{"phase":"search","parameters":{@}}', '"#":1'),
    "lists": (ASSIGNMENTS, '{"phase":"search","sampler":{"a":[@]}}', "[]"),
    "mappings": (ASSIGNMENTS, '{"phase":"search","sampler":{"a":[@]}}', '{"":0}'),
    "nothing": (ENDINGS, '{"outcome":{"kind":"failed","configuration":{}}}', ""),
}


@pytest.mark.parametrize("name", _FORGED)
def test_what_is_kept_counts_as_a_share_of_what_it_takes(name):
    """However short the parts of a document are, it takes little more than six times what it counts as."""
    adapter, document, element = _FORGED[name]
    parts = [[element.replace("#", f"{place:x}.{each:x}") for each in range(500)] for place in range(200)]
    texts = [document.replace("@", ",".join(each)) for each in parts]
    load(adapter, texts[0], "it")
    tracemalloc.start()
    kept = [load(adapter, text, "it") for text in texts]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) == len(texts)
    assert taken < 6.5 * sum(map(kept_size, texts))


def test_an_ordinary_document_counts_as_its_text():
    """Where parts have names and values of some length, what is kept counts as its characters."""
    names = ("good_answers_per_second", "output_tokens_per_second", "requests_per_second", "ttft_ms_p95")
    metrics = {f"{name}_{place}": 12.345678 + place for name in names for place in range(20)}
    text = dump(Ending(Outcome(OutcomeKind.MEASURED, Configuration(), metrics=metrics)))
    assert kept_size(text) == len(text)
