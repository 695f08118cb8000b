"""A real API server and Postgres, real operator processes, and namespaces for tests."""

import os
from pathlib import Path

import pytest
from cluster.control_plane import ControlPlane
from cluster.databases import Database
from cluster.programs import built
from fakes.api_client import ApiClient
from fakes.tenants import NUMBERS, OperatorProcess, Tenant, give_secret

_CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def helm():
    """Helm, built the first time."""
    return built("helm")


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    """A control plane without nodes that knows our resources."""
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        plane.apply(_CRDS)
        yield plane


@pytest.fixture(scope="session")
def api(plane):
    return ApiClient(plane.kubeconfig)


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    """One Postgres for all tenants of the tests."""
    with Database(tmp_path_factory.mktemp("database")) as database:
        yield database


@pytest.fixture
def make_tenant(api, database, tmp_path):
    """Return what makes namespaces, with or without the Secret of their database."""
    made = []

    def make(*, secret: bool = True) -> Tenant:
        name = f"tenant-{os.getpid()}-{next(NUMBERS)}"
        api.create(
            "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        )
        tenant = Tenant(api, name, database.create(name), tmp_path)
        if secret:
            give_secret(tenant)
        made.append(tenant)
        return tenant

    yield make
    for tenant in made:
        for plural in ("llmoptimizations", "llmbenchmarks"):
            api.delete(tenant.path("llmopt.dev/v1alpha1", plural))


@pytest.fixture
def tenant(make_tenant):
    return make_tenant()


@pytest.fixture
def make_operator(plane, tmp_path):
    """Return what starts operators; all are ended afterwards."""
    made = []

    def make(*namespaces: str, kubeconfig: Path | None = None, **settings) -> OperatorProcess:
        election = {"enabled": False}
        chosen = {"namespaces": list(namespaces), "leaderElection": election, **settings}
        operator = OperatorProcess(
            kubeconfig or plane.kubeconfig, tmp_path / f"operator-{next(NUMBERS)}", chosen
        )
        operator.start()
        made.append(operator)
        return operator

    yield make
    for operator in made:
        if operator.process.poll() is None:
            operator.stop()


@pytest.fixture
def operator(make_operator, tenant):
    return make_operator(tenant.namespace)
