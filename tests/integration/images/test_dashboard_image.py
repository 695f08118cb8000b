"""Optuna Dashboard's image, on a study in a real Postgres."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from cluster.images import RECIPES, image
from cluster.podman import podman
from fakes.postgres import PostgresServer
from fakes.studies import definition

from llmopt_core.storage.storages import open_storage
from llmopt_runner.engines.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CONTAINER = "llmopt-test-dashboard"
START_SECONDS = 60.0
LOOK_SECONDS = 0.2


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.create()
    server.start()
    yield server
    server.stop()
    server.remove()


@pytest.fixture
def address(postgres: PostgresServer) -> Iterator[str]:
    """Where the dashboard serves the studies of `postgres`, run as the chart runs it."""
    podman("load", f"--input={image('dashboard')}")
    port = free_port("127.0.0.1")
    podman(
        "run", "--detach", "--rm", f"--name={CONTAINER}", "--network=host", "--read-only", "--cap-drop=all",
        "--ulimit=nofile=20000:20000", "--ulimit=nproc=10000:10000",
        f"--env=LLMOPT_STORAGE_URL={postgres.url('postgres')}", RECIPES["dashboard"].name,
        "--host", "127.0.0.1", "--port", str(port),
    )  # fmt: skip
    yield f"http://127.0.0.1:{port}"
    podman("kill", CONTAINER)


def test_it_shows_the_studies_of_a_tenants_database(postgres: PostgresServer, address: str) -> None:
    """With the URL that the chart's Secret holds, the dashboard lists the study that is kept there."""
    with open_storage(postgres.url("postgres")) as storage:
        storage.create_study(definition("of-a-tenant"))
    (study,) = json.loads(_answer(f"{address}/api/studies"))["study_summaries"]
    assert study["study_name"] == "of-a-tenant"
    assert b"<html" in _answer(f"{address}/dashboard")


def _answer(url: str) -> bytes:
    """Return what `url` answers once it does."""
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - an own address
                return bytes(response.read())
        except urllib.error.URLError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(LOOK_SECONDS)
