"""Configurations are measured by the runner's own code, as they are asked for."""

import signal
from pathlib import Path

from fakes.endpoint_manifests import manifest
from fakes.openai_server import FakeOptions, FakeServer
from recording.folders import write_folder
from recording.measuring import recorder
from recording.plans import REPEATS, Plan
from recording.recipes import CONCURRENCY, MAX_TOKENS, Recipe
from surfaces.recorded import load_surface

from llmopt_core.search.spaces import ChoiceDimension, SpaceParameter
from llmopt_runner.datasets.arithmetic import arithmetic

ANSWERS = {item.question: item.answer for item in arithmetic().split(6, 6, 0).search}
# Slow enough that requests which are sent together overlap on a busy machine too.
OPTIONS = FakeOptions(answers=ANSWERS, ttft_ms=200.0, gap_ms=1.0, tokens=3)


def _recipe(url: str) -> Recipe:
    return Recipe(
        name="fake",
        document=manifest(url, samples=6, objectives=("good_answers_per_second",)),
        workload=(
            SpaceParameter(CONCURRENCY, ChoiceDimension((1, 3))),
            SpaceParameter(MAX_TOKENS, ChoiceDimension((4, 8))),
        ),
        engines=1,
        requests=3,
        seed=0,
        note="a fake server",
    )


def test_a_measurement_is_what_was_asked_for(tmp_path: Path) -> None:
    """The temperature, the longest answer and the concurrency of each configuration reach the server."""
    with FakeServer(OPTIONS) as server:
        recipe = _recipe(server.base_url + "/v1")
        plan, measured = Plan.of(recipe), []
        with recorder(recipe, plan, tmp_path / "logs") as measuring:
            for request in range(3):
                before = len(server.truth())
                *_, last = measuring.measure(0, 0, request)
                measured.append(last)
                values, seen = plan.configuration(0, request), server.truth()[before:][-6:]
                assert {each.fields["max_tokens"] for each in seen} == {values[MAX_TOKENS]}
                assert {each.fields["temperature"] for each in seen} == {values["sampling.temperature"]}
                most = max(
                    sum(one.received_at <= each.received_at < one.ended_at for one in seen) for each in seen
                )
                assert most == values[CONCURRENCY]
    assert [each.state for each in measured] == ["ok"] * 3
    assert all(each.metrics["good_answers_per_second"] > 0 for each in measured)


def test_what_was_measured_becomes_a_surface(tmp_path: Path) -> None:
    """All repeats of all configurations: rows with values, noise and times that a comparison reads."""
    with FakeServer(OPTIONS) as server:
        recipe = _recipe(server.base_url + "/v1")
        plan = Plan.of(recipe)
        with recorder(recipe, plan, tmp_path / "logs") as measuring:
            measured = [
                one
                for start in plan.starts
                for request in start.requests
                for one in measuring.measure(start.repeat, start.engine, request)
            ]
    assert sum(one.start_seconds is not None for one in measured) == REPEATS
    assert write_folder(tmp_path / "surface", recipe, plan, measured, "here") == 3
    surface = load_surface(tmp_path / "surface")
    assert all(row.works and row.start_seconds is not None for row in surface.rows)
    assert all("good_answers_per_second" in row.noise for row in surface.rows)


def test_a_server_that_fails_is_a_state(tmp_path: Path) -> None:
    """A failed measurement is one with a state and a cause, and costs no other."""
    with FakeServer(FakeOptions(faults={"*": "status=500"})) as server:
        recipe = _recipe(server.base_url + "/v1")
        with recorder(recipe, Plan.of(recipe), tmp_path / "logs") as measuring:
            *_, measured = measuring.measure(0, 0, 0)
    assert measured.state == "failed"
    assert measured.cause
    assert not measured.metrics.get("good_answers_per_second")


def test_signals_are_the_programs_again_afterwards(tmp_path: Path) -> None:
    """A recorder takes SIGINT and SIGTERM only while it measures."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with FakeServer(FakeOptions()) as server:
        recipe = _recipe(server.base_url + "/v1")
        with recorder(recipe, Plan.of(recipe), tmp_path / "logs"):
            assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
