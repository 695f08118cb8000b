"""Faults of a manifest's file, with their lines."""

from pathlib import Path

import pytest
import yaml
from fakes.known_names import KNOWN
from fakes.manifests import benchmark, changed, optimization

from llmopt_core.resources import validate_file


def test_faults_of_a_file_have_their_lines(tmp_path: Path) -> None:
    """Each fault of each document stands at the line of the deepest field that the file has."""
    bad = yaml.safe_dump(changed(optimization(), "spec.budget", {"trials": 0}), sort_keys=False)
    other = "kind: ConfigMap\napiVersion: v1\n---\n"
    worse = yaml.safe_dump(changed(benchmark(), "spec.engine", None), sort_keys=False)
    path = tmp_path / "several.yaml"
    path.write_text(f"{bad}---\n{other}{worse}")
    lines = path.read_text().splitlines()
    faults = validate_file(path, KNOWN)
    assert [(one.fault.path, lines[one.line - 1].strip()) for one in faults] == [
        ("spec.budget.trials", "trials: 0"),
        ("spec", "spec:"),
    ]
    assert str(faults[0]).startswith(f"{path}:{faults[0].line}: spec.budget.trials: 0")


def test_a_field_that_stands_twice_is_a_fault(tmp_path: Path) -> None:
    """YAML's silent last-one-wins is reported at its path."""
    path = tmp_path / "twice.yaml"
    path.write_text(yaml.safe_dump(optimization()) + "kind: LLMOptimization\n")
    (found,) = validate_file(path, KNOWN)
    assert (found.fault.path, found.fault.expected) == ("kind", "each field once")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [("", 1, "the file is empty"), ("a: 1\nb: [\n", 3, "YAML"), ("\na: 1\n", 2, "one of LLMOptimization")],
)
def test_a_file_without_a_resource_is_a_fault(tmp_path: Path, text: str, line: int, message: str) -> None:
    """An empty file, broken YAML and other documents are each one fault with a line."""
    path = tmp_path / "manifest.yaml"
    path.write_text(text)
    (found,) = validate_file(path, KNOWN)
    assert found.line == line
    assert message in str(found)


def test_a_dotted_key_is_found_on_its_line(tmp_path: Path) -> None:
    """A key with dots in it, as enqueued parameters have, leads to its own line."""
    document = changed(
        optimization(), "spec.search.enqueue", [{"engine.n_parallel": 4}, {"engine.n_batch": 1}]
    )
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(document))
    (found,) = validate_file(path, KNOWN)
    assert "engine.n_batch" in path.read_text().splitlines()[found.line - 1]
