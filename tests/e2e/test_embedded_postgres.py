"""The chart's own Postgres in pods: what it makes for tenants works, and outlives its pod."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import yaml
from cluster.images import RECIPES, image
from cluster.installing import helm
from cluster.running import Cluster
from cluster.volumes import give_volume
from fakes.studies import definition

from llmopt_core.storage.storages import open_storage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CHART = Path(__file__).parents[2] / "helm" / "llmopt"
NAMESPACE = "postgres-trial"
TENANTS = ("trial-a", "trial-b")
SECONDS = 240


@dataclass(frozen=True)
class Trial:
    """A release of the chart whose operator does not run: only its Postgres is of interest."""

    cluster: Cluster

    def url(self, tenant: str) -> str:
        """Return the URL in the tenant's Secret, less the name that only pods can resolve."""
        secret = self._get("secret", "llmopt-storage", tenant)
        url = base64.b64decode(secret["data"]["url"]).decode()
        host = f"trial-llmopt-postgres.{NAMESPACE}.svc"
        assert host in url
        return url.replace(host, self._get("pod", "trial-llmopt-postgres-0", NAMESPACE)["status"]["podIP"])

    def replace_pod(self) -> None:
        """Delete Postgres' pod, and wait for the next."""
        kubectl = self.cluster.plane.kubectl
        kubectl("delete", "pod", "trial-llmopt-postgres-0", f"-n={NAMESPACE}", f"--timeout={SECONDS}s")
        kubectl(
            "rollout",
            "status",
            "statefulset/trial-llmopt-postgres",
            f"-n={NAMESPACE}",
            f"--timeout={SECONDS}s",
            limit_seconds=SECONDS + 30,
        )

    def _get(self, kind: str, name: str, namespace: str) -> dict:
        return json.loads(self.cluster.plane.kubectl("get", kind, name, f"-n={namespace}", "--output=json"))


@pytest.fixture(scope="module")
def trial(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """The chart installed with its Postgres and two tenants, its hook included; it has succeeded then."""
    plane, node = cluster.plane, cluster.node
    node.load_image(image("postgres"))
    for name in (NAMESPACE, *TENANTS):
        plane.kubectl("create", "namespace", name)
        plane.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    give_volume(plane, "postgres-trial", tmp_path_factory.mktemp("volume"), node.name)
    values = {
        "replicas": 0,
        "crds": {"install": False},
        "settings": {"namespaces": list(TENANTS)},
        "tenants": [{"namespace": name} for name in TENANTS],
        "postgres": {"enabled": True, "image": RECIPES["postgres"].name, "pullPolicy": "Never"},
    }
    path = tmp_path_factory.mktemp("release") / "values.yaml"
    path.write_text(yaml.safe_dump(values))
    helm(
        plane, "install", "trial", str(CHART), f"-n={NAMESPACE}", f"--values={path}", f"--timeout={SECONDS}s"
    )
    yield Trial(cluster)
    helm(plane, "uninstall", "trial", f"-n={NAMESPACE}")
    plane.kubectl("delete", "namespace", NAMESPACE, *TENANTS, "--wait=false")


def test_a_tenant_keeps_studies_that_outlive_the_pod(trial: Trial) -> None:
    """A study made with the tenant's Secret is still there when another pod of Postgres serves it."""
    with open_storage(trial.url("trial-a")) as storage:
        storage.create_study(definition("kept"))
    trial.replace_pod()
    with open_storage(trial.url("trial-a")) as storage:
        assert storage.study_names() == ("kept",)


def test_a_tenants_secret_opens_no_other_database(trial: Trial) -> None:
    """With one tenant's credentials the other's database stays closed."""
    server, _, own = trial.url("trial-a").replace("+psycopg", "").rpartition("/")
    psycopg.connect(f"{server}/{own}", connect_timeout=10).close()
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(f"{server}/llmopt-trial-b", connect_timeout=10)
