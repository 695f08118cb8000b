import base64

import pytest
from fakes.cluster_resources import resource
from fakes.studies import definition

from llmopt.cluster.databases import (
    AddressInvalid,
    StudyOutOfReach,
    _advice,
    _through,
    opened_study,
    secret_url,
)
from llmopt.cluster.errors import Forbidden, ResourceNotFound
from llmopt_core.storage.errors import StorageUnusable
from llmopt_core.storage.storages import open_storage


class Secrets:
    """A cluster whose Secret is `answer`: data, or an error."""

    def __init__(self, answer):
        self.answer = answer

    def secret(self, name, namespace):
        assert (name, namespace) == ("llmopt-storage", "team-a")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def secret(url):
    return Secrets({"url": base64.b64encode(url.encode()).decode()})


def opened(cluster, *, storage=None, at=None):
    with opened_study(cluster, resource(), storage=storage, at=at) as study:
        return study.definition.name


@pytest.fixture
def url(tmp_path):
    """A database that holds the study of the resource `mine`."""
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with open_storage(url) as storage:
        storage.create_study(definition("uid-of-mine"))
    return url


def test_the_secret_says_where_the_study_is(url):
    """The study is the one of the resource's uid."""
    assert opened(secret(f"{url}\n")) == "uid-of-mine"


@pytest.mark.parametrize("host", ["db:99999", "db:80a", "[::1"])
def test_an_address_that_cannot_be_one_is_an_error_in_words(host):
    """The Secret is somebody else's: its password is in no message."""
    with pytest.raises(StorageUnusable, match=r"^the storage address ") as caught:
        opened(secret(f"postgresql://me:hidden@{host}/studies"))
    assert "hidden" not in str(caught.value)


def test_an_address_that_is_given_wins(url):
    """With --storage the Secret is not read."""
    assert opened(Secrets(Forbidden("never asked")), storage=url) == "uid-of-mine"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Forbidden("you may not get secrets"), "you may not get secrets; or give .*--storage"),
        (ResourceNotFound("there is no secrets/llmopt-storage"), "there is no secrets.*--storage"),
        ({"other": ""}, "no readable url"),
        ({"url": "%"}, "no readable url"),
        ({"url": base64.b64encode(b"\xff").decode()}, "no readable url"),
    ],
)
def test_an_incomplete_secret_says_what_to_do(answer, says):
    """Whatever keeps it from being read, --storage is the way out."""
    with pytest.raises(StudyOutOfReach, match=says):
        secret_url(Secrets(answer), "team-a")


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("llmopt-postgres.llmopt-system.svc", "--namespace llmopt-system service/llmopt-postgres 15432:5432"),
        ("pg.db.svc.cluster.local", "--namespace db service/pg 15432:5432"),
        ("pg", "--namespace team-a service/pg 15432:5432"),
    ],
)
def test_a_database_inside_the_cluster_is_reached_by_a_port_forward(host, service):
    """The command names its Service, and what to add to one's own; the password is in neither."""
    text = _advice(f"postgresql+psycopg://me:hunter2@{host}/db", "team-a", None)
    assert f"kubectl port-forward {service}" in text
    assert "add to the command: --database-at 127.0.0.1:15432" in text
    assert "hunter2" not in text


def test_a_database_elsewhere_is_not_said_to_be_a_service():
    """An address outside gets no port-forward."""
    with pytest.raises(StudyOutOfReach, match="Is the address right"):
        opened(secret("postgresql+psycopg://me:x@127.0.0.1:9/db"))


def test_through_a_port_forward_only_the_address_changes():
    """User, password, database and options of the Secret stay, and its silence is asked about."""
    with pytest.raises(
        StudyOutOfReach,
        match=r"me:\*\*\*@pg:9/db\?hostaddr=127\.0\.0\.1&sslmode=disable.*port-forward to 127",
    ):
        opened(secret("postgresql+psycopg://me:x@pg:5432/db?sslmode=disable"), at="127.0.0.1:9")


@pytest.mark.parametrize(
    ("at", "through"),
    [
        ("127.0.0.1:9", "me:x@pg.db.svc:9/db?sslmode=verify-full&hostaddr=127.0.0.1"),
        ("bastion:9", "me:x@bastion:9/db?sslmode=verify-full"),
    ],
)
def test_a_certificate_is_checked_against_the_name_of_the_database(at, through):
    """A numeric address changes the way, not the name; another name takes the place of the first."""
    url = "postgresql+psycopg://me:x@pg.db.svc:5432/db?sslmode=verify-full"
    assert _through(url, at) == f"postgresql+psycopg://{through}"


@pytest.mark.parametrize("at", ["here", "here:", ":5432", "here:five"])
def test_an_address_of_another_form_is_refused(at):
    """The option and the form are named."""
    with pytest.raises(AddressInvalid, match=f"--database-at {at!r}: expected HOST:PORT"):
        opened(secret("postgresql+psycopg://me:x@pg/db"), at=at)


def test_a_study_that_is_not_there_is_said_so(tmp_path):
    """Before the first trial there is none."""
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    with pytest.raises(StudyOutOfReach, match="nothing was measured for mine yet"):
        opened(secret(empty))
