"""What the chart renders, held to the schemas of each Kubernetes version it is for, as strictly as can be.

The schemas are those in the package kubernetes-validate. Kinds of Prometheus Operator are not among them:
see test_monitors.
"""

import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.programs import built
from fakes.charts import CHART, VARIANTS, Rendered, rendered

_SCHEMAS = Path(str(files("kubernetes_validate"))) / "kubernetes-json-schema"
_FOREIGN_KINDS = "PodMonitor,PrometheusRule"


def _versions() -> list[str]:
    """Return the versions with schemas, from the oldest that the chart takes."""
    oldest = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    versions = [folder.name.split("-")[0].removeprefix("v") for folder in _SCHEMAS.glob("v*-local-strict")]
    return sorted(version for version in versions if _numbers(version) >= _numbers(oldest))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


@pytest.fixture(scope="module")
def everything(helm: Path) -> Rendered:
    return rendered(helm, VARIANTS["everything"])


def _problems(version: str, text: str, folder: Path) -> list[str]:
    """Return what kubeconform says against `text`."""
    _write_schemas(version, text, folder)
    done = subprocess.run(
        (
            built("kubeconform"), "-strict", f"-kubernetes-version={version}", f"-skip={_FOREIGN_KINDS}",
            f"-schema-location={folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json", "-output=json",
        ),
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = json.loads(done.stdout)["resources"]
    return [f"{each['kind']} {each['name']}: {each['msg']}" for each in said or ()]


def _write_schemas(version: str, text: str, folder: Path) -> None:
    """Write the schemas of the kinds in `text` as kubeconform finds them: by file, not by address."""
    kinds = set(re.findall(r"^kind: (\S+)$", text, re.MULTILINE))
    source = _SCHEMAS / f"v{version}-local-strict"
    paths = [path for kind in kinds for path in source.glob(f"{kind.lower()}-*.json")]
    for path in (source / "_definitions.json", *paths):
        text = path.read_text().replace('"/api/_definitions.json#', '"_definitions.json#')
        schema: dict[str, Any] = json.loads(text, object_hook=_without_prose)
        schema.pop("$id", None)
        (folder / path.name).write_text(json.dumps(schema))


def _without_prose(schema: dict[str, Any]) -> dict[str, Any]:
    """Drop what is only for people: kubeconform reads all definitions once for each kind."""
    return {
        key: value for key, value in schema.items() if not (key == "description" and isinstance(value, str))
    }


@pytest.mark.parametrize("version", _versions())
def test_every_document_keeps_the_schema(everything: Rendered, version: str, tmp_path: Path) -> None:
    """Nothing that is rendered has a field that this Kubernetes does not know, or of another type."""
    assert _problems(version, everything.text, tmp_path) == []


def test_the_newest_and_the_oldest_are_among_them() -> None:
    """The versions begin with the oldest that the chart takes, and there are several."""
    versions = _versions()
    assert versions[0] == "1.31.0"
    assert len(versions) >= 7


def test_a_field_that_is_not_there_would_be_found(everything: Rendered, tmp_path: Path) -> None:
    """A misspelt field deep in a pod is a problem, so that the checks above can fail."""
    wrong = everything.text.replace("readOnlyRootFilesystem", "readOnlyRootFileSystem")
    problems = _problems(_versions()[-1], wrong, tmp_path)
    assert len(problems) == len(everything.pods())
    assert all("readOnlyRootFileSystem" in problem for problem in problems)
