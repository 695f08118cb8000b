"""The search for the highest load, by real requests against a server whose capacity is known."""

from dataclasses import replace

import pytest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_core.resources.load import MaxRate
from llmopt_core.resources.serving import ServiceLevel
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.max_rate import MaxRateSearch

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("before_others")]
SLOTS, TTFT_MS, GAP_MS, TOKENS = 6, 185.0, 5.0, 4
SECONDS = (TTFT_MS + GAP_MS * (TOKENS - 1)) / 1000
CAPACITY = SLOTS / SECONDS  # 30 requests per second
OPTIONS = FakeOptions(slots=SLOTS, ttft_ms=TTFT_MS, gap_ms=GAP_MS, tokens=TOKENS)
LEVEL = ServiceLevel(e2e_ms=round(2000 * SECONDS))
REQUESTS = [ChatRequest(str(i), ({"role": "user", "content": f"Question {i}"},), 16) for i in range(16)]


def found(server, spec, known=0.0, level=LEVEL):
    endpoint = Endpoint(server.base_url, "fake-model")
    return MaxRateSearch(endpoint, REQUESTS, spec, level, 1, StopSignal(), 300.0, known).run()


def test_the_highest_rate_is_the_capacity():
    """Within 3 %, in at most 8 probes with the burst; probes far above it are stopped early."""
    with FakeServer(OPTIONS) as server:
        search = found(server, MaxRate(probe_duration="12s", arrivals="constant"))
        asked = [truth.question for truth in server.truth()]
    curve = search.curve
    assert curve.value == pytest.approx(CAPACITY, rel=0.03)
    assert len(curve.probes) <= 7  # the burst is the eighth
    assert curve.low <= curve.value
    assert curve.high is None or curve.high <= 1.06 * CAPACITY
    far = [probe for probe in curve.probes if probe.load > 2 * CAPACITY]
    assert far
    assert all(probe.stopped and probe.requests < probe.load * 12 / 2 for probe in far)
    assert len(set(asked)) == len(asked)  # no prompt is sent twice
    assert len(search.run.records) == len(search.requests)


def test_the_highest_concurrency_is_the_number_of_slots():
    """With one request more than there are slots an answer takes a sixth longer, where a tenth is allowed."""
    with FakeServer(replace(OPTIONS, ttft_ms=485.0)) as server:
        spec = MaxRate(by="concurrency", probe_duration="4s", attainment="0.9")
        curve = found(server, spec, level=ServiceLevel(e2e_ms=555)).curve
    assert (curve.by, curve.value) == ("concurrency", SLOTS)
    assert len(curve.probes) <= 8


def test_a_level_that_nothing_keeps_is_a_result_of_zero():
    """Where one request alone is too slow, the result is 0, and a warning says what was tried."""
    with FakeServer(FakeOptions(ttft_ms=700.0, tokens=2)) as server:
        spec = MaxRate(by="concurrency", probe_duration="2s", probes=4)
        search = found(server, spec, known=2.0)
    assert search.curve.value == 0
    assert "no load kept workload.slo for 95 %" in search.warnings[0]
