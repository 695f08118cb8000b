"""The load generator against a server that wrote down what it really did."""

import asyncio
from itertools import count, pairwise

import pytest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_runner.load.client import run_load
from llmopt_runner.load.conversations import chained
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.load.shapes import ClosedLoop, ConstantRate, Poisson
from llmopt_runner.load.summary import load_warnings


def ask(text, max_tokens=64, **fields):
    return ChatRequest(text, ({"role": "user", "content": text},), max_tokens, fields)


def load(server, requests, shape=None, **more):
    async def body():
        endpoint = Endpoint(server.base_url, "fake-model")
        settings = {"request_timeout_seconds": 20, **more}
        return await run_load(endpoint, requests, shape or ClosedLoop(4), **settings)

    return asyncio.run(body())


@pytest.fixture(scope="module")
def quick():
    with FakeServer(FakeOptions(ttft_ms=2, gap_ms=1, tokens=4, cached_tokens=1)) as server:
        yield server


def test_a_record_holds_what_the_server_said(quick):
    """Text, counts, cache hits, finish reason and status are the server's own."""
    (record,) = load(quick, [ask("two words")]).records
    assert record.text == "t0 t1 t2 t3 "
    assert (record.prompt_tokens, record.output_tokens, record.cached_tokens) == (2, 4, 1)
    assert (record.finish_reason, record.status, record.error) == ("stop", 200, None)
    assert record.usage_reported


def test_request_fields_reach_the_server_at_top_level(quick):
    """Sampling fields are sent as they are, beside the streaming options."""
    load(quick, [ask("fields", temperature=0.5, top_k=3)])
    fields = quick.truth()[-1].fields
    assert (fields["temperature"], fields["top_k"], fields["model"]) == (0.5, 3, "fake-model")
    assert (fields["max_tokens"], fields["stream"]) == (64, True)
    assert fields["stream_options"] == {"include_usage": True}


def test_an_answer_cut_by_max_tokens_says_so(quick):
    """`length` is recorded; whether it makes the answer invalid is the caller's to judge."""
    (record,) = load(quick, [ask("long", max_tokens=2)]).records
    assert (record.finish_reason, record.output_tokens, record.error) == ("length", 2, None)


def test_on_record_sees_each_request_as_it_ends(quick):
    """Live scoring gets every record once, in the order of the run."""
    seen = []
    run = load(quick, [ask(str(i)) for i in range(9)], on_record=seen.append)
    assert tuple(seen) == run.records
    assert {record.item_id for record in seen} == {str(i) for i in range(9)}
    assert run.sent == run.offered == 9


def test_a_closed_loop_keeps_its_concurrency():
    """With slots for all of them, as many requests as asked for overlap, never more."""
    with FakeServer(FakeOptions(ttft_ms=20, gap_ms=1, tokens=3)) as server:
        run = load(server, [ask(str(i)) for i in range(12)], ClosedLoop(3))
    marks = sorted(
        [(record.sent_at, 1) for record in run.records] + [(record.ended_at, -1) for record in run.records]
    )
    open_requests = [sum(step for _, step in marks[: end + 1]) for end in range(len(marks))]
    assert max(open_requests) == 3


def test_poisson_arrivals_never_wait_for_answers():
    """Requests are sent when they are due though the only slot answers them one after another."""
    shape = Poisson(100.0, 5)
    with FakeServer(FakeOptions(ttft_ms=60, gap_ms=1, tokens=2, slots=1)) as server:
        run = load(server, [ask(str(i)) for i in range(12)], shape)
    due = [at for at, _ in zip(shape.arrivals(), range(12), strict=False)]
    scheduled = sorted(record.scheduled_at - run.started_at for record in run.records)
    assert scheduled == pytest.approx(due)
    last_sent = max(record.sent_at for record in run.records)
    assert last_sent < sorted(record.ended_at for record in run.records)[-3]
    assert run.offered == run.sent == 12


def talk(name, turns, think_seconds):
    asked = [ask(f"{name} {number}") for number in range(turns)]
    return chained(name, asked, [think_seconds] * (turns - 1))


def test_users_hold_conversations_and_think_between_the_turns():
    """Each turn holds what was said before; a user begins the next conversation when the last one ended."""
    with FakeServer(FakeOptions(ttft_ms=5, gap_ms=1, tokens=2)) as server:
        run = load(
            server, [talk("ab"[number % 2] + str(number), 3, 0.2) for number in range(4)], ClosedLoop(2)
        )
        truths = server.truth()
    assert run.sent == run.offered == len(run.records) == 12
    by_talk = {}
    for record in sorted(run.records, key=lambda record: record.sent_at):
        by_talk.setdefault(record.turn.conversation, []).append(record)
    for name, records in by_talk.items():
        assert [record.turn.number for record in records] == [1, 2, 3]
        due = [last.ended_at + 0.2 for last in records[:-1]]
        assert [record.turn.due_at for record in records[1:]] == due
        assert all(record.sent_at >= at for record, at in zip(records[1:], due, strict=True))
        (last,) = (truth for truth in truths if truth.question == f"{name} 2")
        answer = records[0].text
        assert [message["content"] for message in last.messages] == [
            f"{name} 0",
            answer,
            f"{name} 1",
            answer,
            f"{name} 2",
        ]
    begins = sorted(records[0].sent_at for records in by_talk.values())
    assert begins[2] >= min(records[-1].ended_at for records in by_talk.values())
    assert all(record.scheduled_at is None for record in run.records)


