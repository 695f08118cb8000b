"""Whose a GPU's memory is, by what NVML says before a launch and now."""

import pytest

from llmopt_runner.guard.attribution import Share, View, shares

ENGINE, OTHER, HOSTS = 11, 22, 70_000
IDLE = View(0, {})


def _shares(before, now, engine=(ENGINE,)):
    return [(share.mib, share.shared) for share in shares(before, now, engine)]


def test_what_nvml_lists_is_what_each_holds():
    """The engine's processes by their memory, also where a neighbour holds more and grows."""
    before = View(5000, {OTHER: 5000.0}, frozenset({OTHER}))
    now = View(9000, {OTHER: 6000.0, ENGINE: 3000.0}, frozenset({OTHER, ENGINE}))
    assert shares([before], [now], (ENGINE,)) == [Share(3000, 6000, frozenset({OTHER}))]


def test_an_engine_on_another_gpu_holds_nothing_here():
    """Known on one GPU, it is known on all: a neighbour's growth is not the engine's."""
    now = [View(4000, {ENGINE: 4000.0}), View(7000, {OTHER: 7000.0})]
    assert _shares([IDLE, IDLE], now) == [(4000, False), (0, True)]


def test_an_engine_that_uses_no_gpu_is_not_given_a_neighbours_growth():
    """A neighbour with an id that we know shows that the driver gives such ids: the engine is not there."""
    now = View(7000, {OTHER: 7000.0}, frozenset({OTHER}))
    assert _shares([IDLE], [now]) == [(0, True)]


def test_ids_of_the_host_leave_the_difference():
    """NVML knows none of ours: what was added to an idle GPU since the launch is the engine's."""
    assert _shares([View(100, {})], [View(4100, {HOSTS: 4000.0})]) == [(4000, False)]


@pytest.mark.parametrize("before", [View(3000, {HOSTS + 1: 3000.0}), View(3000, {})])
def test_on_a_shared_gpu_nothing_is_guessed(before):
    """With ids of the host, or neighbours that are not listed at all, growth may be anybody's."""
    assert _shares([before], [View(9000, {HOSTS: 4000.0})]) == [(None, True)]


def test_known_processes_without_memory_leave_the_difference():
    """The engine alone on a GPU holds what was added; beside others that cannot be known."""
    alone, beside = View(4000, {ENGINE: None}), View(4000, {ENGINE: None, OTHER: None})
    assert _shares([IDLE], [alone]) == [(4000, False)]
    assert _shares([IDLE], [beside]) == [(None, True)]
    assert _shares([View(1000, {})], [alone]) == [(None, True)]


def test_neighbours_of_another_namespace_are_seen_by_their_memory():
    """On a GPU shared in time their processes are not listed; what is in use beside ours is theirs."""
    (share,) = shares([View(2000, {})], [View(9000, {ENGINE: 3000.0})], (ENGINE,))
    assert (share.mib, share.others_mib, share.shared) == (3000, 6000, True)


def test_before_the_engine_has_processes_it_holds_nothing():
    """Nothing was launched yet."""
    assert _shares([IDLE], [View(500, {})], engine=()) == [(0, True)]
