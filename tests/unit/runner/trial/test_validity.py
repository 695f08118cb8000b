"""What makes a measurement invalid."""

from dataclasses import replace

import pytest

from llmopt_runner.load.conversations import chained
from llmopt_runner.load.requests import ChatRequest, LoadRun, RequestRecord, SentTurn
from llmopt_runner.load.shapes import ClosedLoop, Poisson, Schedule
from llmopt_runner.trial.validity import Validity, check_validity, shared_prefixes, unusable

CLOSED = ClosedLoop(1)


def request(item, question, max_tokens=10):
    return ChatRequest(item, ({"role": "user", "content": question},), max_tokens)


def record(item, *, sent_at=0.0, ttft=0.1, prompt=40, cached=None, output=5, finish="stop"):
    return RequestRecord(
        item_id=item,
        sent_at=sent_at,
        first_text_at=sent_at + ttft,
        last_text_at=sent_at + ttft,
        ended_at=sent_at + ttft,
        chunk_times=(sent_at + ttft,),
        text="12",
        prompt_tokens=prompt,
        output_tokens=output,
        cached_tokens=cached,
        finish_reason=finish,
        error=None,
        status=200,
    )


def run(*records):
    return LoadRun(tuple(records), 0.0, 1.0, len(records), len(records))


REQUESTS = [request("a", "What is 7 + 5?"), request("b", "What is 8 + 9?")]


def test_a_plain_measurement_holds():
    """Answers that stopped by themselves, without cache hits, give neither reasons nor warnings."""
    found = check_validity(run(record("a"), record("b")), REQUESTS, CLOSED)
    assert (found.invalid, found.warnings) == ((), ())


def test_impossible_counts_invalidate():
    """A server that miscounts one answer is believed in none."""
    wrong = replace(record("a"), impossible="completion_tokens is -50", output_tokens=None)
    found = check_validity(run(wrong, record("b")), REQUESTS, CLOSED)
    assert found.invalid == ("impossible token counts in 1 of 2 answers: completion_tokens is -50",)


def test_a_cut_that_nobody_counted_is_one_at_max_tokens():
    """Without counts nothing shows that the context was too short: it is no reason to refuse."""
    cut = replace(record("a", output=4, finish="length"), usage_reported=False)
    for tokens in (4, None):
        found = check_validity(run(replace(cut, output_tokens=tokens)), REQUESTS, CLOSED)
        assert found.context_cut is None
        assert "1 of 1 answers reached workload.maxTokens" in found.warnings[0]


def test_a_prompt_cached_to_its_last_token_had_been_sent_before():
    """Distinct prompts cannot be wholly cached unless an earlier trial sent the very same ones."""
    found = check_validity(run(record("a", cached=39), record("b", cached=39)), REQUESTS, CLOSED)
    assert "contamination: 2 of 2" in found.invalid[0]


def test_the_prefix_that_prompts_share_may_be_cached():
    """System prompt and examples are the workload's own: hits on them are what a user would see too."""
    found = check_validity(run(record("a", cached=30), record("b", cached=30)), REQUESTS, CLOSED)
    assert found.invalid == ()


def test_a_long_prompt_cached_beyond_its_shared_part_is_contaminated():
    """An engine that caches whole blocks never reports the last tokens: the shared share decides."""
    requests = [request("a", "x" * 100 + "a" * 900), request("b", "x" * 100 + "b" * 900)]
    found = check_validity(run(record("a", prompt=500, cached=480)), requests, CLOSED)
    assert len(found.invalid) == 1


def test_a_prompt_that_the_workload_itself_repeats_may_be_cached():
    """Equal questions in one workload hit the cache rightly."""
    same = [request("a", "What?"), request("b", "What?")]
    assert check_validity(run(record("a", cached=39)), same, CLOSED).invalid == ()


def test_an_answer_cut_by_the_context_is_distinguished():
    """An answer that ends before its own limit ran into the slot's context: no repeat helps."""
    found = check_validity(run(record("a", output=4, finish="length")), REQUESTS, CLOSED)
    assert "1 of 1 answers were cut by the context" in found.context_cut
    assert check_validity(run(record("a")), REQUESTS, CLOSED).context_cut is None


