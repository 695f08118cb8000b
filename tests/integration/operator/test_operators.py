"""The operator as a process: one acts at a time, its health is proved, it ends gracefully, outages heal."""

import asyncio
import signal
import subprocess
import sys
import time

import pytest
from fakes.api_proxy import ApiProxy, expire, hang
from fakes.postgres import PostgresServer
from fakes.tenants import eventually, give_secret

from llmopt_core.resources import resource_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.sampling.opening import own_study
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Outcome, OutcomeKind
from llmopt_operator.adapters.connections import Connection
from llmopt_operator.adapters.kubernetes import Cluster, NotFound
from llmopt_operator.handlers import watches
from llmopt_operator.liveness import Pulse
from llmopt_operator.loops.watch_audit import PART, Audit
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.specs.names import Key, labels_of

pytestmark = pytest.mark.slow
_WATCHES = r"^GET .*watch=true"
_WATCHED = ("llmoptimizations", "llmbenchmarks", "jobs", "pods")
_LIST = r"^GET .*/{}\?(?!.*watch=true)"


def _leads(operator):
    return "llmopt_operator_leading 1.0" in operator.asked(operator.metrics, "/metrics")[1]


@pytest.fixture
def election(tenant):
    return {"enabled": True, "namespace": tenant.namespace, "name": "one"}


def test_one_leads_and_the_other_follows_when_it_is_killed(tenant, make_operator, election):
    """The second waits while the first lives, and acts soon after it was killed."""
    first = make_operator(tenant.namespace, leaderElection=election)
    eventually(lambda: _leads(first))
    second = make_operator(tenant.namespace, leaderElection=election)
    eventually(lambda: second.asked(second.health, "/healthz")[0] == 200)
    tenant.apply("led", runners={"queueName": "none"})
    eventually(tenant.jobs)
    assert not _leads(second)
    first.stop(signal.SIGKILL)
    eventually(lambda: _leads(second))
    tenant.apply("followed", runners={"queueName": "none"})
    eventually(lambda: len(tenant.jobs()) == 2)


def test_it_ends_gracefully_and_hands_over_at_once(tenant, make_operator, election):
    """Asked to stop it ends with success, and its lease is free."""
    operator = make_operator(tenant.namespace, leaderElection=election)
    tenant.apply("steady", runners={"queueName": "none"})
    eventually(tenant.jobs)
    assert operator.asked(operator.health, "/readyz")[0] == 200
    assert operator.stop() == 0
    lease = tenant.api.get(tenant.path("coordination.k8s.io/v1", "leases", "one"))
    assert not lease["spec"].get("holderIdentity")
    said = [line for line in operator.said() if not line["logger"].startswith("kopf")]
    assert {line["level"] for line in said} == {"INFO"}


