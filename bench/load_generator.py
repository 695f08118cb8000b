"""What the load generator costs and how true its times are, against the fake server on this machine.

    python bench/load_generator.py --repeats 5

In turn with it a client of bare sockets (`raw_client`) sends the same requests to the same server. Each cell
is the median over the repeats with the least and the greatest. A TTFT error is the difference between the
time that the client saw and the time that the server took, by one clock. All requests count, the first wave
included, in which all clients connect at once. Overhead is what the whole call takes beyond the time from the
first send to the last end.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fakes.openai_server import FakeOptions, FakeServer, Truth
from raw_client import ttfts_ms

from llmopt_runner.load.client import run_load
from llmopt_runner.load.exchanges import http_message
from llmopt_runner.load.requests import ChatRequest, Endpoint, RequestRecord
from llmopt_runner.load.shapes import ClosedLoop
from llmopt_runner.load.summary import summarise

ANSWER_SECONDS = 0.5
TTFT_MS, TTFT_JITTER_MS = 30.0, 20.0


@dataclass(frozen=True)
class Figures:
    """One repeat; the names are the rows of the table."""

    cpu_percent_of_a_core: float
    tokens_per_second: float
    ttft_error_ms_p50: float
    ttft_error_ms_p95: float
    gap_error_ms_p50: float
    gap_error_ms_p95: float
    overhead_ms: float
    ttft_beyond_server_ms_p50: float
    raw_ttft_beyond_server_ms_p50: float
    ttft_above_raw_ms: float


def options(concurrency: int, tokens_per_second: int, seed: int) -> FakeOptions:
    """Return a server that gives about `tokens_per_second` to `concurrency` clients in all."""
    tokens = round(ANSWER_SECONDS * tokens_per_second / concurrency)
    gap_ms = (1000 * ANSWER_SECONDS - TTFT_MS - TTFT_JITTER_MS / 2) / (tokens - 1)
    return FakeOptions(
        seed=seed,
        ttft_ms=TTFT_MS,
        ttft_jitter_ms=TTFT_JITTER_MS,
        gap_ms=0.7 * gap_ms,
        gap_jitter_ms=0.6 * gap_ms,
        tokens=tokens - tokens // 10,
        tokens_jitter=tokens // 5,
    )


def measure(concurrency: int, tokens_per_second: int, seconds: float, seed: int) -> Figures:
    number = round(concurrency * seconds / ANSWER_SECONDS)
    requests = [ChatRequest(str(i), ({"role": "user", "content": str(i)},), 4096) for i in range(number)]
    with FakeServer(options(concurrency, tokens_per_second, seed)) as server:
        started_at, cpu = time.monotonic(), time.process_time()
        endpoint, shape = Endpoint(server.base_url, "fake-model"), ClosedLoop(concurrency)
        run = asyncio.run(run_load(endpoint, requests, shape, request_timeout_seconds=60))
        metrics = summarise(run)
        wall, cpu = time.monotonic() - started_at, time.process_time() - cpu
        truths = {truth.question: truth for truth in server.truth()}
        raw = raw_beyond_server(server, endpoint, concurrency, number)
    pairs = [(record, truths[record.item_id]) for record in run.records]
    span = max(r.ended_at for r in run.records) - min(r.sent_at for r in run.records)
    ttft, gap = errors_ms(pairs)
    return Figures(
        cpu_percent_of_a_core=100 * cpu / wall,
        tokens_per_second=metrics["output_tokens_per_second"],
        ttft_error_ms_p50=float(np.percentile(ttft, 50)),
        ttft_error_ms_p95=float(np.percentile(ttft, 95)),
        gap_error_ms_p50=float(np.percentile(gap, 50)),
        gap_error_ms_p95=float(np.percentile(gap, 95)),
        overhead_ms=1000 * (wall - span),
        ttft_beyond_server_ms_p50=median(beyond_server(pairs)),
        raw_ttft_beyond_server_ms_p50=median(raw),
        ttft_above_raw_ms=median(beyond_server(pairs)) - median(raw),
    )


def beyond_server(pairs: list[tuple[RequestRecord, Truth]]) -> list[float]:
    """Return by how much each TTFT is longer than what the server itself took, in ms."""
    return [
        1000 * ((record.chunk_times[0] - record.sent_at) - (truth.token_times[0] - truth.received_at))
        for record, truth in pairs
    ]


def raw_beyond_server(server: FakeServer, endpoint: Endpoint, concurrency: int, number: int) -> list[float]:
    """Return the same for the client of bare sockets."""
    asked = [f"raw {place}" for place in range(number)]
    requests = [ChatRequest(text, ({"role": "user", "content": text},), 4096) for text in asked]
    found = ttfts_ms(server.base_url, [http_message(endpoint, each) for each in requests], concurrency)
    truths = {truth.question: truth for truth in server.truth()}
    own = [1000 * (truths[text].token_times[0] - truths[text].received_at) for text in asked]
    return [seen - real for seen, real in zip(found, own, strict=True)]


def errors_ms(pairs: list[tuple[RequestRecord, Truth]]) -> tuple[list[float], list[float]]:
    """Return the absolute errors of all TTFTs and of all gaps between chunks."""
    ttft, gaps = [], []
    for record, truth in pairs:
        seen, real = record.chunk_times, truth.token_times
        ttft.append(1000 * abs((seen[0] - record.sent_at) - (real[0] - truth.received_at)))
        for (a, b), (x, y) in zip(pairwise(seen), pairwise(real), strict=True):
            gaps.append(1000 * abs((b - a) - (y - x)))
    return ttft, gaps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--concurrency", type=int, nargs="+", default=[8, 64])
    parser.add_argument("--tokens-per-second", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    found = {
        concurrency: [
            measure(concurrency, given.tokens_per_second, given.seconds, seed)
            for seed in range(given.repeats)
        ]
        for concurrency in given.concurrency
    }
    show(found, given.repeats)


def show(found: dict[int, list[Figures]], repeats: int) -> None:
    table = Table(title=f"load generator, {repeats} repeats: median (least to greatest)")
    table.add_column("figure")
    for concurrency in found:
        table.add_column(f"concurrency {concurrency}", justify="right")
    for row in fields(Figures):
        cells = [[getattr(figures, row.name) for figures in runs] for runs in found.values()]
        table.add_row(row.name, *(f"{median(c):.2f} ({min(c):.2f} to {max(c):.2f})" for c in cells))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
