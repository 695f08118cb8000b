"""Searches for the highest load of a loaded engine that keeps the service level, by probes of real load."""

import asyncio
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from statistics import median

import anyio
import numpy as np

from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.load import MaxRate
from llmopt_core.resources.serving import ServiceLevel
from llmopt_core.storage.load_curves import LoadCurve, LoadProbe
from llmopt_core.storage.records import TrialRecord
from llmopt_runner.load.client import run_load
from llmopt_runner.load.distinct_prompts import distinct
from llmopt_runner.load.highest_load import Search, bracket, interval, next_load
from llmopt_runner.load.requests import ChatRequest, Endpoint, LoadRun, RequestRecord
from llmopt_runner.load.shapes import ClosedLoop, ConstantRate, LoadShape, Poisson
from llmopt_runner.load.summary import strain
from llmopt_runner.stopping import StopSignal

# The most requests that are kept under way, whatever arrives: beyond them a probe has shown enough.
_MOST_IN_FLIGHT = 1024
_HIGHEST = 1024.0
_BURST = 16
# A burst shows about the capacity, and the search begins below it.
_BURST_SHARE = 0.7
_FIRST_CONCURRENCY = 8.0
# What other configurations reached is a good place to begin: the first step from there is small.
_KNOWN_STEP = 1.3
_MOST_STRAIN = 1000.0
_FEWEST_DEPARTURES = 4
# A closed loop may end more requests than it seemed to on its way.
_PROJECTION_SLACK = 1.2


@dataclass
class Probe:
    """One load under way: counts what keeps the level, and stops once too much has broken it.

    `planned` is how many requests arrive in all, None where a closed loop sends as many as it can in
    `seconds`.
    """

    slo: ServiceLevel
    attainment: float
    planned: int | None
    seconds: float
    stop: asyncio.Event
    strains: list[float] = field(default_factory=list)
    given: int = 0
    stopped: bool = False
    _began: float = field(default_factory=time.monotonic)

    def feed(self, requests: Iterator[ChatRequest], least: int) -> Iterator[ChatRequest]:
        """Yield what is sent: `planned` requests, or what `seconds` hold and at least `least`."""
        for request in requests:
            if self.planned is None and self._elapsed() >= self.seconds and self.given >= least:
                return
            if self.given == self.planned:
                return
            if self.given - len(self.strains) >= _MOST_IN_FLIGHT:
                self._end()
                return
            self.given += 1
            yield request

    def take(self, record: RequestRecord) -> None:
        """Count a request that ended."""
        self.strains.append(min(strain(record, self.slo), _MOST_STRAIN))
        broken = sum(one > 1.0 for one in self.strains)
        if broken > (1 - self.attainment) * self._expected():
            self._end()

    def _expected(self) -> float:
        if self.planned is not None:
            return self.planned
        share = min(1.0, max(self._elapsed() / self.seconds, 1e-3))
        return max(self.given, _PROJECTION_SLACK * len(self.strains) / share)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _end(self) -> None:
        self.stopped = True
        self.stop.set()

    def result(self, load: float, run: LoadRun) -> LoadProbe:
        """Return what the probe at `load` saw."""
        ended = self.strains or [_MOST_STRAIN]
        return LoadProbe(
            load=load,
            kept=sum(one <= 1.0 for one in self.strains),
            requests=len(ended),
            strain=round(float(np.quantile(ended, self.attainment, method="inverted_cdf")), 4),
            per_second=round(served_per_second(run.records), 4),
            stopped=self.stopped,
        )


@dataclass(frozen=True)
class Found:
    """The curve of a trial, the requests and the run of the highest load that kept the level.

    Where none did, the run is that of the lowest load.
    """

    curve: LoadCurve
    requests: tuple[ChatRequest, ...]
    shape: LoadShape
    run: LoadRun
    warnings: tuple[str, ...] = ()