def test_an_answer_beyond_the_models_context_is_no_measurement():
    """Where the server does not look at the context, its own counts say that a request left it behind."""
    measured = run(record("a", prompt=90, output=10), record("b", prompt=95, output=8))
    found = check_validity(measured, REQUESTS, CLOSED, 100)
    assert found.context_cut == (
        "1 of 2 prompts with their answers were longer than the model's context of 100 tokens: up to 103"
    )
    assert check_validity(measured, REQUESTS, CLOSED, 103).context_cut is None
    assert check_validity(measured, REQUESTS, CLOSED).context_cut is None


def test_answers_cut_at_their_limit_are_a_warning():
    """The limit is the workload's own, the same for every configuration."""
    found = check_validity(run(record("a", output=10, finish="length")), REQUESTS, CLOSED)
    assert found.invalid == ()
    assert "maxTokens" in found.warnings[0]


def test_a_queue_that_grows_while_requests_arrive_is_over_saturated():
    """In an open loop a wait that grows without bound has no median worth reporting."""
    requests = [request(str(n), f"question {n}") for n in range(12)]
    growing = [record(str(n), sent_at=float(n), ttft=0.1 + n) for n in range(12)]
    steady = [record(str(n), sent_at=float(n), ttft=1.0) for n in range(12)]
    assert "over-saturated" in check_validity(run(*growing), requests, Poisson(1.0, 0)).invalid[0]
    assert check_validity(run(*steady), requests, Poisson(1.0, 0)).invalid == ()
    assert check_validity(run(*growing), requests, CLOSED).invalid == ()


def test_shared_prefixes_are_shares_of_the_prompts_own_text():
    """A prompt alone shares nothing; one that begins another shares all of itself."""
    assert shared_prefixes([request("a", "abc")]) == {"a": 0.0}
    shares = shared_prefixes([request("a", "abc"), request("b", "abcdef"), request("c", "xyz")])
    assert shares["a"] == 1.0
    assert 0 < shares["c"] < shares["b"] < 1


@pytest.mark.parametrize(
    ("metrics", "undefined", "faults"),
    [
        ({"accuracy": 0.0, "output_tokens_per_second": 5.0}, [], ["ttft_ms_p95 was not measured"]),
        ({"accuracy": 0.0, "output_tokens_per_second": 5.0}, ["ttft_ms_p95"], []),
        (
            {"accuracy": 0.0, "output_tokens_per_second": 0.0, "ttft_ms_p95": 3.0},
            [],
            ["output_tokens_per_second is not above zero"],
        ),
        ({"accuracy": 0.0, "output_tokens_per_second": 5.0, "ttft_ms_p95": 3.0}, [], []),
    ],
)
def test_what_is_asked_for_must_have_been_measured(metrics, undefined, faults):
    """Without a value for all that is asked for, or with a speed of zero, there is no result."""
    objectives = ["accuracy", "output_tokens_per_second"]
    found = unusable(metrics, objectives=objectives, constraints=["ttft_ms_p95"], undefined=undefined)
    assert found == faults


@pytest.mark.parametrize("metric", ["good_answers_per_second", "goodput_requests_per_second"])
def test_a_rate_of_zero_good_requests_is_a_value(metric):
    """A configuration that does nothing well was measured: it is the worst, not an invalid one."""
    assert unusable({metric: 0.0}, objectives=[metric], constraints=[]) == []


def _of_length(*counts, usage=True):
    answers = tuple(
        replace(record(str(place), output=count, finish="length"), usage_reported=usage)
        for place, count in enumerate(counts)
    )
    return LoadRun(answers, 0.0, 1.0, len(answers), len(answers))


def _checked(run, length):
    requests = [
        replace(request(each.item_id, f"{each.item_id} apples?", max_tokens=length), exact_tokens=True)
        for each in run.records
    ]
    return check_validity(run, requests, CLOSED)


def test_answers_of_the_length_that_was_asked_for_are_not_cut():
    """They end where they were asked to: nothing is wrong, and nothing is to be warned of."""
    assert _checked(_of_length(5, 5, 5), 5) == Validity((), ())


