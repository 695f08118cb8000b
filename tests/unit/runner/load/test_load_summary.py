"""The formulas, against numbers worked out by hand."""

from dataclasses import replace

import pytest

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources.serving import ServiceLevel
from llmopt_runner.load.requests import LoadRun, RequestRecord
from llmopt_runner.load.summary import RequestsFailed, load_warnings, summarise

# Sent at 10 s; tokens at 10.1, 10.2, 10.4 s; usage at 10.5 s: TTFT 100, E2E 500, TPOT 400 / 4 = 100 ms.
FIRST = RequestRecord(
    item_id="a",
    sent_at=10.0,
    first_text_at=10.1,
    last_text_at=10.4,
    ended_at=10.5,
    chunk_times=(10.1, 10.2, 10.4),
    text="abc",
    prompt_tokens=20,
    output_tokens=5,
    cached_tokens=None,
    finish_reason="stop",
    error=None,
    status=200,
)
# Sent at 11 s; tokens at 11.3 and 11.9; ended 12: TTFT 300, E2E 1000, TPOT 700 / 1 = 700 ms.
SECOND = replace(
    FIRST,
    item_id="b",
    sent_at=11.0,
    first_text_at=11.3,
    last_text_at=11.9,
    ended_at=12.0,
    chunk_times=(11.3, 11.9),
    prompt_tokens=10,
    output_tokens=2,
)
SILENT = replace(
    FIRST, item_id="s", first_text_at=None, last_text_at=None, chunk_times=(), text="", output_tokens=0
)
FAILED = replace(SILENT, item_id="f", error="HTTP 500: no", status=500, finish_reason=None, ended_at=10.2)


def run(*records):
    return LoadRun(records, 9.0, 13.0, len(records), len(records))


def test_every_metric_is_the_one_worked_out_by_hand():
    """Latencies, pooled gaps and rates over the 2 s from the first send to the last end."""
    metrics = summarise(run(FIRST, SECOND))
    expected = {
        "ttft_ms_mean": 200.0,
        "ttft_ms_p50": 200.0,
        "ttft_ms_p95": 290.0,
        "ttft_ms_p99": 298.0,
        "ttft_ms_p999": 299.8,
        "tpot_ms_mean": 400.0,
        "tpot_ms_p50": 400.0,
        "tpot_ms_p95": 670.0,
        "tpot_ms_p99": 694.0,
        "tpot_ms_p999": 699.4,
        "itl_ms_mean": 300.0,  # 100, 200 and 600 pooled
        "itl_ms_p50": 200.0,
        "itl_ms_p95": 560.0,
        "itl_ms_p99": 592.0,
        "itl_ms_p999": 599.2,
        "e2e_ms_mean": 750.0,
        "e2e_ms_p50": 750.0,
        "e2e_ms_p95": 975.0,
        "e2e_ms_p99": 995.0,
        "e2e_ms_p999": 999.5,
        "output_tokens_per_second": 3.5,
        "total_tokens_per_second": 18.5,
        "requests_per_second": 1.0,
        "failed_requests_ratio": 0.0,
        "excluded_requests_ratio": 0.0,
    }
    assert metrics == pytest.approx(expected)


def test_in_an_open_loop_latencies_count_from_when_a_request_was_due():
    """What kept the client from sending is no gain of the server: no coordinated omission."""
    late = replace(FIRST, scheduled_at=FIRST.sent_at - 0.3)
    metrics = summarise(run(late))
    assert metrics["ttft_ms_mean"] == pytest.approx(400.0)
    assert metrics["e2e_ms_mean"] == pytest.approx(800.0)
    assert metrics["tpot_ms_mean"] == pytest.approx(100.0)


def test_names_are_the_catalogues():
    """No metric is called what the catalogue does not know."""
    assert set(summarise(run(FIRST), ServiceLevel(ttft_ms=1))) <= set(CATALOG)


@pytest.mark.parametrize(
    ("slo", "kept"),
    [
        ({"e2e_ms": 2000}, 2),
        ({"ttft_ms": 299}, 1),
        ({"ttft_ms": 301}, 2),
        ({"tpot_ms": 101}, 1),
        ({"e2e_ms": 499}, 0),
        ({"e2e_ms": 501, "ttft_ms": 99}, 0),
    ],
)
def test_goodput_is_what_kept_every_bound_given(slo, kept):
    """One broken bound is enough; bounds not given bind nobody."""
    metrics = summarise(run(FIRST, SECOND), ServiceLevel(**slo))
    assert metrics["goodput_ratio"] == kept / 2
    assert metrics["goodput_requests_per_second"] == pytest.approx(kept / 2.0)


def test_goodput_counts_the_requests_sent():
    """A failed request and an answer without a token keep no bound on TTFT, and both were sent."""
    metrics = summarise(run(FIRST, SILENT, FAILED), ServiceLevel(ttft_ms=1000), max_error_ratio=0.5)
    assert metrics["goodput_ratio"] == pytest.approx(1 / 3)


