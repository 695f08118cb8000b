"""The examples for GPU nodes: the chart takes the values, the operator runs what the page says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.charts import rendered
from fakes.manifests import optimization

from llmopt_core.resources import resource_of
from llmopt_operator.domain.policies import denial
from llmopt_operator.settings import OperatorSettings, Policy
from llmopt_operator.specs.jobs import runner_job

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "helm" / "examples").glob("*.yaml"))
PAGE = (ROOT / "docs" / "operations" / "gpu-nodes.md").read_text()
BLOCKS: dict[str, Any] = {
    name: yaml.safe_load(text)["runners"]
    for name, text in re.findall(r"```yaml\n# helm/examples/(\S+)\n(.*?)```", PAGE, re.DOTALL)
}


def _document(runners: dict[str, Any]) -> dict[str, Any]:
    document = optimization()
    document["metadata"] |= {"namespace": "team-a", "uid": "uid"}
    document["spec"]["runners"] = runners
    return document


def _settings(helm: Path, example: Path) -> OperatorSettings:
    chart = rendered(helm, yaml.safe_load(example.read_text()))
    text = chart.of("ConfigMap", "llmopt-settings")["data"]["operator.yaml"]
    return OperatorSettings.model_validate(yaml.safe_load(text))


def test_every_example_has_its_runners_on_the_page() -> None:
    """No example is without an explanation, and no explanation without its values."""
    assert set(BLOCKS) == {example.name for example in EXAMPLES}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_examples_policy_allows_what_its_page_says(helm: Path, example: Path) -> None:
    """The operator accepts the resource, and its pods ask for the GPU on the nodes that it names."""
    settings, runners = _settings(helm, example), BLOCKS[example.name]
    document = _document(runners)
    resource = resource_of(document)
    assert denial(resource, settings.policy, {}) is None
    pod = runner_job(document, resource, settings, {})["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == runners["template"]["nodeSelector"]
    limits = runners["resources"]["limits"]
    assert limits.items() <= pod["containers"][0]["resources"]["limits"].items()
    assert pod["tolerations"]


def test_without_its_values_an_example_is_refused() -> None:
    """A taint that the default policy does not name may not be tolerated: the values are needed."""
    resource = resource_of(_document(BLOCKS["aks.yaml"]))
    refused = denial(resource, Policy(), {})
    assert refused is not None
    assert "sku" in refused.message


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_runners_without_resources_get_the_examples_gpu(helm: Path, example: Path) -> None:
    """What a manifest leaves open is what the values set aside."""
    settings = _settings(helm, example)
    document = _document({})
    pod = runner_job(document, resource_of(document), settings, {})["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"] == settings.runner_resources.limits
