"""How near the measured times come to what the server really did.

Noise of a busy machine only adds to an error, so each case runs before other processes where it may, and
takes the best of a few attempts. TTFT is judged on requests sent after the first wave: when all clients
connect at once, the fake notes a request's arrival only after it has accepted the others, and that wait is
the server's.
"""

import asyncio
from itertools import pairwise
from statistics import mean, median

import numpy as np
import pytest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_runner.load.client import run_load
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.load.shapes import ClosedLoop
from llmopt_runner.load.summary import summarise

pytestmark = pytest.mark.usefixtures("before_others")
ATTEMPTS = 8
TOKENS_PER_SECOND = 5000


def options(concurrency, seed, *, role_chunk):
    gap_ms = 1000 * concurrency / TOKENS_PER_SECOND
    return FakeOptions(
        seed=seed,
        ttft_ms=30,
        ttft_jitter_ms=40,
        gap_ms=0.6 * gap_ms,
        gap_jitter_ms=0.8 * gap_ms,
        tokens=60,
        tokens_jitter=80,
        role_chunk=role_chunk,
    )


def measure(server, concurrency):
    """Return pairs of a record and what really happened, after a warm-up of its own."""

    async def body():
        endpoint, shape = Endpoint(server.base_url, "m"), ClosedLoop(concurrency)
        await run_load(endpoint, questions("warm", 4), shape, request_timeout_seconds=60)
        asked = questions("measured", max(80, 3 * concurrency))
        return await run_load(endpoint, asked, shape, request_timeout_seconds=60)

    run = asyncio.run(body())
    truths = {truth.question: truth for truth in server.truth()}
    return run, [(record, truths[record.item_id]) for record in run.records]


def questions(name, number):
    texts = [f"{name} {i}" for i in range(number)]
    return [ChatRequest(text, ({"role": "user", "content": text},), 512) for text in texts]


def gaps(times):
    return [later - earlier for earlier, later in pairwise(times)]


def ttft_error_ms(pairs, concurrency):
    by_sending = sorted(pairs, key=lambda pair: pair[0].sent_at)
    return median(
        abs((record.first_text_at - record.sent_at) - (truth.token_times[0] - truth.received_at)) * 1000
        for record, truth in by_sending[concurrency:]
    )


def gap_error_ms(pairs):
    return median(
        abs(seen - real) * 1000
        for record, truth in pairs
        for seen, real in zip(gaps(record.chunk_times), gaps(truth.token_times), strict=True)
    )


def expected(truths):
    """The catalogue's formulas over what the server did, written down once more."""
    ttft = [truth.token_times[0] - truth.received_at for truth in truths]
    e2e = [truth.ended_at - truth.received_at for truth in truths]
    tokens = [truth.output_tokens for truth in truths]
    tpot = [(whole - first) / (n - 1) for whole, first, n in zip(e2e, ttft, tokens, strict=True)]
    itl = [gap for truth in truths for gap in gaps(truth.token_times)]
    wall = max(truth.ended_at for truth in truths) - min(truth.received_at for truth in truths)
    return {
        "tpot_ms_mean": 1000 * mean(tpot),
        "tpot_ms_p50": 1000 * float(np.percentile(tpot, 50)),
        "tpot_ms_p95": 1000 * float(np.percentile(tpot, 95)),
        "itl_ms_mean": 1000 * mean(itl),
        "e2e_ms_mean": 1000 * mean(e2e),
        "e2e_ms_p50": 1000 * float(np.percentile(e2e, 50)),
        "e2e_ms_p95": 1000 * float(np.percentile(e2e, 95)),
        "e2e_ms_p99": 1000 * float(np.percentile(e2e, 99)),
        "output_tokens_per_second": sum(tokens) / wall,
        "requests_per_second": len(truths) / wall,
    }


def worst_formula(run, pairs):
    metrics = summarise(run)
    wanted = expected([truth for _, truth in pairs])
    return max((abs(metrics[name] / value - 1), name) for name, value in wanted.items())


@pytest.mark.parametrize("role_chunk", [True, False], ids=["role chunk first", "text first"])
@pytest.mark.parametrize("concurrency", [8, 64])
def test_times_are_within_a_millisecond_and_formulas_within_two_percent(concurrency, role_chunk):
    """At 5,000 tokens/s the median errors of TTFT and of gaps stay below 1 ms, every formula within 2 %."""
    found = []
    for seed in range(ATTEMPTS):
        with FakeServer(options(concurrency, seed, role_chunk=role_chunk)) as server:
            run, pairs = measure(server, concurrency)
        found.append((ttft_error_ms(pairs, concurrency), gap_error_ms(pairs), *worst_formula(run, pairs)))
        ttft_error, gap_error, formula_error, _ = found[-1]
        if ttft_error < 1.0 and gap_error < 1.0 and formula_error < 0.02:
            return
    pytest.fail(f"TTFT error ms, gap error ms, worst formula of each attempt: {found}")