def test_answers_of_one_token_have_no_tpot():
    """A latency that no request had is left out instead of being zero."""
    one = replace(FIRST, output_tokens=1, chunk_times=(10.1,))
    metrics = summarise(run(one), ServiceLevel(tpot_ms=1))
    assert "tpot_ms_mean" not in metrics
    assert "itl_ms_mean" not in metrics
    assert metrics["goodput_ratio"] == 1.0


def test_one_failed_request_makes_the_run_no_result():
    """The error carries its class, the counts and the message that came most often."""
    other = replace(FAILED, error="HTTP 503: busy")
    with pytest.raises(RequestsFailed, match=r"3 of 4 requests failed; .*HTTP 500: no") as caught:
        summarise(run(FIRST, other, FAILED, FAILED))
    assert (caught.value.failed, caught.value.total) == (3, 4)
    assert caught.value.failure.error_class is ErrorClass.REQUESTS_FAILED
    assert "HTTP 500: no" in caught.value.failure.message


def test_a_tolerated_failure_is_the_slowest_request_and_adds_no_throughput():
    """Dropping what is slow makes nothing faster: a failed request has the longest latency of the run."""
    metrics = summarise(run(FIRST, SECOND, FAILED), max_error_ratio=0.5)
    assert metrics["failed_requests_ratio"] == pytest.approx(1 / 3)
    assert metrics["ttft_ms_mean"] == pytest.approx((100 + 300 + 300) / 3)
    assert metrics["e2e_ms_p50"] == pytest.approx(1000.0)
    assert metrics["requests_per_second"] == pytest.approx(2 / 2.0)


def test_a_request_that_failed_late_was_under_way_until_then():
    """One that timed out counts with its timeout, where that is longer than any answer took."""
    late = replace(FAILED, ended_at=FAILED.sent_at + 60)
    metrics = summarise(run(FIRST, late), max_error_ratio=0.5)
    assert metrics["e2e_ms_mean"] == pytest.approx((500 + 60_000) / 2)


def test_failed_requests_are_a_warning_of_the_result():
    """What was tolerated is reported, with the most common error."""
    (warning,) = load_warnings(run(FIRST, SECOND, FAILED))
    assert warning == "1 of 3 requests failed; the most common error: HTTP 500: no"


@pytest.mark.parametrize("records", [(), (FAILED,)])
def test_a_run_without_a_success_is_never_a_result(records):
    """However many errors are allowed, zeros are not reported as a measurement."""
    with pytest.raises(RequestsFailed):
        summarise(run(*records), max_error_ratio=1.0)


def test_an_orderly_run_gives_no_warnings():
    """Counts from the server and a schedule kept within 50 ms need no word."""
    assert load_warnings(run(FIRST, replace(SECOND, scheduled_at=10.96))) == ()


def test_estimated_counts_are_reported():
    """Without usage the metrics in tokens are estimates, and the warning says of how many answers."""
    (warning,) = load_warnings(run(FIRST, replace(SECOND, usage_reported=False)))
    assert "no token counts for 1 of 2 answers" in warning


def test_rates_by_token_are_left_out_where_counts_are_unknown():
    """One unknown count makes no rate by token, and the warning says so; latencies remain."""
    unknown = replace(SECOND, usage_reported=False, output_tokens=None)
    metrics = summarise(run(FIRST, unknown), ServiceLevel(tpot_ms=1000))
    assert not {"output_tokens_per_second", "total_tokens_per_second", "tpot_ms_mean"} & metrics.keys()
    assert "goodput_ratio" not in metrics
    assert metrics["ttft_ms_mean"] == pytest.approx(200.0)
    (warning,) = load_warnings(run(FIRST, unknown))
    assert "token counts and rates by token are unknown" in warning


def test_prompts_that_nobody_counted_are_in_no_rate():
    """Without the server's counts prompts have unknown lengths: no total is made of the rest."""
    metrics = summarise(run(FIRST, replace(SECOND, usage_reported=False)))
    assert "total_tokens_per_second" not in metrics
    assert "output_tokens_per_second" in metrics


def test_a_count_of_no_prompt_tokens_is_none():
    """Some servers count answers alone, or say 0 for a prompt that they had cached."""
    metrics = summarise(run(FIRST, replace(SECOND, prompt_tokens=0)))
    assert "total_tokens_per_second" not in metrics
    assert "output_tokens_per_second" in metrics


def test_separated_reasoning_is_reported():
    """A reader learns that reasoning was counted but not scored, and where nothing else came."""
    silent = replace(SECOND, reasoned=True, text=" ")
    (warning,) = load_warnings(run(FIRST, silent, replace(FIRST, reasoned=True)))
    assert warning.startswith("reasoning was separated from 2 of 3 answers: it is counted, not scored")
    assert warning.endswith("; 1 held nothing else")


def test_a_client_behind_its_schedule_is_reported():
    """Late sends mean that the rate asked for was not the rate offered."""
    late = [replace(FIRST, scheduled_at=9.0), replace(SECOND, scheduled_at=9.5)]
    (warning,) = load_warnings(run(*late))
    assert "p95 1475 ms late, offered 2 requests/s, sent 1" in warning
