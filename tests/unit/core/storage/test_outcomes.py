"""Which outcomes a study takes."""

import math
from dataclasses import replace

import numpy as np
import pytest
from fakes.records import outcome
from fakes.studies import definition

from llmopt_core.storage.errors import OutcomeInvalid
from llmopt_core.storage.outcomes import check_outcome, check_storable
from llmopt_core.storage.records import OutcomeKind


def test_what_json_holds_can_be_stored():
    """Numbers of NumPy, nested lists and nothing are facts as others are."""
    facts = {"count": np.int64(3), "share": np.float32(0.5), "devices": [{"name": None, "on": True}]}
    check_storable(0, replace(outcome(), facts=facts))


def _circle():
    circle = {}
    circle["itself"] = circle
    return circle


@pytest.mark.parametrize("kind", list(OutcomeKind))
@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"a": {"b": [1.0, math.nan]}}, "facts.a.b.1 is nan"),
        ({"a": np.float32("inf")}, r"facts.a is (np.float32\()?inf"),
        ({"a": b"bytes"}, r"facts.a is b'bytes'"),
        ({(1, 2): "a"}, "keys must be"),
        ({"a": 10**5000}, "ValueError"),
        (_circle(), "Circular|Recursion"),
    ],
)
def test_what_json_does_not_hold_is_named(kind, facts, said):
    """However a trial ended, the message says which trial, which part of it, and what it is."""
    with pytest.raises(OutcomeInvalid, match=rf"trial 7 was {kind} with what cannot be stored: .*{said}"):
        check_storable(7, replace(outcome(kind), facts=facts))


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "0.5", 10**400])
def test_a_metric_of_the_study_must_be_a_finite_number(value):
    """A plug-in may call anything a metric."""
    with pytest.raises(OutcomeInvalid, match="without a finite accuracy"):
        check_outcome(0, outcome(metrics={"accuracy": value}), definition())
