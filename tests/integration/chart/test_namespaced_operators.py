"""An operator with the rights that the chart grants where it watches some namespaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cluster.control_plane import ControlPlane
from fakes.api_client import ApiClient
from fakes.charts import rendered
from fakes.tenants import OperatorProcess, Tenant, eventually

pytestmark = pytest.mark.slow
NAMESPACE, TEAM = "llmopt-system", "team-a"
RIGHTS = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
_CRDS = Path(__file__).parents[3] / "crds"


@pytest.fixture
def bare_plane(helm: Path, tmp_path: Path) -> Iterator[ControlPlane]:
    """A cluster with the chart's rights for one namespace, and without its definitions."""
    with ControlPlane(tmp_path / "plane") as plane:
        for name in (NAMESPACE, TEAM):
            plane.kubectl("create", "namespace", name)
        chart = rendered(helm, {"settings": {"namespaces": [TEAM]}, "crds": {"install": False}})
        rights = tmp_path / "rights.yaml"
        rights.write_text(yaml.safe_dump_all(each for each in chart.documents if each["kind"] in RIGHTS))
        plane.apply(rights)
        yield plane


def test_it_acts_at_once_with_rights_in_its_namespaces_alone(
    bare_plane: ControlPlane, tmp_path: Path
) -> None:
    """It repeats no refused request, waits for its definitions, and acts as soon as they are there."""
    kubeconfig = bare_plane.service_account_kubeconfig(NAMESPACE, "llmopt")
    settings = {"namespaces": [TEAM], "leaderElection": {"namespace": NAMESPACE}}
    operator = OperatorProcess(kubeconfig, tmp_path / "operator", settings)
    operator.start()
    try:
        eventually(lambda: any("waiting for our Custom" in line["message"] for line in operator.said()))
        assert operator.asked(operator.health, "/readyz")[0] != 200
        bare_plane.apply(_CRDS)
        tenant = Tenant(ApiClient(bare_plane.kubeconfig), TEAM, "", tmp_path)
        tenant.apply("prompt")
        tenant.until("prompt", "Accepted", "True")
        eventually(lambda: operator.asked(operator.health, "/readyz")[0] == 200)
        refused = [line["message"] for line in operator.said() if "Forbidden" in line["message"]]
        assert refused == []
    finally:
        operator.stop()
