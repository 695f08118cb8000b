import asyncio
from types import SimpleNamespace

import pytest

from llmopt_core.storage.errors import StorageUnavailable
from llmopt_core.storage.pulses import Pulse
from llmopt_operator.adapters import storages as module
from llmopt_operator.adapters.owners import Owners
from llmopt_operator.adapters.secrets import StorageSecretInvalid
from llmopt_operator.adapters.slots import StorageProblem
from llmopt_operator.adapters.storages import NamespaceDatabase, Storages
from llmopt_operator.adapters.studies import Studies
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.specs.names import Key


class Secrets:
    """The URL of each namespace's database; none for `bare`."""

    def __init__(self):
        self.forgotten = []

    async def url(self, namespace):
        if namespace == "bare":
            raise StorageSecretInvalid("there is no Secret")
        return f"postgresql://{namespace}"

    def forget(self, namespace):
        self.forgotten.append(namespace)


class Storage:
    """A database that answers, or fails, as a test says."""

    def __init__(self, url):
        self.url, self.error, self.found, self.closed = url, None, {}, False

    def pulses(self, _names):
        if self.error:
            raise self.error
        return self.found

    def close(self):
        self.closed = True
        if self.error:
            raise self.error


@pytest.fixture
def opened(monkeypatch):
    """The databases by namespace, as they are opened."""
    made = {}

    def open_storage(url, _access):
        return made.setdefault(url.removeprefix("postgresql://"), Storage(url))

    monkeypatch.setattr(module, "open_storage", open_storage)
    return made


def _run(story):
    async def run():
        storages = Storages(Secrets(), OperatorMetrics())
        try:
            await story(storages)
        finally:
            storages.close()

    asyncio.run(run())


def _study(size):
    return SimpleNamespace(study=SimpleNamespace(kept_bytes=size))


def test_a_restored_database_is_read_anew():
    """Where the tables are others than before, what was read from the earlier ones is forgotten."""
    database = NamespaceDatabase("team-a", "url", Storage("url"))
    database.recognise(Pulse(3, 2, 1, ended=False, table=1))
    database.studies["study"] = _study(1)
    database.recognise(Pulse(4, 3, 2, ended=False, table=1))
    assert database.studies
    database.recognise(Pulse(2, 1, 1, ended=False, table=2))
    assert not database.studies


def test_what_is_kept_of_all_studies_is_bounded(opened, monkeypatch):
    """The namespace that keeps most gives up what it opened first, until all fits; the others keep theirs."""
    monkeypatch.setattr(module, "_MOST_KEPT_BYTES", 100)

    async def story(storages):
        small, large = [await storages.database(name) for name in ("small", "large")]
        small.studies["mine"] = _study(10)
        large.studies |= {"first": _study(60), "second": _study(50)}
        storages.trim()
        assert list(small.studies) == ["mine"]
        assert list(large.studies) == ["second"]
        storages.trim(spare_bytes=45)  # for one that is to be read
        assert list(small.studies) == ["mine"]
        assert not large.studies

    _run(story)


def test_a_study_that_is_opened_meanwhile_does_not_disturb_the_sum():
    """What is kept is summed in the event loop while the thread of the namespace opens another study."""
    database = NamespaceDatabase("team-a", "url", Storage("url"))

    class Counted:
        @property
        def kept_bytes(self):
            database.studies.setdefault("opened meanwhile", _study(50))
            return 10

    database.studies["first"] = SimpleNamespace(study=Counted())
    assert database.kept_bytes == 10
    assert database.kept_bytes == 60


def test_one_that_cannot_be_closed_stops_no_other(opened, monkeypatch, caplog):
    """An error while one namespace's database is closed is logged, and the others are closed all the same."""
    monkeypatch.setattr(module, "_UNUSED_SECONDS", -1.0)

    async def story(storages):
        for name in ("a", "b"):
            await storages.database(name)
        opened["a"].error = RuntimeError("it will not close")
        storages.close_unused()

    _run(story)
    assert opened["a"].closed
    assert opened["b"].closed
    assert "namespace a cannot be closed" in caplog.text


def test_slots_without_work_are_forgotten(opened, monkeypatch):
    """A namespace that nobody uses any more leaves nothing behind; one that fails keeps its pause."""
    monkeypatch.setattr(module, "_UNUSED_SECONDS", -1.0)

    async def story(storages):
        good, bad = [await storages.database(name) for name in ("good", "bad")]
        opened["bad"].error = StorageUnavailable("away")
        await storages.pulses(good, ("study",))
        with pytest.raises(StorageProblem):
            await storages.pulses(bad, ("study",))
        storages.close_unused()
        assert set(storages._slots) == {"bad"}
        with pytest.raises(StorageProblem, match="away"):
            await storages.database("bad")

    _run(story)


def test_a_missing_secret_is_a_problem_of_its_namespace(opened):
    """Without a Secret nothing is opened and nothing is paused."""

    async def story(storages):
        for _ in range(2):
            with pytest.raises(StorageProblem, match="there is no Secret"):
                await storages.database("bare")
        assert not opened

    _run(story)


def test_a_failing_storage_is_reported_once_and_once_when_it_works_again(opened):
    """All studies are looked at when their storage begins to fail, and when it works again."""
    keys = {"u1": Key("LLMOptimization", "team-a", "one"), "u2": Key("LLMOptimization", "team-a", "two")}
    everyone = tuple(keys.values())

    async def story(storages):
        studies = Studies(storages, Owners(cluster=None))
        assert await studies.changed("team-a", keys) == everyone
        assert await studies.changed("team-a", keys) == everyone  # they are due for a look
        for name in keys:
            studies._looked_at[name] = float("inf")
        assert await studies.changed("team-a", keys) == ()
        opened["team-a"].error = StorageUnavailable("away")
        assert await studies.changed("team-a", keys) == everyone
        assert await studies.changed("team-a", keys) == ()
        opened["team-a"].error = None
        storages._slots["team-a"]._clock = lambda: float("inf")
        assert await studies.changed("team-a", keys) == everyone
        assert await studies.changed("team-a", keys) == ()

    _run(story)