def test_wrong_settings_are_named(tmp_path):
    """A field that is not there and a value of the wrong kind each give one line, and nothing is started."""
    config = tmp_path / "operator.yaml"
    config.write_text("polSeconds: 2\nmetricsPort: http\n")
    done = subprocess.run(
        [sys.executable, "-m", "llmopt_operator.main", "--config", str(config), "--log-format", "text"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 65
    assert "polSeconds" in done.stderr
    assert "metricsPort" in done.stderr


def _audit(cluster, observations, tenant, pulse, add=lambda _: None, freed=lambda _: None):
    return Audit(cluster, observations, [tenant.namespace], pulse, add, freed)


def test_a_watch_that_says_nothing_is_unhealthy(tenant, plane, monkeypatch):
    """What the API server lists and no watch has reported makes health fail, until it is reported."""
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    tenant.apply("unheard")
    observations, pulse = Observations(), Pulse()

    async def audited() -> tuple[tuple[str, ...], tuple[str, ...]]:
        connection = Connection.open()
        try:
            cluster = Cluster(connection, OperatorMetrics())
            audit = _audit(cluster, observations, tenant, pulse)
            async with asyncio.timeout(60):
                while not (silent := pulse.problems()):  # a server that begins asks for patience
                    await audit.once(0.0)
            observations.resource(tenant.resource("unheard"))
            await audit.once(0.0)
            return silent, pulse.problems()
        finally:
            await connection.close()

    silent, reported = asyncio.run(audited())
    assert len(silent) == 1
    assert PART in silent[0]
    assert str(Key("LLMOptimization", tenant.namespace, "unheard")) in silent[0]
    assert reported == ()


def test_what_is_deleted_while_no_watch_can_say_it_is_found(tenant, plane, tmp_path, monkeypatch):
    """A resource and a Job are deleted while all watches are cut, and their versions are too old (410) then.

    kopf lists again and reports what is there. The audit finds what is not, and leaves alone what is.
    """
    for name in ("kept", "deleted"):
        tenant.apply(name)
    optimizations = tenant.path("llmopt.dev/v1alpha1", "llmoptimizations")
    observations, stop, concerned, freed = Observations(), asyncio.Event(), [], []
    keys = {name: Key("LLMOptimization", tenant.namespace, name) for name in ("kept", "deleted")}

    async def until(look):
        async with asyncio.timeout(60):
            while not look():  # noqa: ASYNC110 - what is waited for is reported by another task
                await asyncio.sleep(0.1)

    async def gap(proxy, audit):
        await until(lambda: all(observations.of(key).there for key in keys.values()))
        await asyncio.to_thread(_make_job, tenant, "kept")
        await until(lambda: observations.of(keys["kept"]).jobs)
        silence = proxy.trouble(_WATCHES, hang)
        proxy.cut_watches()
        await until(lambda: len(silence.met) >= len(_WATCHED))
        await asyncio.to_thread(tenant.api.delete, f"{optimizations}/deleted")
        await asyncio.to_thread(tenant.api.delete, tenant.path("batch/v1", "jobs", "kept-0"))
        await until(lambda: not tenant.jobs())
        proxy.heal()
        began = time.monotonic()
        proxy.trouble(_WATCHES, expire)
        proxy.cut_watches()
        await until(lambda: all(proxy.asked(_LIST.format(each), since=began) for each in _WATCHED))
        proxy.heal()
        await until(lambda: len(proxy.asked(_WATCHES, since=began)) > len(_WATCHED))
        assert observations.of(keys["deleted"]).there
        assert observations.of(keys["kept"]).jobs
        await audit.once(0.0)

    async def story():
        with ApiProxy(plane.kubeconfig, tmp_path) as proxy:
            monkeypatch.setenv("KUBECONFIG", str(proxy.kubeconfig))
            connection = Connection.open()
            try:
                cluster = Cluster(connection, OperatorMetrics())
                audit = _audit(cluster, observations, tenant, Pulse(), concerned.append, freed.append)
                watching = asyncio.create_task(
                    watches.watch(
                        cluster, observations, lambda _: None, lambda _: None, [tenant.namespace],
                        asyncio.Event(), stop,
                    )
                )  # fmt: skip
                await gap(proxy, audit)
                stop.set()
                await watching
            finally:
                await connection.close()

    asyncio.run(story())
    assert not observations.of(keys["deleted"]).there
    assert observations.of(keys["kept"]).there
    assert observations.of(keys["kept"]).jobs == {}
    assert sorted(concerned) == sorted(keys.values())
    assert freed == [tenant.namespace]


def _make_job(tenant, name):
    """Create the Job `NAME-0` that is labelled as one of the resource `name`, and starts no pod."""
    labels = labels_of("LLMOptimization", name, "0")
    container = {"name": "runner", "image": "none"}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{name}-0", "labels": labels},
        "spec": {"suspend": True, "template": pod},
    }
    tenant.api.create(tenant.path("batch/v1", "jobs"), body)


def test_what_is_meant_for_a_replaced_resource_leaves_the_new_one_alone(tenant, plane, monkeypatch):
    """The real API server refuses a status and a deletion by the identity of the earlier resource."""
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    path = tenant.path("llmopt.dev/v1alpha1", "llmoptimizations", "again")
    tenant.apply("again")
    earlier = tenant.resource("again")["metadata"]["uid"]
    tenant.api.delete(path)
    tenant.apply("again")
    uid = tenant.resource("again")["metadata"]["uid"]
    status = {"phase": "Running", "observedGeneration": 1}

    async def story():
        connection = Connection.open()
        try:
            cluster = Cluster(connection, OperatorMetrics())
            with pytest.raises(NotFound):
                await cluster.write_status(path, earlier, status)
            await cluster.delete(path, uid=earlier)
            assert tenant.status("again") == {}
            await cluster.write_status(path, uid, status)
            assert tenant.status("again") == status
            await cluster.delete(path, uid=uid, propagation="Background")
        finally:
            await connection.close()

    asyncio.run(story())
    assert tenant.resource("again") is None


def test_a_long_list_is_taken_in_parts(tenant, plane, monkeypatch):
    """What there is at the start is all observed, though it is listed in parts."""
    monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
    monkeypatch.setattr(watches, "_LISTED_AT_ONCE", 2)
    names = {f"part-{number}" for number in range(5)}
    for name in names:
        tenant.apply(name)

    async def watched() -> set[str]:
        seen, stop = set(), asyncio.Event()

        def add(key: Key) -> None:
            seen.add(key.name)
            if seen == names:
                stop.set()

        connection = Connection.open()
        try:
            cluster = Cluster(connection, OperatorMetrics())
            ready = asyncio.Event()
            watch = watches.watch(
                cluster, Observations(), add, lambda _: None, [tenant.namespace], ready, stop
            )
            await asyncio.wait_for(watch, 60)
            return seen
        finally:
            await connection.close()

    assert asyncio.run(watched()) == names


def test_an_outage_of_the_storage_heals(make_tenant, make_operator):
    """While Postgres is away a condition says so and figures stay; when it is back the study goes on."""
    tenant = make_tenant(secret=False)
    server = PostgresServer()
    server.create()
    server.start()
    try:
        tenant.url = server.create_database("own")
        give_secret(tenant)
        make_operator(tenant.namespace)
        tenant.apply("outage", budget={"trials": 5})
        with tenant.kubelet("--trial-seconds", "1") as node:
            eventually(lambda: tenant.status("outage").get("progress", {}).get("finished"))
            node.held = True
            server.stop()
            tenant.until("outage", "StudyReady", "False", "StorageUnavailable")
            assert tenant.status("outage")["progress"]["finished"]
            server.start()
            node.held = False
            tenant.until("outage", "Complete", "True")
    finally:
        server.stop()
        server.remove()


def test_a_study_made_by_an_operator_that_died_is_taken_over(tenant, make_operator):
    """What a study holds before the status has said anything of it is neither lost nor made twice."""
    tenant.apply("orphan", budget={"trials": 3})
    resource = resource_of({**tenant.resource("orphan"), "status": None})
    with open_for_search(tenant.url) as storage:
        study = own_study(storage, resource)
        claim = study.claim("earlier", budget=3)
        measured = Configuration.from_flat(claim.parameters)
        study.finish(claim, Outcome(OutcomeKind.MEASURED, measured, metrics={"accuracy": 0.5}))
        make_operator(tenant.namespace)
        eventually(lambda: tenant.status("orphan").get("progress", {}).get("finished") == 1)
        assert storage.study_names().count(resource.metadata.uid) == 1
    assert len(tenant.jobs()) == 1