def test_answers_of_another_length_are_not_the_load_that_was_asked_for():
    """A server that ends answers where it likes does so the next time, too."""
    checked = _checked(_of_length(5, 6, 8), 5)
    assert checked.invalid == ()
    expected = "2 of 3 answers have another length than workload asks for (5): 6 to 8 tokens"
    assert checked.other_lengths == expected


def test_lengths_that_the_server_does_not_count_are_warned_of():
    """Chunks are no proof of tokens."""
    checked = _checked(_of_length(5, 4, usage=False), 5)
    assert checked.invalid == ()
    (warning,) = checked.warnings
    assert "it is not known whether they have the length" in warning


def _replayed(*late_seconds):
    return run(*(replace(record("a", sent_at=10.0 + late), scheduled_at=10.0) for late in late_seconds))


@pytest.mark.parametrize(("late", "kept"), [(0.01, True), (0.2, True), (0.6, False)])
def test_a_trace_that_was_sent_late_is_another_load(late, kept):
    """Where many requests came more than 250 ms after they were due, the measurement is invalid."""
    found = check_validity(_replayed(*[late] * 10), REQUESTS, Schedule((0.0,))).invalid
    assert (found == ()) is kept
    if not kept:
        assert found[0].startswith("the schedule was not kept: 100 % of the requests")


def _turns(*late_seconds, cached=None):
    """Return the records of one conversation, and its requests."""
    said = ({"role": "user", "content": "What is 7 + 5?" * 20}, {"role": "assistant", "content": "12" * 20})
    turns = [
        replace(
            record(f"a/turn-{number}", sent_at=10.0 + late, prompt=400, cached=cached),
            turn=SentTurn("a", number, said, 10.0),
        )
        for number, late in enumerate(late_seconds, start=2)
    ]
    asked = [request(f"a/turn-{number}", "And now?") for number in range(1, len(late_seconds) + 2)]
    return turns, [chained("a", asked, [0.0] * len(late_seconds))]


@pytest.mark.parametrize(("late", "kept"), [(0.01, True), (0.2, True), (0.6, False)])
def test_turns_that_were_sent_late_are_another_load(late, kept):
    """Where users seem to think longer than was asked for, in a closed loop as well, nothing is measured."""
    records, requests = _turns(*[late] * 10)
    found = check_validity(run(*records), requests, CLOSED).invalid
    assert (found == ()) is kept
    if not kept:
        (text,) = found
        assert text.startswith("think times were not kept: 100 % of the later turns were sent more than 250")


@pytest.mark.parametrize(("cached", "reasons"), [(380, 0), (399, 1)])
def test_what_was_said_before_a_turn_may_be_cached(cached, reasons):
    """A server keeps a conversation for its users: only a prompt that is wholly cached was sent before."""
    records, requests = _turns(0.0, cached=cached)
    assert len(check_validity(run(*records), requests, CLOSED).invalid) == reasons


def test_later_turns_that_take_longer_are_no_queue_that_grows():
    """Their prompts grow: whether more arrives than is served is read from the first turns."""
    first = [replace(record("a/turn-1", sent_at=float(at)), turn=SentTurn("a", 1)) for at in range(10)]
    later = [
        replace(record("a/turn-2", sent_at=20.0 + at, ttft=5.0), turn=SentTurn("a", 2)) for at in range(20)
    ]
    requests = [chained("a", [request("a/turn-1", "Hi"), request("a/turn-2", "Bye")], [0.0])]
    assert check_validity(run(*first, *later), requests, Poisson(1.0, 0)).invalid == ()


def test_prompts_of_other_lengths_than_the_trace_has_are_warned_of():
    """Words are no tokens: what the server counted is compared with what was asked for."""
    asked = [replace(each, prompt_tokens=20) for each in REQUESTS]
    (warning,) = check_validity(run(record("a"), record("b")), asked, CLOSED).warnings
    assert warning == "prompts had 2.00 times as many tokens as the trace asks for"
    same = [replace(each, prompt_tokens=38) for each in REQUESTS]
    assert check_validity(run(record("a"), record("b")), same, CLOSED).warnings == ()
