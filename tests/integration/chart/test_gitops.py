"""The page on Argo CD: its Application is one, and its health check judges what the operator writes."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.control_plane import ControlPlane
from cluster.programs import source
from fakes.statuses import ended
from fakes.tenants import eventually
from lupa import LuaRuntime

from llmopt_core.api.conditions import ConditionType
from llmopt_core.resources.status import Best, Condition, OptimizationStatus

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations" / "gitops.md").read_text()
BLOCKS = [
    yaml.safe_load(text) for text in re.findall(r"```(?:yaml|{ .yaml .foreign })\n(.*?)```", PAGE, re.DOTALL)
]
DEFINITION = "manifests/crds/application-crd.yaml"
NAMESPACE = "llmopt-argocd"


def _health(status: dict[str, Any]) -> tuple[str, str]:
    """Return what the page's Lua says of a resource with `status`, as Argo CD runs it."""
    (block,) = [block for block in BLOCKS if "resource.customizations.health" in str(list(block))]
    (script,) = block.values()
    lua = LuaRuntime(unpack_returned_tuples=True)
    found = lua.execute(f"local obj = ...\n{script}", lua.table_from({"status": status}, recursive=True))
    return found["status"], found["message"]


def _written(**fields: Any) -> dict[str, Any]:
    """Return a status as the operator writes it."""
    return OptimizationStatus(**fields).model_dump(by_alias=True, exclude_none=True, mode="json")


def _condition(type_: ConditionType, status: str, message: str) -> Condition:
    return Condition(
        type=type_, status=status, reason="Any", message=message, last_transition_time="2026-01-02T03:04:05Z"
    )


def test_the_application_is_one(plane: ControlPlane) -> None:
    """Argo CD's own definition knows each field, and the files that it names are there."""
    plane.kubectl("apply", "--server-side", "-f", str(source("argo-cd") / DEFINITION))
    eventually(lambda: "Application" in plane.kubectl("api-resources", "--api-group", "argoproj.io"))
    plane.kubectl("create", "namespace", NAMESPACE)
    (application,) = [block for block in BLOCKS if block.get("kind") == "Application"]
    application["metadata"]["namespace"] = NAMESPACE
    plane.kubectl("create", "--validate=strict", "-f", "-", input=yaml.safe_dump(application))
    chart = ROOT / application["spec"]["source"]["path"]
    assert (chart / "Chart.yaml").exists()
    assert all((chart / path).exists() for path in application["spec"]["source"]["helm"]["valueFiles"])


@pytest.mark.parametrize(
    ("fields", "health"),
    [
        ({}, ("Progressing", "Pending")),
        ({**ended(), "best": Best(trial=1, headline="accuracy 0.7")}, ("Healthy", "accuracy 0.7")),
        (ended(), ("Healthy", "")),
        (ended(ConditionType.FAILED, "ModelNotFound", "no such model"), ("Degraded", "no such model")),
        (
            {"conditions": [_condition(ConditionType.ACCEPTED, "False", "spec.model is missing")]},
            ("Degraded", "spec.model is missing"),
        ),
        (
            {"phase": "Running", "conditions": [_condition(ConditionType.RUNNING, "True", "")]},
            ("Progressing", "Running"),
        ),
    ],
)
def test_a_resource_is_as_healthy_as_its_conditions(fields: dict[str, Any], health: tuple[str, str]) -> None:
    """Ended well is healthy, with the best's numbers; failed or rejected is degraded, with the reason."""
    assert _health(_written(**fields)) == health


def test_a_resource_without_a_status_is_in_progress() -> None:
    """Before the operator has seen it nothing is wrong."""
    assert _health({}) == ("Progressing", "Pending")
