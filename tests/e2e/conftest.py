from dataclasses import dataclass

import pytest
from cluster import requirements
from cluster.images import image
from cluster.installing import install
from cluster.running import running_cluster


@dataclass(frozen=True)
class Tenant:
    """A namespace that takes restricted pods only, whose studies are in the database at `url`."""

    namespace: str
    url: str


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A cluster that runs pods. Where none can run, a person's tests are skipped and those of CI fail."""
    requirements.provide_or_skip()
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def tenant(cluster):
    """A namespace with a database of its own."""
    cluster.plane.kubectl("create", "namespace", "tenant")
    cluster.plane.kubectl("label", "namespace", "tenant", "pod-security.kubernetes.io/enforce=restricted")
    return Tenant("tenant", cluster.database.create("tenant"))


@pytest.fixture(scope="session")
def operator(cluster, tenant):
    """The operator, installed by the chart; what it gives is the control plane of its cluster."""
    for target in ("operator", "runner-with-model"):
        cluster.node.load_image(image(target))
    install(cluster.plane, tenants=[{"namespace": tenant.namespace, "url": tenant.url}])
    return cluster.plane
