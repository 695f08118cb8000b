"""Probes of load: what they send, when they stop, and where the next trial begins."""

import asyncio
from dataclasses import replace

import pytest
from fakes.records import outcome, trial

from llmopt_core.resources.load import MaxRate
from llmopt_core.resources.serving import ServiceLevel
from llmopt_core.storage.load_curves import LoadCurve
from llmopt_runner.load.requests import ChatRequest, Endpoint, LoadRun, RequestRecord
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial.max_rate import MaxRateSearch, Probe, known_value, served_per_second

LEVEL = ServiceLevel(e2e_ms=500)
REQUEST = ChatRequest("a", ({"role": "user", "content": "1 + 1"},), 4)


def record(sent_at=0.0, seconds=0.1):
    end = sent_at + seconds
    return RequestRecord("a", sent_at, end, end, end, (end,), "2", 5, 1, None, "stop", None, 200)


def probe(planned=100):
    return Probe(LEVEL, 0.95, planned, 10.0, asyncio.Event())


def endless():
    while True:
        yield REQUEST


def test_a_probe_stops_once_too_many_broke_the_level():
    """Of 100 planned requests five may break it; the sixth settles the probe."""
    running = probe()
    for _ in range(5):
        running.take(record(seconds=0.6))
    assert not running.stop.is_set()
    running.take(record(seconds=0.6))
    assert running.stop.is_set()
    result = running.result(8.0, LoadRun((), 0.0, 1.0, 6, 6))
    assert (result.kept, result.requests, result.stopped) == (0, 6, True)
    assert result.strain == pytest.approx(1.2)


def test_a_probe_sends_what_was_planned():
    """A hundred requests, unless so many are under way that the load is plainly too high."""
    assert sum(1 for _ in probe(planned=100).feed(endless(), least=4)) == 100
    flooded = probe(planned=5000)
    assert sum(1 for _ in flooded.feed(endless(), least=4)) == 1024
    assert flooded.stopped


def test_capacity_is_the_rate_at_which_answers_end():
    """Without the first third, in which a queue fills."""
    records = [record(seconds=5.0 + place / 20) for place in range(60)]
    assert served_per_second(records) == pytest.approx(20.0)
    assert served_per_second(records[:3]) == 0.0


def test_a_trial_begins_where_others_ended():
    """The median of what was reached; nothing where none kept the level or none was searched."""

    def reached(value):
        return replace(outcome(), curve=LoadCurve("rate", 0.95, value, value, None, ()))

    ended = [trial(number, reached(value)) for number, value in enumerate((2.0, 0.0, 8.0, 4.0))]
    assert known_value(ended) == 4.0
    assert known_value([trial(0, outcome()), trial(1)]) == 0.0


def test_a_runner_that_is_stopped_gives_the_trial_back():
    """Nothing is sent any more, and no result is made up."""
    stopping = StopSignal()
    stopping.set()
    endpoint = Endpoint("http://127.0.0.1:9", "m")
    search = MaxRateSearch(endpoint, [REQUEST], MaxRate(), LEVEL, 0, stopping, 60.0, known=4.0)
    with pytest.raises(Interrupted):
        search.run()
