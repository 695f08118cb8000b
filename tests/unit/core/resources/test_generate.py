"""Writing and checking the generated files."""

from pathlib import Path

import pytest
import yaml

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources.generate import generated, main

ROOT = Path(__file__).parents[4]


def test_the_committed_files_are_those_of_the_types() -> None:
    """What is committed under crds/ and docs/reference/ is what the types say."""
    assert main(["--check", "--root", str(ROOT)]) == 0


def test_a_changed_file_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After writing the check passes; a file changed by hand or missing fails it by name."""
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
    crds = {path: text for path, text in generated().items() if path.parts[0] == "crds"}
    assert len(crds) == 2
    for path, text in crds.items():
        document = yaml.safe_load(text)
        group, plural = path.stem.split("_")
        assert document["metadata"]["name"] == f"{plural}.{group}"


def test_the_reference_names_every_metric_and_parameter() -> None:
    """No metric of the catalogue and no parameter of a built-in engine is left out."""
    pages = {path.name: text for path, text in generated().items()}
    assert all(f"`{name}`" in pages["metrics.md"] for name in CATALOG)
    assert all(
        f"`{name}`" in pages["engines.md"] for engine in BUILT_IN.values() for name in engine.parameters
    )


def test_every_field_of_a_spec_says_what_it_means() -> None:
    """No row of a kind's table of the spec has an empty meaning."""
    for name in ("llmoptimization.md", "llmbenchmark.md"):
        spec, _, _ = generated()[Path("docs/reference") / name].partition("## Rules")
        silent = [
            line.split("|")[1] for line in spec.splitlines() if line.startswith("|") and line.endswith("|  |")
        ]
        assert silent == []
