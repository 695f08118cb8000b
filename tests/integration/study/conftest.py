import itertools
import shutil

import pytest
from fakes.postgres import PostgresServer

from llmopt_core.sampling.methods import open_for_search

_names = itertools.count()


@pytest.fixture(scope="session")
def postgres():
    server = PostgresServer()
    try:
        server.create()
        server.start()
        yield server
        server.stop()
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_template(postgres):
    """A database with the tables in it: copying it is quicker than creating them for every test."""
    open_for_search(postgres.create_database("prepared")).close()
    return "prepared"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A file with the tables in it, as above."""
    path = tmp_path_factory.mktemp("prepared") / "study.db"
    open_for_search(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def postgres_url(postgres, postgres_template):
    return postgres.create_database(f"study{next(_names)}", postgres_template)


@pytest.fixture
def sqlite_url(tmp_path, sqlite_template):
    shutil.copy(sqlite_template, tmp_path / "study.db")
    return f"sqlite:///{tmp_path}/study.db"


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request, tmp_path):
    """The address of a database in which nothing was created yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    return request.getfixturevalue("postgres").create_database(f"empty{next(_names)}")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request):
    """The address of a database without studies: every test that asks for it runs on both."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def storage(url):
    with open_for_search(url) as opened:
        yield opened
