"""A real API server that restarts, or behind a proxy that misbehaves: the operator survives and converges.

After each fault every resource has exactly one Job, no event is lost, and other resources were not delayed.
"""

import time
from itertools import pairwise

import pytest
from fakes.api_proxy import ApiProxy, answer, drop, expire, hang
from fakes.tenants import eventually

from llmopt_operator.adapters.leases import DURATION_SECONDS

pytestmark = pytest.mark.slow
_QUEUED = {"queueName": "none"}
_JOB = r"^POST .*/jobs$"
_STATUS = r"^PATCH .*/status$"
_EVENT = r"^POST .*/events$"
_WATCH = r"^GET .*/llmoptimizations\?.*watch=true"
_LIST = r"^GET .*/llmoptimizations(\?(?!.*watch=true)|$)"


@pytest.fixture
def proxy(plane, tmp_path):
    with ApiProxy(plane.kubeconfig, tmp_path) as proxy:
        yield proxy


@pytest.fixture
def proxied(make_operator, proxy, tenant):
    """An operator that reaches the API server through the proxy only, and watches already."""
    operator = make_operator(tenant.namespace, kubeconfig=proxy.kubeconfig)
    eventually(lambda: operator.asked(operator.health, "/readyz")[0] == 200)
    eventually(lambda: proxy.asked(_WATCH))
    return operator


def _settled(tenant, name):
    """Wait until the resource's only Job waits in its queue, and nothing is refused."""
    tenant.until(name, "Running", "False", "QueueInadmissible")
    eventually(lambda: tenant.condition(name, "Blocked") is None)
    assert [job["metadata"]["labels"]["llmopt.dev/resource"] for job in tenant.jobs()].count(name) == 1


def test_it_survives_a_restart_of_the_api_server(tenant, plane, operator):
    """What was applied before and what is applied after each have one Job, and the operator is the same."""
    tenant.apply("before", runners=_QUEUED)
    _settled(tenant, "before")
    with plane.without_api_server():
        time.sleep(3)
    tenant.apply("after", runners=_QUEUED)
    _settled(tenant, "after")
    _settled(tenant, "before")
    assert operator.process.poll() is None
    eventually(lambda: operator.asked(operator.health, "/healthz")[0] == 200)


def test_retry_after_is_honoured(tenant, proxy, proxied):
    """A server that is too busy is asked again when it said so, and not before."""
    busy = proxy.trouble(_JOB, answer(429, "TooManyRequests", Retry_After="4"), times=2)
    tenant.apply("patient", runners=_QUEUED)
    _settled(tenant, "patient")
    attempts = proxy.asked(_JOB)
    assert len(busy.met) == 2
    assert all(after - before >= 4.0 for before, after in pairwise(attempts))


def test_errors_of_the_server_are_retried_with_pauses_that_grow_and_reported(tenant, proxy, proxied):
    """A server that keeps failing is asked less and less often; the status says so until it works."""
    failing = proxy.trouble(_JOB, answer(500, "InternalError"))
    tenant.apply("tried", runners=_QUEUED)
    blocked = tenant.until("tried", "Blocked", "True", "ApiServerFailing")
    assert "create jobs" in blocked["message"]
    eventually(lambda: len(failing.met) >= 6)
    pauses = [after - before for before, after in pairwise(failing.met)]
    assert pauses[-1] > 2 * pauses[0]
    proxy.heal()
    _settled(tenant, "tried")
    assert "ApiServerFailing" in tenant.events("tried")


def test_a_version_that_is_gone_leads_to_a_new_list(tenant, proxy, proxied):
    """A watch that ends with 410 is followed by a list, so that what happened meanwhile is known."""
    began = time.monotonic()
    expired = proxy.trouble(_WATCH, expire, times=1)
    proxy.cut_watches()
    eventually(lambda: expired.met)
    tenant.apply("unseen", runners=_QUEUED)
    _settled(tenant, "unseen")
    assert any(at > expired.met[0] for at in proxy.asked(_LIST, since=began))


@pytest.mark.parametrize("executed", [False, True], ids=["lost", "carried out"])
def test_dropped_connections_neither_lose_nor_repeat_anything(tenant, proxy, proxied, executed):
    """Each kind of write is cut off, before or after it was carried out: one Job, each event once."""
    act = proxy.swallow if executed else drop
    troubles = [proxy.trouble(pattern, act, times=2) for pattern in (_JOB, _STATUS, _EVENT)]
    tenant.apply("cut", runners=_QUEUED)
    tenant.apply("wrong", engine={"name": "nosuch"})
    _settled(tenant, "cut")
    tenant.until("wrong", "Accepted", "False")
    eventually(lambda: "InvalidSpec" in tenant.events("wrong"))
    assert tenant.events("wrong").count("InvalidSpec") == 1
    assert all(trouble.met for trouble in troubles)
    assert len(tenant.jobs()) == 1


def test_watches_cut_in_the_middle_lose_nothing(tenant, proxy, proxied):
    """A study runs to its end though all watches are cut again and again."""
    tenant.apply("steady")
    with tenant.kubelet("--trial-seconds", "0.5"):
        for _ in range(6):
            time.sleep(1)
            proxy.cut_watches()
        tenant.until("steady", "Complete", "True")
    assert len(tenant.jobs()) == 1
    assert "Started" in tenant.events("steady")
    assert "TrialsExhausted" in tenant.events("steady")


def test_what_hangs_is_said_and_delays_no_other(make_tenant, make_operator, proxy):
    """While a namespace's Jobs hang, their status says what is waited for; others' Jobs exist at once."""
    slow, quick = make_tenant(), make_tenant()
    make_operator(slow.namespace, quick.namespace, kubeconfig=proxy.kubeconfig)
    eventually(lambda: proxy.asked(_WATCH))
    proxy.trouble(f"^POST .*/{slow.namespace}/jobs$", hang)
    for number in range(12):
        slow.apply(f"hangs-{number}", runners=_QUEUED)
    said = slow.until("hangs-0", "Running", "False", "ApiServerFailing")
    assert "create jobs" in said["message"]
    assert "no answer" in said["message"]
    quick.apply("quick", runners=_QUEUED)
    eventually(quick.jobs, seconds=10)
    proxy.heal()
    for number in range(12):
        _settled(slow, f"hangs-{number}")


def test_a_leader_whose_lease_hangs_ends_before_another_acts(tenant, proxy, make_operator):
    """It asks nothing of the API server once its lease can have expired, and the next one takes over."""
    election = {"enabled": True, "namespace": tenant.namespace, "name": "one"}
    first = make_operator(tenant.namespace, kubeconfig=proxy.kubeconfig, leaderElection=election)
    tenant.apply("led", runners=_QUEUED)
    _settled(tenant, "led")
    make_operator(tenant.namespace, leaderElection=election)
    hanging = proxy.trouble("/leases", hang)
    eventually(lambda: hanging.met)
    # From here on it has work to do that it must not do once its lease is over.
    proxy.trouble(_JOB, answer(500, "InternalError"))
    tenant.apply("handed-over", runners=_QUEUED)
    assert first.process.wait(timeout=DURATION_SECONDS + 5) == 1
    last = max(at for _, at in proxy.requests)
    assert last - hanging.met[0] < DURATION_SECONDS - 2
    _settled(tenant, "handed-over")
    _settled(tenant, "led")