@dataclass
class MaxRateSearch:
    """The probes of one trial: `requests` are asked again and again, each time with a prefix of its own.

    `known` is what other configurations of the study reached, 0 where nothing is known.
    """

    endpoint: Endpoint
    requests: Sequence[ChatRequest]
    spec: MaxRate
    slo: ServiceLevel
    seed: int
    stopping: StopSignal
    timeout_seconds: float
    known: float = 0.0
    asked: dict[str, ChatRequest] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def run(self) -> Found:
        """Return the highest load; raises Interrupted when stopped, TimeoutError when the time is over."""
        return anyio.run(self._search)

    async def _search(self) -> Found:
        with anyio.fail_after(self.timeout_seconds):
            search, probes, runs = await self._plan(), list[LoadProbe](), list[LoadRun]()
            while not self.stopping.requested and (load := next_load(probes, search)) is not None:
                repeats = sum(probe.load == load for probe in probes)
                probe, run = await self._probe(load, repeats)
                probes.append(probe)
                runs.append(run)
        self.stopping.check()
        return self._found(search, probes, runs)

    async def _plan(self) -> Search:
        attainment, whole = float(self.spec.attainment), self.spec.by == "concurrency"
        highest = min(float(self.spec.highest or _HIGHEST), _HIGHEST if whole else math.inf)
        plan = Search(attainment, self.spec.probes, highest, _FIRST_CONCURRENCY, whole=whole)
        if self.known > 0:
            return replace(plan, start=self.known, step=_KNOWN_STEP)
        if whole:
            return plan
        return replace(plan, start=await self._burst(), most_probes=self.spec.probes - 1)

    async def _burst(self) -> float:
        """Return a rate to begin with: how fast a burst was answered, less a margin."""
        with self.stopping.in_loop() as stop:
            requests = [next(self._stream()) for _ in range(2 * _BURST)]
            run = await run_load(
                self.endpoint,
                requests,
                ClosedLoop(_BURST),
                stop=stop,
                request_timeout_seconds=self.timeout_seconds,
            )
        good = [record for record in run.records if record.error is None]
        if not good:
            return 1.0
        seconds = max(record.ended_at for record in good) - min(record.sent_at for record in good)
        return _BURST_SHARE * len(good) / max(seconds, 1e-3)

    async def _probe(self, load: float, repeats: int) -> tuple[LoadProbe, LoadRun]:
        seconds, least = float(duration_seconds(self.spec.probe_duration)), len(self.requests)
        by_rate = self.spec.by == "rate"
        planned = max(least, math.ceil(load * seconds)) if by_rate else None
        with self.stopping.in_loop() as stop:
            probe = Probe(self.slo, float(self.spec.attainment), planned, seconds, stop)
            run = await run_load(
                self.endpoint,
                probe.feed(self._stream(), least),
                self._shape(load, repeats),
                on_record=probe.take,
                stop=stop,
                request_timeout_seconds=self.timeout_seconds,
            )
        return probe.result(load, run), run

    def _shape(self, load: float, repeats: int) -> LoadShape:
        """The same arrivals at every rate, stretched: probes differ by their rate alone. Repeats differ."""
        if self.spec.by == "concurrency":
            return ClosedLoop(round(load))
        if self.spec.arrivals == "constant":
            return ConstantRate(load)
        return Poisson(load, self.seed * _MOST_IN_FLIGHT + repeats)

    def _stream(self) -> Iterator[ChatRequest]:
        """Yield requests without end, each with an id of its own, and note them by it."""
        while True:
            number = next(self._numbers)
            (marked,) = distinct([self.requests[number % len(self.requests)]])
            request = replace(marked, item_id=f"{marked.item_id}#{number}")
            self.asked[request.item_id] = request
            yield request

    def _found(self, search: Search, probes: Sequence[LoadProbe], runs: Sequence[LoadRun]) -> Found:
        value = bracket(probes, search.attainment).low
        low, high = interval(probes, search.attainment)
        place = _shown(probes, value)
        curve = LoadCurve(self.spec.by, search.attainment, value, low, high, tuple(probes))
        requests = tuple(self.asked[record.item_id] for record in runs[place].records)
        shape = self._shape(probes[place].load, 0)
        return Found(curve, requests, shape, runs[place], _warnings(curve, search))


def _shown(probes: Sequence[LoadProbe], value: float) -> int:
    """Return the place of the probe that stands for the trial: the best at `value`, else the lowest."""
    places = range(len(probes))
    at_value = [place for place in places if probes[place].load == value]
    if at_value:
        return max(at_value, key=lambda place: probes[place].kept / probes[place].requests)
    return min(places, key=lambda place: probes[place].load)


def _warnings(curve: LoadCurve, search: Search) -> tuple[str, ...]:
    unit = "requests/s" if curve.by == "rate" else "requests in flight"
    tried = [probe.load for probe in curve.probes]
    if curve.value == 0:
        share = f"{curve.attainment * 100:g} %"
        text = f"no load kept workload.slo for {share} of the requests: the lowest that was tried is"
        return (f"{text} {min(tried):.3g} {unit}",)
    if curve.value >= max(tried):
        why = "load.maxRate.highest" if curve.value >= search.highest else "load.maxRate.probes"
        return (f"the highest load is above {curve.value:.3g} {unit}, where {why} ended the search",)
    return ()


def served_per_second(records: Sequence[RequestRecord]) -> float:
    """Return at which rate answers ended, without the first third: of a server that is full, its capacity."""
    ends = sorted(record.ended_at for record in records if record.error is None)
    ends = ends[len(ends) // 3 :]
    if len(ends) < _FEWEST_DEPARTURES or ends[-1] <= ends[0]:
        return 0.0
    return (len(ends) - 1) / (ends[-1] - ends[0])


def known_value(trials: Iterable[TrialRecord]) -> float:
    """Return about what configurations that were measured reached, 0 where nothing is known."""
    outcomes = [trial.outcome for trial in trials if trial.outcome is not None]
    values = [
        outcome.curve.value for outcome in outcomes if outcome.curve is not None and outcome.curve.value > 0
    ]
    return median(values) if values else 0.0
