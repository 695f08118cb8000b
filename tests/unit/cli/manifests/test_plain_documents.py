"""Manifests that were made in Python."""

from collections import OrderedDict
from enum import IntEnum, StrEnum
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import yaml

from llmopt.manifests import as_yaml
from llmopt.manifests.plain_documents import plain_document
from llmopt_core.resources import ManifestInvalid


class Engine(StrEnum):
    VLLM = "vllm"


class Size(IntEnum):
    SMALL = 4


def test_values_of_python_become_those_of_yaml():
    """What has one meaning in a manifest is taken: paths, enumerations, scalars of NumPy, other mappings."""
    given = OrderedDict(
        engine=MappingProxyType({"name": Engine.VLLM, "size": Size.SMALL}),
        path=Path("/data/q.jsonl"),
        trials=np.int64(20),
        rate=np.float64(0.5),
        name=np.str_("mine"),
        choices=(np.bool_(True), None, 1.5),  # noqa: FBT003 - the value that is tested
    )
    plain = {
        "engine": {"name": "vllm", "size": 4},
        "path": "/data/q.jsonl",
        "trials": 20,
        "rate": 0.5,
        "name": "mine",
        "choices": [True, None, 1.5],
    }
    assert plain_document(given) == plain
    assert yaml.safe_load(as_yaml(plain_document(given))) == plain


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), r"spec\.list\[1\]\.x: a value of type object: expected a mapping, a list, text"),
        ({1, 2}, "a value of type set: expected"),
        (b"text", "a value of type bytes: expected"),
        (np.array([1, 2]), "a value of type ndarray: expected"),
        (len, "a value of type builtin_function_or_method: expected"),
        ({("a", "b"): 1}, r"spec\.list\[1\]\.x: a value of type tuple: expected"),
        pytest.param(10**5000, r"spec\.list\[1\]\.x: this number is too long", id="long"),
    ],
)
def test_what_yaml_cannot_hold_is_named_with_its_place(value, said):
    """The dotted path and the type, in one line."""
    with pytest.raises(ManifestInvalid, match=said):
        plain_document({"spec": {"list": [1, {"x": value}]}})


def test_a_mapping_that_holds_itself_is_refused():
    """It has no end, and no text."""
    document = {}
    document["spec"] = document
    with pytest.raises(ManifestInvalid, match="nested too deeply"):
        plain_document(document)
