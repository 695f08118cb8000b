"""From YAML to the types."""

from pathlib import Path

import pytest
import yaml
from fakes.manifests import benchmark, optimization

from llmopt_core.resources import LLMBenchmark, LLMOptimization, ManifestInvalid, load_manifest

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n"


def test_text_and_files_are_read_alike(tmp_path: Path) -> None:
    """A str is YAML text, a Path a file of it."""
    text = yaml.safe_dump(optimization())
    (tmp_path / "manifest.yaml").write_text(text)
    assert load_manifest(text) == load_manifest(tmp_path / "manifest.yaml")
    assert isinstance(load_manifest(text), LLMOptimization)


def test_the_kind_decides_the_type() -> None:
    """A benchmark comes back as one."""
    resource = load_manifest(yaml.safe_dump(benchmark()))
    assert isinstance(resource, LLMBenchmark)
    assert [candidate.name for candidate in resource.spec.candidates] == ["default", "slots"]


def test_documents_of_other_groups_are_passed_over() -> None:
    """A ConfigMap in the same file does not hinder."""
    assert load_manifest(f"{CONFIG_MAP}---\n{yaml.safe_dump(optimization())}").kind == "LLMOptimization"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "one resource of llmopt.dev, found 0"),
        (f"{yaml.safe_dump(optimization())}---\n{yaml.safe_dump(benchmark())}", "found 2"),
        ("a: [1, 2", "YAML: .*line 2"),
        ("- 1\n", "fields with values"),
        (CONFIG_MAP, "one of LLMOptimization, LLMBenchmark"),
        ("apiVersion: llmopt.dev/v1alpha1\nkind: LLMOptimisation\n", "did you mean LLMOptimization"),
        ("apiVersion: llmopt.dev/v1alpha1\n", "kind: expected one of"),
    ],
)
def test_what_is_no_resource_is_refused_in_words(text: str, message: str) -> None:
    """Text that is not one resource raises ManifestInvalid that says what was expected."""
    with pytest.raises(ManifestInvalid, match=message):
        load_manifest(text)


def test_a_written_resource_reads_back_the_same() -> None:
    """What `model_dump` writes by alias is a manifest of the same resource."""
    resource = load_manifest(yaml.safe_dump(optimization()))
    written = yaml.safe_dump(resource.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert load_manifest(written) == resource
