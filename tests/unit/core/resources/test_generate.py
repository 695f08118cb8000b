"""Writing and checking the generated files."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.patterns import machine
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources.generate import generated, main

ROOT = Path(__file__).parents[4]


def test_the_committed_files_are_those_of_the_types() -> None:
    """What is committed under crds/ and docs/reference/ is what the types say."""
    assert main(["--check", "--root", str(ROOT)]) == 0


def test_a_changed_file_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After writing the check passes; a file changed by hand or missing fails it by name."""
    (tmp_path / "helm/llmopt").mkdir(parents=True)
    shutil.copy(ROOT / "helm/llmopt/values.yaml", tmp_path / "helm/llmopt")
    assert main(["--root", str(tmp_path)]) == 0
    assert main(["--check", "--root", str(tmp_path)]) == 0
    (tmp_path / "docs/reference/metrics.md").write_text("by hand")
    (tmp_path / "crds/llmopt.dev_llmbenchmarks.yaml").unlink()
    assert main(["--check", "--root", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "metrics.md is out of date" in said
    assert "llmbenchmarks.yaml is out of date" in said


def test_the_crds_are_yaml_of_custom_resource_definitions() -> None:
    """Each file under crds/ parses to a definition whose name is that of its file."""
    crds = {path: text for path, text in generated(ROOT).items() if path.parts[0] == "crds"}
    assert len(crds) == 2
    for path, text in crds.items():
        document = yaml.safe_load(text)
        group, plural = path.stem.split("_")
        assert document["metadata"]["name"] == f"{plural}.{group}"


def test_the_reference_names_every_metric_and_parameter() -> None:
    """No metric of the catalogue and no parameter of a built-in engine is left out."""
    pages = {path.name: text for path, text in generated(ROOT).items()}
    assert all(f"`{name}`" in pages["metrics.md"] for name in CATALOG)
    assert all(
        f"`{name}`" in pages["engines.md"] for engine in BUILT_IN.values() for name in engine.parameters
    )


def test_every_field_of_a_spec_says_what_it_means() -> None:
    """No row of a kind's table of the spec has an empty meaning."""
    for name in ("llmoptimization.md", "llmbenchmark.md"):
        spec, _, _ = generated(ROOT)[Path("docs/reference") / name].partition("## Rules")
        silent = [
            line.split("|")[1] for line in spec.splitlines() if line.startswith("|") and line.endswith("|  |")
        ]
        assert silent == []


def test_the_page_of_errors_has_every_class_and_cause() -> None:
    """Nothing that classification can find is without a remedy on the page."""
    text = generated(ROOT)[Path("docs/reference/errors.md")]
    assert all(f"| `{each}` |" in text for each in ErrorClass)
    patterns = [*machine.PATTERNS, *(each for engine in BUILT_IN.values() for each in engine.logs.patterns)]
    assert len(patterns) > 50
    assert all(f"| {each.name.replace('-', ' ')} |" in text for each in patterns)


def test_the_page_of_helm_values_has_every_value() -> None:
    """Each value has its comment, whole, with its default."""
    text = generated(ROOT)[Path("docs/reference/helm-values.md")]
    assert '| `registry` | `""` | Registry and path in front of the names of llmopt\'s own images' in text
    assert "| `settings.policy.tolerations` | `[nvidia.com/gpu, amd.com/gpu]` | Keys of taints" in text
    values = yaml.safe_load((ROOT / "helm/llmopt/values.yaml").read_text())
    assert [path for path in _leaves(values) if not _has_default(text, path)] == []


def _leaves(values: Any, path: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}"


def _has_default(text: str, path: str) -> bool:
    """Say whether the value at `path`, or a mapping around it, stands there with what it is by default."""
    if path == "networkPolicy.runners.blocked":  # a list over several lines
        return f"| `{path}` |" in text
    names = path.split(".")
    return any(f"| `{'.'.join(names[:depth])}` | `" in text for depth in range(1, len(names) + 1))
