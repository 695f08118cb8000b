"""Tenants whose databases are broken, locked, silent or gone, beside one whose study runs."""

import base64
from contextlib import ExitStack

import psycopg
import pytest
from fakes.tcp_proxy import TcpProxy
from fakes.tenant_databases import TenantsDatabase
from fakes.tenants import eventually, give_secret

from llmopt_core.storage.storages import open_storage

pytestmark = pytest.mark.slow


class Hostile:
    """A tenant, its database, and how both are repaired."""

    def __init__(self, make_tenant, server):
        self.tenant = make_tenant(secret=False)
        self.database = TenantsDatabase(server)
        open_storage(self.database.url).close()
        self.url = self.database.url

    def use(self, url):
        """Point the tenant's Secret at `url`."""
        data = {"data": {"url": base64.b64encode(url.encode()).decode()}}
        assert self.tenant.api.patch(self.tenant.path("", "secrets", "llmopt-storage"), data)


def _renamed(hostile, _stack):
    hostile.database.sql("ALTER TABLE studies RENAME COLUMN study_name TO name")
    return lambda: hostile.database.sql("ALTER TABLE studies RENAME COLUMN name TO study_name")


def _revoked(hostile, _stack):
    hostile.database.sql("ALTER TABLE studies OWNER TO llmopt")
    return lambda: hostile.database.admin("ALTER TABLE studies OWNER TO {}", hostile.database.role)


def _moved(hostile, _stack):
    hostile.database.sql("CREATE SCHEMA elsewhere", "GRANT USAGE ON SCHEMA elsewhere TO PUBLIC")
    hostile.database.admin("ALTER ROLE {} SET search_path = elsewhere", hostile.database.role)
    return lambda: hostile.database.admin("ALTER ROLE {} RESET search_path", hostile.database.role)


def _dropped(hostile, _stack):
    hostile.database.drop()
    return hostile.database.create


def _locked(hostile, stack):
    holder = stack.enter_context(psycopg.connect(hostile.url.replace("+psycopg", "")))
    holder.execute("LOCK TABLE studies")
    return holder.rollback


def _silent(hostile, stack):
    proxy = stack.enter_context(TcpProxy(hostile.database.server.port))
    proxy.swallow(new=True)
    hostile.url = hostile.url.replace(f":{hostile.database.server.port}/", f":{proxy.port}/")
    return proxy.forward


def _sqlite(hostile, _stack):
    good, hostile.url = hostile.url, "sqlite:////tmp/evil.db"
    return lambda: hostile.use(good)


CASES = {
    _renamed: "StorageUnusable",
    _revoked: "StorageUnusable",
    _moved: "StorageUnusable",
    _dropped: "StorageUnavailable",
    _locked: "StorageUnavailable",
    _silent: "StorageUnavailable",
    _sqlite: "StorageUnusable",
}


def test_hostile_tenants_disturb_nobody(make_tenant, make_operator, database):
    """Broken: seven tenants' databases, each in its way. Survives: the operator, an eighth tenant's study.

    Each of the seven has a condition that says so, and its study is made once its database is repaired.
    """
    good = make_tenant()
    with ExitStack() as stack:
        repairs = {}
        for break_it in CASES:
            hostile = Hostile(make_tenant, database.server)
            repairs[hostile] = (break_it, break_it(hostile, stack))
            give_secret(hostile.tenant, hostile.url)
        operator = make_operator(good.namespace, *(hostile.tenant.namespace for hostile in repairs))
        for hostile in repairs:
            for number in range(3):
                hostile.tenant.apply(f"theirs-{number}")
        good.apply("ours")
        with good.kubelet():
            good.until("ours", "Complete", "True", "TrialsExhausted")
        for hostile, (break_it, repair) in repairs.items():
            condition = hostile.tenant.until("theirs-1", "StudyReady", "False", CASES[break_it])
            assert condition["message"], break_it
            repair()
        for hostile in repairs:
            eventually(lambda tenant=hostile.tenant: len(tenant.jobs()) == 3, seconds=300.0)
        assert operator.process.poll() is None
        assert operator.asked(operator.health, "/healthz")[0] == 200


def test_rows_that_cannot_be_read_are_named_in_the_status(tenant, operator):
    """Written into a study: a trial and a runner of garbage. Both are counted and named; the study ends."""
    tenant.apply("garbage", budget={"trials": 6})
    with tenant.kubelet("--trial-seconds", "1"):
        eventually(lambda: tenant.status("garbage").get("progress", {}).get("finished"))
        with psycopg.connect(tenant.url.replace("+psycopg", "")) as connection:
            connection.execute(
                "INSERT INTO trials (study_id, number, state, datetime_start, datetime_complete)"
                " SELECT study_id, 100, 'FAIL', now(), now() FROM studies"
            )
            connection.execute(
                "INSERT INTO study_user_attributes (study_id, key, value_json)"
                " SELECT study_id, 'runner:evil', '{' FROM studies"
            )
        tenant.until("garbage", "Complete", "True", "TrialsExhausted")
    status = tenant.status("garbage")
    (error,) = (error for error in status["errors"] if error["lastTrial"] == 100)
    assert error["count"] == 1
    assert "trial 100's assignment is not there" in error["lastMessage"]
    assert "runner:evil" in status["warnings"][0]["lastMessage"]
    assert status["best"]
    assert operator.process.poll() is None


def test_a_study_of_millions_of_rows_is_refused(tenant, operator):
    """Written into a study: more rows than are read. A condition says so, and the operator goes on."""
    tenant.apply("crowded", budget={"trials": 50})
    with tenant.kubelet("--trial-seconds", "1"):
        eventually(lambda: tenant.status("crowded").get("progress", {}).get("finished"))
        with psycopg.connect(tenant.url.replace("+psycopg", "")) as connection:
            connection.execute(
                "INSERT INTO trials (study_id, number, state)"
                " SELECT study_id, number, 'FAIL' FROM studies, generate_series(100, 300099) AS number"
            )
        condition = tenant.until("crowded", "StudyReady", "False", "StudyUnreadable")
    assert "more than 30000 trials" in condition["message"]
    assert operator.process.poll() is None


def test_a_study_without_its_definition_is_reported_and_its_runners_go_on(tenant, make_operator):
    """Deleted: the row that says what a study is. Survives: its Job; once the row is back, the study ends."""
    first = make_operator(tenant.namespace)
    tenant.apply("undefined", budget={"trials": 6})
    with tenant.kubelet("--trial-seconds", "1"):
        eventually(lambda: tenant.status("undefined").get("progress", {}).get("finished"))
        first.stop()
        with psycopg.connect(tenant.url.replace("+psycopg", "")) as connection:
            rows = connection.execute(
                "DELETE FROM study_user_attributes WHERE key = 'llmopt:definition'"
                " RETURNING study_id, key, value_json"
            ).fetchall()
        second = make_operator(tenant.namespace)
        said = tenant.until("undefined", "StudyReady", "False", "StudyUnreadable")
        assert "llmopt:definition" in said["message"]
        (job,) = tenant.jobs()
        assert "deletionTimestamp" not in job["metadata"]
        with psycopg.connect(tenant.url.replace("+psycopg", "")) as connection:
            connection.cursor().executemany(
                "INSERT INTO study_user_attributes (study_id, key, value_json) VALUES (%s, %s, %s)", rows
            )
        tenant.until("undefined", "Complete", "True", "TrialsExhausted")
    assert [each["metadata"]["uid"] for each in tenant.jobs()] == [job["metadata"]["uid"]]
    assert second.process.poll() is None
