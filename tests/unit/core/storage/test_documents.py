import json
from dataclasses import replace

import numpy as np
import pytest
from fakes.studies import MIXED_SPACE, SLO, TWO_OBJECTIVES, definition
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.errors.classes import ErrorClass, Failure
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
    Assignment,
    Ending,
    dump,
    dump_definition,
    load,
    load_definition,
)
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.records import ConstraintDefinition, Outcome, OutcomeKind, Phase

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