def test_conversations_arrive_at_a_rate_whatever_was_answered():
    """Later turns are due a think time after the answer; of one that fails nothing more is sent."""
    faults = {"1": "status=500"}
    with FakeServer(FakeOptions(ttft_ms=5, gap_ms=1, tokens=2, faults=faults)) as server:
        run = load(server, [talk(str(number), 2, 0.3) for number in range(4)], ConstantRate(20.0))
    openings = [record for record in run.records if record.opens]
    due = sorted(record.scheduled_at - run.started_at for record in openings)
    assert due == pytest.approx([0.0, 0.05, 0.1, 0.15])
    later = [record for record in run.records if not record.opens]
    assert len(later) == 3
    assert all(record.scheduled_at == record.turn.due_at for record in later)
    assert (run.offered, run.unsent_turns) == (7, 1)
    assert any("1 later turns of their conversations were not sent" in text for text in load_warnings(run))


def test_a_duration_ends_the_arrivals_and_every_answer_is_awaited(quick):
    """Of an endless list of questions those due within the duration are sent, and all of these end."""
    shape = Poisson(150.0, 1, duration_seconds=0.2)
    run = load(quick, (ask(str(i)) for i in count()), shape)
    assert len(run.records) == run.offered == len(list(shape.arrivals()))
    assert all(record.error is None for record in run.records)


def test_stop_begins_no_request_and_cuts_off_those_under_way():
    """After the stop event nothing is sent, and a request cut off leaves no record."""

    async def body(server):
        stop = asyncio.Event()
        return await run_load(
            Endpoint(server.base_url, "m"),
            (ask(str(i)) for i in count()),
            ClosedLoop(2),
            on_record=lambda _: stop.set(),
            stop=stop,
            request_timeout_seconds=20,
        )

    with FakeServer(FakeOptions(ttft_ms=2, gap_ms=1, tokens=2, faults={"2": "hang"})) as server:
        run = asyncio.run(body(server))
        assert [record.item_id for record in run.records] == ["0"]
        assert run.sent <= 3
        assert len(server.truth()) <= 3


def test_a_stop_signal_that_is_never_set_changes_nothing(quick):
    """The watcher of the event ends with the run."""

    async def body():
        endpoint = Endpoint(quick.base_url, "m")
        stop = asyncio.Event()
        return await run_load(endpoint, [ask("x")], ClosedLoop(1), stop=stop, request_timeout_seconds=20)

    assert len(asyncio.run(body()).records) == 1


def test_several_tokens_in_a_chunk_are_counted_by_the_server():
    """Chunks are timed, tokens are counted: the two need not be the same number."""
    with FakeServer(FakeOptions(ttft_ms=2, gap_ms=1, tokens=10, tokens_per_chunk=4)) as server:
        (record,) = load(server, [ask("x")]).records
    assert (record.output_tokens, len(record.chunk_times)) == (10, 3)


def test_without_usage_the_chunks_are_counted_and_a_warning_says():
    """A server that gives no usage can be measured, but not silently."""
    with FakeServer(FakeOptions(ttft_ms=2, gap_ms=1, tokens=5, usage=False)) as server:
        run = load(server, [ask("x")])
    assert (run.records[0].output_tokens, run.records[0].usage_reported) == (5, False)
    assert "no token counts for 1 of 1" in load_warnings(run)[0]


def test_reasoning_is_the_first_text_but_not_the_answer():
    """TTFT ends with the first reasoning token; the text is what follows the reasoning."""
    with FakeServer(FakeOptions(ttft_ms=5, gap_ms=5, tokens=2, reasoning_tokens=3)) as server:
        (record,) = load(server, [ask("x")]).records
        (truth,) = server.truth()
    assert len(record.chunk_times) == len(truth.token_times) == 5
    assert record.text == "t0 t1 "
    assert record.first_text_at < truth.token_times[2]


def test_the_end_of_an_answer_is_its_usage_chunk():
    """E2E ends with the last chunk received, not with the last text nor with the connection."""
    with FakeServer(FakeOptions(ttft_ms=2, gap_ms=1, tokens=2, usage_delay_ms=80)) as server:
        (record,) = load(server, [ask("x")]).records
    assert record.ended_at - record.last_text_at > 0.075


def test_an_event_loop_of_the_caller_is_enough():
    """Runs one after another in one loop do not disturb each other."""

    async def body(server):
        endpoint = Endpoint(server.base_url, "m")
        shape, questions = ClosedLoop(2), [ask("a"), ask("b")]
        return [await run_load(endpoint, questions, shape, request_timeout_seconds=20) for _ in range(3)]

    with FakeServer(FakeOptions(ttft_ms=2, gap_ms=1, tokens=2)) as server:
        runs = asyncio.run(body(server))
    assert [len(run.records) for run in runs] == [2, 2, 2]
    assert all(one.ended_at <= two.started_at for one, two in pairwise(runs))
