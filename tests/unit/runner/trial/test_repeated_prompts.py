"""When a server counts as one that keeps what it was asked."""

import pytest

from llmopt_runner.load.requests import RequestRecord
from llmopt_runner.trial.repeated_prompts import Repetition, compare


def record(ttft_ms, e2e_ms, *, cached=None, error=None):
    return RequestRecord(
        item_id="a",
        sent_at=1.0,
        first_text_at=1.0 + ttft_ms / 1000,
        last_text_at=1.0 + e2e_ms / 1000,
        ended_at=1.0 + e2e_ms / 1000,
        chunk_times=(1.0 + ttft_ms / 1000,),
        text="x",
        prompt_tokens=100,
        output_tokens=4,
        cached_tokens=cached,
        finish_reason="stop",
        error=error,
        status=200,
    )


@pytest.mark.parametrize(
    ("first", "again", "kept"),
    [
        (record(400, 1000), record(20, 50), True),  # the whole answer comes 20 times as fast
        (record(400, 1000), record(40, 640), True),  # only the first token does
        (record(400, 1000), record(380, 900), False),  # two answers are never equally fast
        (record(20, 30), record(10, 15), False),  # twice as fast by 15 ms is noise
        (record(400, 1000, cached=0), record(400, 1000, cached=96), True),  # it says so
        (record(400, 1000, cached=96), record(400, 1000, cached=96), False),  # both shared as much
    ],
)
def test_a_server_keeps_prompts_where_they_are_answered_much_sooner_again(first, again, kept):
    """Faster by half and by 20 ms, in the first token or in the whole, or reported as cached."""
    assert compare([first] * 3, [again] * 3).kept is kept


def test_one_slow_answer_is_no_cache():
    """The first prompt is left out, and of the others the median counts."""
    slow, usual = record(900, 2000), record(400, 1000)
    assert not compare([slow, slow, usual, usual], [usual] * 4).kept


def test_failed_requests_say_nothing():
    """Where no prompt was answered twice, nothing is known, and nothing is done."""
    assert compare([record(1, 2, error="HTTP 500")], [record(1, 2)]) == Repetition()


def test_the_warning_says_how_much_faster_and_what_was_done():
    """A reader learns that the server caches, and that all trials were measured alike."""
    (warning,) = compare([record(400, 1000)] * 3, [record(20, 50)] * 3).warnings
    assert "20.0 times as fast and reports no cached tokens" in warning
    assert "a prefix of its own" in warning
