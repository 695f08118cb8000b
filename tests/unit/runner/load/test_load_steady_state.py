"""Which requests of a run count: without the first of each client and the last."""

from dataclasses import replace

import pytest

from llmopt_runner.load.requests import LoadRun, RequestRecord, SentTurn
from llmopt_runner.load.shapes import ClosedLoop, ConstantRate
from llmopt_runner.load.steady_state import steady_part
from llmopt_runner.load.summary import summarise

RECORD = RequestRecord("a", 0.0, 0.1, 1.0, 1.0, (0.1, 1.0), "text", 10, 5, None, "stop", None, 200)


def sent(begin, seconds):
    times = {"sent_at": begin, "first_text_at": begin + seconds / 10, "last_text_at": begin + seconds}
    chunks = (times["first_text_at"], times["last_text_at"])
    return replace(RECORD, **times, ended_at=begin + seconds, chunk_times=chunks)


def closed_loop(clients, rounds, first_seconds=3.0):
    """Return a run whose first round takes `first_seconds` and each further one 1 s."""
    records = []
    for number in range(rounds):
        begin = 0.0 if number == 0 else first_seconds + number - 1
        records += [sent(begin, first_seconds if number == 0 else 1.0) for _ in range(clients)]
    return LoadRun(tuple(records), 0.0, 1e3, len(records), len(records))


def test_the_first_round_of_a_closed_loop_is_left_out():
    """Slow beginnings are no part of latencies and rates, and their share is reported."""
    run = closed_loop(clients=8, rounds=11)
    part = steady_part(run, ClosedLoop(8))
    assert part.excluded == pytest.approx(16 / 88)  # the round that begins as the first one ends, too
    metrics = summarise(run, steady=part)
    assert metrics["excluded_requests_ratio"] == part.excluded
    assert metrics["requests_per_second"] == pytest.approx(8.0)
    assert metrics["e2e_ms_mean"] == pytest.approx(1000.0)
    assert summarise(run)["requests_per_second"] == pytest.approx(88 / 13)


def test_a_short_run_counts_whole():
    """Of 24 requests too few would remain: nothing is left out, and the share is 0."""
    run = closed_loop(clients=8, rounds=3)
    part = steady_part(run, ClosedLoop(8))
    assert (part.excluded, part.run) == (0.0, run)
    assert part.seconds == pytest.approx(5.0)


def test_an_open_loop_is_steady_between_its_first_answer_and_its_last_arrival():
    """Requests before anything was answered met an empty server."""
    records = tuple(sent(number / 10, 0.45) for number in range(100))
    part = steady_part(LoadRun(records, 0.0, 20.0, 100, 100), ConstantRate(10.0))
    assert part.excluded == pytest.approx(0.05)
    assert part.seconds == pytest.approx(9.9 - 0.45)


def in_turns(begin, name, turns):
    """Return the turns of a conversation, which begins at `begin`: each takes 1 s and 2 s are between."""
    return [replace(sent(begin + 3.0 * place, 1.0), turn=SentTurn(name, place + 1)) for place in range(turns)]


def test_a_closed_loop_of_conversations_ends_with_the_last_that_begins():
    """Once no conversation is left to begin, users are missing: later turns do not count."""
    records = [
        record
        for user in range(4)
        for place in range(6)
        for record in in_turns(9.0 * place + 0.1 * user, f"{user}/{place}", 3)
    ]
    part = steady_part(LoadRun(tuple(records), 0.0, 60.0, 72, 72), ClosedLoop(4))
    assert part.seconds == pytest.approx(45.3 - 1.3)
    assert {record.turn.conversation[-1] for record in part.run.records} == {*"012345"}
    assert max(record.sent_at for record in part.run.records) == pytest.approx(45.3)


def test_an_open_loop_of_conversations_is_steady_once_the_first_has_ended():
    """Before that the number of those under way still grows."""
    records = [record for place in range(40) for record in in_turns(float(place), str(place), 3)]
    part = steady_part(LoadRun(tuple(records), 0.0, 60.0, 120, 120), ConstantRate(1.0))
    assert part.seconds == pytest.approx(39.0 - 7.0)


def test_nothing_is_steady_of_nothing():
    """A run without records has no part."""
    assert steady_part(LoadRun((), 0.0, 1.0, 0, 0), ClosedLoop(2)).excluded == 0.0
