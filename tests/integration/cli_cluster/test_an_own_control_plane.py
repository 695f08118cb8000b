"""Kills the API server while a study is watched: the watching must survive it and end as the study does.

Also a cluster that does not know llmopt yet.
"""

import os
from pathlib import Path

import pytest
from cluster.control_plane import OWN_CLUSTER_VARIABLE, ControlPlane
from fakes.api_client import ApiClient
from fakes.cluster_commands import Commands, small
from fakes.tenants import NUMBERS, OperatorProcess, Tenant, eventually, give_secret

from llmopt_core.api.exit_codes import Exit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        OWN_CLUSTER_VARIABLE in os.environ, reason="a person's own cluster is neither killed nor without CRDs"
    ),
]
CRDS = Path(__file__).parents[3] / "crds"


@pytest.fixture
def own_plane(tmp_path):
    with ControlPlane(tmp_path / "own-plane") as plane:
        yield plane


@pytest.fixture
def llmopt(own_plane, tmp_path):
    commands = Commands(own_plane.kubeconfig, tmp_path)
    yield commands
    commands.end()


@pytest.fixture
def tenant(own_plane, database, tmp_path):
    own_plane.apply(CRDS)
    name = f"restarts-{os.getpid()}-{next(NUMBERS)}"
    own_plane.kubectl("create", "namespace", name)
    tenant = Tenant(ApiClient(own_plane.kubeconfig), name, database.create(name), tmp_path)
    give_secret(tenant)
    return tenant


@pytest.fixture
def operator(own_plane, tenant, tmp_path):
    settings = {"namespaces": [tenant.namespace], "leaderElection": {"enabled": False}}
    operator = OperatorProcess(own_plane.kubeconfig, tmp_path / "operator", settings)
    operator.start()
    yield operator
    operator.stop()


def test_an_api_server_that_is_killed_is_waited_for(llmopt, own_plane, tenant, operator):
    """watch says that the API server is away and that it is back, and ends with the study's result."""
    tenant.apply("survivor")
    eventually(tenant.pods)
    watch = llmopt.start("watch", "survivor", "-n", tenant.namespace)
    lines = iter(watch.stdout.readline, "")
    assert next(line for line in lines if "0/4 trials" in line)
    with own_plane.without_api_server():
        away = next(line for line in lines if "does not answer" in line)
        assert own_plane.url in away
        assert "trying again" in away
    assert next(line for line in lines if "the API server answers again" in line)
    with tenant.kubelet():
        rest = watch.communicate(timeout=240)[0]
    assert "The study is finished (TrialsExhausted)" in rest
    assert watch.returncode == Exit.FINISHED


def test_an_api_server_that_is_away_from_the_start_is_an_error(llmopt, own_plane):
    """Every command says which server of which context does not answer, and ends with 3."""
    with own_plane.without_api_server():
        for command in (["get"], ["watch", "mine"], ["apply", "-f", llmopt.written(small())]):
            result = llmopt(*command)
            assert result.exit_code == Exit.UNFINISHED
            assert f"the API server {own_plane.url} (context test) does not answer" in result.stderr


def test_a_cluster_without_llmopt_says_how_to_install_it(llmopt, own_plane):
    """Reading and applying both name the chart."""
    for command in (["get"], ["watch", "mine"], ["apply", "-f", llmopt.written(small())]):
        result = llmopt(*command)
        assert result.exit_code == Exit.INVALID
        assert "helm install llmopt" in result.stderr
