"""Which environment variables of a manifest reach a runner's container, and in which order."""

from typing import Any

import pytest
from fakes.manifests import changed, optimization

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import resource_of
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.jobs import runner_job


def _document(variables: list[dict[str, Any]]) -> dict[str, Any]:
    document = changed(optimization(), "spec.runners.template", {"env": variables})
    document["metadata"] |= {"namespace": "team-a", "uid": "uid"}
    return document


def _variables(document: dict[str, Any]) -> list[dict[str, Any]]:
    job = runner_job(document, resource_of(document), OperatorSettings())
    (container,) = job["spec"]["template"]["spec"]["containers"]
    variables: list[dict[str, Any]] = container["env"]
    return variables


def test_a_manifests_variables_come_before_secrets_and_reach_engines():
    """A value can hold no secret's, which Kubernetes would put in for one that stands before."""
    given = [{"name": "NCCL_DEBUG", "value": "INFO"}, {"name": "MY_FLAG", "value": "a b"}]
    variables = _variables(_document(given))
    assert variables[:2] == given
    assert {"name": "LLMOPT_ENGINE_VARIABLES", "value": "NCCL_DEBUG,MY_FLAG"} in variables


def test_without_variables_nothing_is_added():
    """A Job of a manifest without them is what it was."""
    assert "LLMOPT_ENGINE_VARIABLES" not in {each["name"] for each in _variables(_document([]))}


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        ({"name": "LLMOPT_STORAGE_URL", "value": "x"}, "which the operator sets"),
        ({"name": "HF_HOME", "value": "/x"}, "which the operator sets"),
        ({"name": "HF_TOKEN", "value": "x"}, "which the operator sets"),
        ({"name": "A", "value": "$(LLMOPT_STORAGE_URL)"}, "a value without $(…)"),
        ({"name": "1A", "value": "x"}, "the name of an environment variable"),
        ({"name": "A", "valueFrom": {}}, "valueFrom"),
    ],
)
def test_what_no_variable_may_be_is_named(variable: dict[str, Any], says: str):
    """Names of the operator's own and references to other variables are refused before anything runs."""
    with pytest.raises(LlmoptError) as caught:
        resource_of(_document([variable]))
    assert says in str(caught.value)
    assert "spec.runners.template.env[0]" in str(caught.value)
