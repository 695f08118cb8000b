"""The kustomize base and its overlay: rendered from the chart, taken by a real API server."""

import os
from pathlib import Path

import pytest
import yaml
from cluster.control_plane import ControlPlane
from fakes.charts import CHART, rendered

from llmopt_operator.settings import OperatorSettings

FOLDER = Path(__file__).parents[3] / "config" / "kustomize"
BASE = FOLDER / "base" / "llmopt.yaml"
OVERLAYS = sorted((FOLDER / "overlays").iterdir())


def test_the_base_is_what_the_chart_renders(helm: Path) -> None:
    """With default values and without the CRDs; LLMOPT_WRITE_SNAPSHOTS=1 writes it again."""
    text = rendered(helm, {"crds": {"install": False}}).text
    if os.environ.get("LLMOPT_WRITE_SNAPSHOTS"):
        BASE.write_text(text)
    assert BASE.read_text() == text


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_an_overlay_is_taken_by_an_api_server(plane: ControlPlane, overlay: Path) -> None:
    """Every object is valid, in the overlay's namespace, with its image and its settings."""
    text = plane.kubectl("kustomize", str(overlay))
    documents = list(yaml.safe_load_all(text))
    namespaces = {each["metadata"].get("namespace") for each in documents}
    assert namespaces == {"llmopt-system", None}
    (operator,) = [each for each in documents if each["kind"] == "Deployment"]
    assert operator["spec"]["replicas"] == 2
    (container,) = operator["spec"]["template"]["spec"]["containers"]
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    assert container["image"] == f"registry.example.com/llmopt/llmopt-operator:{version}"
    (settings,) = [each for each in documents if each["kind"] == "ConfigMap"]
    read = OperatorSettings.model_validate(yaml.safe_load(settings["data"]["operator.yaml"]))
    assert read.runner_image == f"registry.example.com/llmopt/llmopt-runner:{version}-{{image}}"
    plane.kubectl("create", "namespace", "llmopt-kustomized")
    moved = text.replace("llmopt-system", "llmopt-kustomized")
    plane.kubectl("apply", "--validate=strict", "--dry-run=server", "-f", "-", input=moved)
