"""Runs the conformance suite over the cases of the module that asks for it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.engine_cases import LLAMACPP, Answering, EngineCase, Served, gguf

from llmopt_runner.models.resolution import ResolvedModel

pytest.register_assert_rewrite("fakes.engine_conformance")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test over the module's cases, those that tests may end, or each one's sampling parameters."""
    cases: dict[str, EngineCase] = {case.name: case for case in getattr(metafunc.module, "CASES", ())}
    if "sampling_case" in metafunc.fixturenames:
        pairs = [(case, sampling) for case in cases.values() for sampling in case.sampling_names]
        names = [f"{case.name}-{sampling}" for case, sampling in pairs]
        metafunc.parametrize(
            ("served", "sampling_case"), pairs, ids=names, indirect=["served"], scope="module"
        )
    elif "served" in metafunc.fixturenames:
        metafunc.parametrize("served", cases.values(), ids=cases, indirect=True, scope="module")
    if "damaged_case" in metafunc.fixturenames:
        started = [case for case in cases.values() if case.disposable and case.behind is None]
        damages = [(case, damage) for case in started for damage in case.damages]
        names = [f"{case.name}-{damage}" for case, damage in damages]
        metafunc.parametrize(("damaged_case", "damage"), damages, ids=names)
    if "started_case" in metafunc.fixturenames:
        started = [case for case in cases.values() if case.disposable and case.behind is None]
        metafunc.parametrize("started_case", started, ids=lambda case: case.name)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what one server serves together, in the order of the module: pytest alone would start it anew.

    The module's last test may therefore end it.
    """
    places: dict[tuple[str, str], int] = {}
    items.sort(key=lambda item: (places.setdefault(_server(item), len(places)), _order(item)))


def _server(item: pytest.Item) -> tuple[str, str]:
    """Name the server that a test shares with others, "" for one of its own."""
    callspec = getattr(item, "callspec", None)
    case = callspec.params.get("served") if callspec else None
    return item.nodeid.partition("::")[0], case.name if isinstance(case, EngineCase) else ""


def _order(item: pytest.Item) -> int:
    if not isinstance(item, pytest.Function) or not _server(item)[1]:
        return 0
    return list(vars(item.module)).index(item.originalname)


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where everything temporary of the test and of what it starts goes; short, for sockets' names."""
    with tempfile.TemporaryDirectory(prefix="t") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server of a case for all tests of a module that leave it alive."""
    case: EngineCase = request.param
    with case.running(tmp_path_factory.mktemp(case.name)) as server:
        yield server


@pytest.fixture(scope="module")
def answering(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answering]:
    """What answers under any sampling."""
    answering = Answering(served, tmp_path_factory.mktemp(served.case.name))
    yield answering
    answering.close()


@pytest.fixture
def llamacpp_case() -> EngineCase:
    return LLAMACPP


@pytest.fixture
def model() -> ResolvedModel:
    return gguf()
