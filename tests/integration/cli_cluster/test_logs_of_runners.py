"""Logs by way of the real API server from what stands in for a node's kubelet."""

import threading

import pytest
from fakes.kubelet_logs import KubeletLogs
from fakes.tenants import eventually

from llmopt_core.api.exit_codes import Exit

pytestmark = pytest.mark.slow


@pytest.fixture
def running(tenant, operator):
    """A study with two runners that run for long; gives the stand-in for its node."""
    tenant.apply("mine", budget={"trials": 500}, runners={"count": 2})
    with tenant.kubelet("--trial-seconds", "1") as node:
        eventually(lambda: len(node.running) == 2)
        yield node


def by_index(node):
    return {int(name.split("-")[-2]): name for name in node.running}


def test_several_runners_are_distinguished(llmopt, tenant, running):
    """Each line begins with its pod's name; one runner's lines come as they are."""
    pods = by_index(running)
    with KubeletLogs(tenant.api, lambda pod, _: iter([f"first of {pod}", "[second]"])) as kubelet:
        whole = llmopt("logs", "mine", "-n", tenant.namespace)
        one = llmopt("logs", "llmo/mine", "--index", "1", "-n", tenant.namespace)
        wrong = llmopt("logs", "mine", "--index", "7", "-n", tenant.namespace)
    assert whole.exit_code == Exit.FINISHED, whole.output
    assert whole.stdout.splitlines() == [
        f"{pods[index]}  {line}" for index in (0, 1) for line in (f"first of {pods[index]}", "[second]")
    ]
    assert one.stdout.splitlines() == [f"first of {pods[1]}", "[second]"]
    assert wrong.exit_code == Exit.INVALID
    assert "--index 7: mine has runners 0, 1" in wrong.stderr
    assert kubelet.asked[0].startswith(f"/containerLogs/{tenant.namespace}/{pods[0]}/runner")


def test_logs_are_followed_until_the_runners_end(llmopt, tenant, running):
    """Lines arrive while the runners go on, and the command ends when all have ended."""
    end = threading.Event()

    def lines(pod, follow):
        assert follow
        yield "begins"
        end.wait(60)
        yield "ends"

    with KubeletLogs(tenant.api, lines):
        logs = llmopt.start("logs", "mine", "-f", "-n", tenant.namespace)
        assert {logs.stdout.readline().split()[1], logs.stdout.readline().split()[1]} == {"begins"}
        end.set()
        rest = logs.communicate(timeout=60)[0]
    assert [line.split()[1] for line in rest.splitlines()] == ["ends", "ends"]
    assert logs.returncode == Exit.FINISHED


def test_the_log_of_a_replaced_runner_is_the_previous_one(llmopt, tenant, running):
    """A killed runner's pod stays, and --previous shows its log; the plain command that of the new one."""
    dead = by_index(running)[0]
    running.kill(dead)
    eventually(lambda: len(running.running) == 2 and dead not in running.running)
    new = by_index(running)[0]
    with KubeletLogs(tenant.api, lambda pod, _: iter([pod])):
        before = llmopt("logs", "mine", "--index", "0", "--previous", "-n", tenant.namespace)
        now = llmopt("logs", "mine", "--index", "0", "-n", tenant.namespace)
        never = llmopt("logs", "mine", "--index", "1", "--previous", "-n", tenant.namespace)
    assert before.stdout.split() == [dead]
    assert now.stdout.split() == [new]
    assert "leave --previous out" in never.stderr


def test_a_runner_that_has_not_started_is_said_so(llmopt, tenant, operator):
    """Without a node there is no log yet, and that is said; with -f the runner is waited for."""
    tenant.apply("early")
    (pod,) = eventually(tenant.pods)
    refused = llmopt("logs", "early", "-n", tenant.namespace)
    assert refused.exit_code == Exit.INVALID
    assert f"pod {pod['metadata']['name']} has no node yet" in refused.stderr
    logs = llmopt.start("logs", "early", "-f", "-n", tenant.namespace)
    assert pod["metadata"]["name"] in logs.stdout.readline()
    with KubeletLogs(tenant.api, lambda *_: iter(["at last"])), tenant.kubelet("--trial-seconds", "1"):
        assert logs.communicate(timeout=60)[0].splitlines()[-1] == "at last"
    assert logs.returncode == Exit.FINISHED


def test_without_runners_the_reason_is_reported(llmopt, make_tenant, make_operator):
    """Before there is a pod, what keeps it from being made is said."""
    tenant = make_tenant(secret=False)
    make_operator(tenant.namespace)
    tenant.apply("homeless")
    tenant.until("homeless", "StudyReady", "False")
    result = llmopt("logs", "homeless", "-n", tenant.namespace)
    assert result.exit_code == Exit.INVALID
    assert "homeless has no runner yet. StorageSecretInvalid" in result.stderr
