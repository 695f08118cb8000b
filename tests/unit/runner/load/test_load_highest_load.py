"""Which load is probed next: against simulated queues whose capacity is known."""

import heapq
import math
import random

import pytest

from llmopt_core.storage.load_curves import LoadProbe
from llmopt_runner.load.highest_load import Bracket, Search, bracket, interval, next_load

ATTAINMENT = 0.95


def probe(load, kept, requests=100, per_second=0.0):
    return LoadProbe(load, kept, requests, 1.0, per_second)


def queue(rate, *, slots, service, bound, seconds=20.0, seed=0, poisson=False):
    """Return what a probe at `rate` sees of a queue of `slots` servers that take `service` seconds each."""
    generator, at = random.Random(seed), 0.0
    free, latencies = [0.0] * slots, []
    ends = []
    for _ in range(math.ceil(rate * seconds)):
        at += generator.expovariate(rate) if poisson else 1 / rate
        ends.append(max(at, heapq.heappop(free)) + service)
        heapq.heappush(free, ends[-1])
        latencies.append(ends[-1] - at)
    ends = sorted(ends)[len(ends) // 3 :]
    served = (len(ends) - 1) / (ends[-1] - ends[0])
    kept = sum(latency <= bound for latency in latencies)
    return LoadProbe(rate, kept, len(latencies), max(latencies) / bound, served)


def search_through(measure, **given):
    """Return all probes of a search."""
    search, probes = Search(ATTAINMENT, **{"most_probes": 7, "highest": 1e6, **given}), []
    while (load := next_load(probes, search)) is not None:
        probes.append(measure(load))
    return probes


@pytest.mark.parametrize("slots", [1, 4, 64])
@pytest.mark.parametrize("begin", [0.1, 0.7, 3.0])
def test_a_known_capacity_is_found_within_3_percent_in_7_probes(slots, begin):
    """Wherever it begins, the search ends within 3 % of the capacity."""
    capacity = slots / 0.2
    probes = search_through(
        lambda rate: queue(rate, slots=slots, service=0.2, bound=0.3), start=begin * capacity
    )
    assert bracket(probes, ATTAINMENT).low == pytest.approx(capacity, rel=0.03)
    assert len(probes) <= 7


@pytest.mark.parametrize("seed", range(5))
def test_random_arrivals_end_below_the_capacity(seed):
    """Where arrivals cluster, the highest load is just below the capacity."""

    def measure(rate):
        return queue(rate, slots=64, service=0.2, bound=0.4, seed=seed, poisson=True)

    found = bracket(search_through(measure, start=60.0), ATTAINMENT).low
    assert 0.9 * 320 < found < 1.03 * 320


@pytest.mark.parametrize("capacity", [1, 2, 7, 48, 333])
def test_a_concurrency_is_a_whole_number(capacity):
    """The last concurrency that keeps the level is found exactly, or within 2 % where it is large."""
    probes = search_through(
        lambda load: probe(load, 100 if load <= capacity else 10),
        start=8.0,
        highest=1024.0,
        whole=True,
        most_probes=12,
    )
    assert bracket(probes, ATTAINMENT).low == pytest.approx(capacity, rel=0.02)
    assert all(each.load == round(each.load) for each in probes)


def test_a_load_that_nothing_keeps_is_left_soon():
    """Lower and lower loads are tried; none that keeps the level is the result 0."""
    probes = search_through(lambda load: probe(load, 0), start=1.0)
    assert bracket(probes, ATTAINMENT) == Bracket(0.0, probes[-1].load)
    assert len(probes) <= 7


def test_the_highest_load_that_may_be_tried_ends_the_search():
    """Where even that keeps the level nothing is narrowed."""
    probes = search_through(lambda load: probe(load, 100), start=4.0, highest=20.0)
    assert [each.load for each in probes] == [4.0, 16.0, 20.0]
    assert bracket(probes, ATTAINMENT) == Bracket(20.0, None)


def test_both_ends_are_repeated_once_the_bracket_is_narrow():
    """What is left of the probes shows how sure the ends are."""
    probes = [probe(10.0, 100), probe(10.1, 50)]
    search = Search(ATTAINMENT, 8, 100.0, 10.0)
    assert next_load(probes, search) == 10.0
    probes.append(probe(10.0, 99))
    assert next_load(probes, search) == 10.1
    probes.append(probe(10.1, 60))
    assert next_load(probes, search) is None


def test_contradictions_are_weighed_by_requests():
    """One probe of few requests that failed at a low load does not undo a long one above it."""
    probes = [probe(5.0, 18, 20), probe(8.0, 990, 1000), probe(9.0, 10, 100)]
    assert bracket(probes, ATTAINMENT) == Bracket(8.0, 9.0)
    assert interval(probes, ATTAINMENT) == Bracket(0.0, 9.0)
