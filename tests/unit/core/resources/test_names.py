"""Names of owned objects: as short as Kubernetes wants them, and no two resources' the same."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.resources.names import LONGEST_NAME, best_config_map_name, owned_name
from llmopt_core.resources.optimization import Rollout

LONG = "a" * 58


def _document(name: str, kind: str = "LLMOptimization") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team-a", "uid": f"uid-of-{name}"}
    return {"kind": kind, "metadata": metadata}


@pytest.mark.parametrize("name", ["mine", "a" * 45])
def test_a_short_name_stays_as_it_was(name: str) -> None:
    """Objects that release 0.1.0 named without shortening keep their names."""
    assert owned_name(_document(name), "12345678", 54) == f"{name}-12345678"


def test_names_with_one_beginning_do_not_meet() -> None:
    """Two names that are equal in all that fits, two kinds and two lives of one name stay apart."""
    again = _document(f"{LONG}-one")
    again["metadata"] |= {"uid": "another"}
    documents = [
        _document(f"{LONG}-one"), _document(f"{LONG}-two"), _document(f"{LONG}-one", "LLMBenchmark"), again,
    ]  # fmt: skip
    for one, other in combinations(documents, 2):
        assert owned_name(one, "12345678", 54) != owned_name(other, "12345678", 54)
        assert best_config_map_name(one, None) != best_config_map_name(other, None)


def test_the_manifest_may_name_the_config_map_of_the_best() -> None:
    """Its own name comes first."""
    assert best_config_map_name(_document("mine"), None) == "mine-best"
    assert best_config_map_name(_document("mine"), Rollout(config_map_name="named")) == "named"


@given(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True), st.integers(24, LONGEST_NAME))
def test_a_name_is_valid_whatever_is_cut_off(name: str, longest: int) -> None:
    """It is short enough and has no dash where it was cut."""
    found = owned_name(_document(name), "12345678", longest)
    assert len(found) <= longest
    assert "--" not in found or "--" in name
