"""Users with fewer rights than they need, by the API server's real RBAC."""

import pytest
from fakes.cluster_commands import Commands, small
from fakes.tenants import eventually

from llmopt import cluster
from llmopt_core.api.exit_codes import Exit

pytestmark = pytest.mark.slow
READ = "--verb=get,list,watch"
OURS = "--resource=llmoptimizations.llmopt.dev,llmbenchmarks.llmopt.dev"


@pytest.fixture
def jane(plane, tenant, tmp_path):
    """Return what gives a service account of the tenant's namespace some rights, and its `llmopt`."""
    made = []

    def make(*roles):
        space = ("-n", tenant.namespace)
        plane.kubectl("create", "serviceaccount", "jane", *space)
        for number, role in enumerate(roles):
            plane.kubectl("create", "role", f"role-{number}", *role, *space)
            account = f"--serviceaccount={tenant.namespace}:jane"
            plane.kubectl("create", "rolebinding", f"role-{number}", f"--role=role-{number}", account, *space)
        commands = Commands(plane.service_account_kubeconfig(tenant.namespace, "jane"), tmp_path)
        made.append(commands)
        return commands

    yield make
    for commands in made:
        commands.end()


def test_without_rights_each_command_names_the_one_that_is_missing(jane, tenant):
    """Verb, resource, namespace, user and what to ask the administrator for are in one sentence."""
    llmopt = jane()
    space = ("-n", tenant.namespace)
    who = f"you (system:serviceaccount:{tenant.namespace}:jane) may not"
    for command, right in [
        (["get"], "list llmoptimizations.llmopt.dev"),
        (["watch", "mine"], "get llmoptimizations.llmopt.dev"),
        (["logs", "mine"], "get llmoptimizations.llmopt.dev"),
        (["apply", "-f", llmopt.written(small())], "get llmoptimizations.llmopt.dev"),
    ]:
        result = llmopt(*command, *space)
        assert result.exit_code == Exit.INVALID
        assert f"{who} {right} in namespace {tenant.namespace}" in result.stderr
        assert "kubectl create rolebinding llmopt-view --clusterrole=view" in result.stderr


def test_listing_all_namespaces_needs_a_right_in_all(jane, tenant):
    """A right in one namespace is not enough for -A, and that is said."""
    llmopt = jane((READ, OURS))
    assert llmopt("get", "-n", tenant.namespace).exit_code == Exit.FINISHED
    result = llmopt("get", "-A")
    assert "in all namespaces" in result.stderr
    assert "kubectl create clusterrolebinding" in result.stderr


def test_who_may_only_read_may_not_apply(jane, tenant):
    """The missing right is that of writing."""
    llmopt = jane((READ, OURS))
    result = llmopt("apply", "-f", llmopt.written(small()), "-n", tenant.namespace)
    assert "may not patch llmoptimizations.llmopt.dev" in result.stderr
    assert "--clusterrole=edit" in result.stderr
    assert tenant.resource("mine") is None


def test_who_may_not_read_config_maps_gets_the_statuss_result(jane, tenant, operator):
    """The result is what the status says: gains, the command and the requests' fields."""
    llmopt = jane((READ, OURS))
    tenant.apply("mine")
    with tenant.kubelet():
        watched = llmopt("watch", "mine", "-n", tenant.namespace)
    assert watched.exit_code == Exit.FINISHED
    assert "gain over the baseline: accuracy" in watched.output.replace("\n", " ")
    assert "Serve it: llama-server" in watched.output
    _, _, fields = watched.output.partition("with these fields in each request: ")
    assert "temperature: 0" in fields


def test_who_may_not_read_the_secret_gives_the_address(jane, tenant, operator):
    """report says which right is missing and that --storage does without; with it the report is written."""
    llmopt = jane((READ, OURS))
    tenant.apply("mine")
    with tenant.kubelet():
        tenant.until("mine", "Complete", "True")
    command = ["report", "mine", "-n", tenant.namespace, "--output", llmopt.folder / "r.html"]
    refused = llmopt(*command)
    assert refused.exit_code == Exit.INVALID
    assert "may not get secrets" in refused.stderr
    assert "--storage" in refused.stderr
    assert llmopt(*command, "--storage", tenant.url).exit_code == Exit.FINISHED
    assert (llmopt.folder / "r.html").stat().st_size > 10_000


def test_who_may_not_read_the_secret_gets_the_trials_of_the_status(jane, tenant, operator):
    """In Python the trials that the status holds come with a warning that says why these only."""
    llmopt = jane((READ, OURS))
    tenant.apply("mine")
    with tenant.kubelet():
        tenant.until("mine", "Complete", "True")
    kubeconfig = llmopt.environment["KUBECONFIG"]
    handle = cluster.get("mine", namespace=tenant.namespace, kubeconfig=kubeconfig)
    with pytest.warns(cluster.PartialTrials, match=r"of 4 trials, those \d that the status holds: .*secrets"):
        trials = handle.trials()
    assert trials[0].phase == "baseline"
    assert all(trial.metrics for trial in trials)
    assert len(handle.trials(storage=tenant.url)) > len(trials)


def test_logs_need_a_right_of_their_own(jane, tenant, operator):
    """A user who may read resources but not pods gets an error that says so."""
    llmopt = jane((READ, OURS))
    tenant.apply("mine")
    eventually(tenant.pods)
    result = llmopt("logs", "mine", "-n", tenant.namespace)
    assert result.exit_code == Exit.INVALID
    assert "may not list pods" in result.stderr
