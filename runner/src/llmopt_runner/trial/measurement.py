"""Measures a loaded engine under a workload: requests, live scores, memory; nothing is judged here."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from numbers import Real
from typing import Any

import anyio

from llmopt_core.search.configurations import Value
from llmopt_core.storage.load_curves import LoadCurve
from llmopt_core.storage.measured_items import MeasuredItem
from llmopt_runner.datasets.base import Item
from llmopt_runner.datasets.dialogues import in_context
from llmopt_runner.load.client import run_load
from llmopt_runner.load.requests import ChatRequest, Endpoint, LoadRun, RequestRecord
from llmopt_runner.load.shapes import ClosedLoop, LoadShape
from llmopt_runner.load.steady_state import SteadyPart, steady_part, whole_part
from llmopt_runner.load.summary import e2e_seconds, ttft_seconds
from llmopt_runner.quality.base import Evaluator, ScoringFailed
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.max_rate import MaxRateSearch

# Says from the place of an item and what was measured of it that the rest of the trial is not worth its time.
Prune = Callable[[int, MeasuredItem], bool]
_MS = 1000
_DECIMALS = 3
_SHOWN = 80  # characters


@dataclass(frozen=True)
class Measurement:
    """A load that ran to its end, or to where it was stopped.

    `requests` are those that were sent in `shape`. `scores` and `answers` are by what was asked (items, or
    turns of them), `items` by its place among all. `curve` is that of a search for the highest load, of which
    `run` is one probe.
    """

    requests: Sequence[ChatRequest]
    shape: LoadShape
    run: LoadRun
    scores: Mapping[str, float]
    answers: Mapping[str, str]
    items: Mapping[int, MeasuredItem]
    pruned: bool
    curve: LoadCurve | None = None
    warnings: tuple[str, ...] = ()

    @cached_property
    def steady(self) -> SteadyPart:
        """What of the run latencies and rates are taken of; all of one that was stopped."""
        return whole_part(self.run) if self.pruned else steady_part(self.run, self.shape)

    @property
    def scored(self) -> SteadyPart:
        """The steady part without turns of conversations that nothing scores."""
        run = self.steady.run
        records = tuple(each for each in run.records if each.turn is None or each.item_id in self.scores)
        return replace(self.steady, run=replace(run, records=records))


@dataclass
class Scoring:
    """Scores answers while the load goes on, and stops the load where a pruner says so."""

    evaluator: Evaluator | None
    items: Mapping[str, tuple[int, Item]]  # by id, with their places
    prune: Prune
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    scores: dict[str, float] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    asked: dict[str, Item] = field(default_factory=dict)  # what is scored, by id, as it was answered
    measured: dict[int, MeasuredItem] = field(default_factory=dict)
    pruned: bool = False
    failure: ScoringFailed | None = None

    async def take(self, record: RequestRecord) -> None:
        """Score the answer, if there is an evaluator, and ask whether the trial goes on."""
        if record.error is not None:
            return
        place, item = self.items[record.item_id]
        try:
            score = await self._score(item, record)
        except ScoringFailed as error:
            self.failure = error
            self.stop.set()
            return
        self._report(place, record, score)

    async def _score(self, item: Item, record: RequestRecord) -> float | None:
        """Score the answer, unless nothing does, or the evaluator scores all at once."""
        if self.evaluator is None:
            return None
        score = None
        if self.evaluator.can_score(item):
            asked = item if record.turn is None else in_context(item, record.turn.earlier)
            if not self.evaluator.whole_set:
                score = _finite(item, await self.evaluator.score(asked, record.text))
                self.scores[item.id] = score
            self.asked[item.id] = asked
        self.answers[item.id] = record.text
        return score

    async def score_all(self, parameters: Mapping[str, Value]) -> None:
        """Score all answers at once, where the evaluator does so; what a pruner stopped is not scored."""
        if self.evaluator is None or not self.evaluator.whole_set or self.pruned or not self.asked:
            return
        answers = [self.answers[item_id] for item_id in self.asked]
        try:
            scores = await self.evaluator.score_set(list(self.asked.values()), answers, parameters)
            self.scores = {
                item.id: _finite(item, score) for item, score in zip(self.asked.values(), scores, strict=True)
            }
        except ScoringFailed as error:
            self.failure = error

    def _report(self, place: int, record: RequestRecord, score: float | None) -> None:
        comparable = score is not None and self.evaluator is not None and self.evaluator.pairable
        measured = measured_item(record, score if comparable else None)
        self.measured[place] = measured
        if not self.pruned and self.prune(place, measured):
            self.pruned = True
            self.stop.set()


def _finite(item: Item, score: Any) -> float:
    """Return the `score` that an evaluator gave to `item`; raises ScoringFailed where it is no number."""
    if not isinstance(score, Real) or not math.isfinite(score):
        raise ScoringFailed(
            f"the evaluator scored {item.id} with {repr(score)[:_SHOWN]}: it must return a number from 0 to 1"
        )
    return float(score)


def measured_item(record: RequestRecord, score: float | None) -> MeasuredItem:
    """Return what is kept of a request that succeeded, and of its `score`."""
    ttft = ttft_seconds(record)
    return MeasuredItem(
        score=score,
        e2e_ms=round(e2e_seconds(record) * _MS, _DECIMALS),
        ttft_ms=None if ttft is None else round(ttft * _MS, _DECIMALS),
        output_tokens=record.output_tokens,
    )


def warm_up(
    endpoint: Endpoint, requests: Sequence[ChatRequest], timeout_seconds: float, stopping: StopSignal
) -> None:
    """Send the warm-up requests one after another; how they fare is not judged.

    Raises Interrupted when `stopping` is set.
    """

    async def send() -> None:
        with stopping.in_loop() as stop:
            await run_load(
                endpoint, requests, ClosedLoop(1), stop=stop, request_timeout_seconds=timeout_seconds
            )

    if requests:
        anyio.run(send)
    stopping.check()


def measure(
    endpoint: Endpoint,
    requests: Sequence[ChatRequest],
    shape: LoadShape,
    *,
    items: Sequence[Item],
    evaluator: Evaluator | None,
    prune: Prune,
    stopping: StopSignal,
    timeout_seconds: float,
    parameters: Mapping[str, Value],
) -> Measurement:
    """Send `requests` in `shape` and score the answers, if there is an `evaluator`.

    An evaluator that scores all answers at once gets `parameters` too. Raises Interrupted when `stopping` is
    set, TimeoutError when `timeout_seconds` are over, ScoringFailed when an answer could not be scored.
    """

    async def body() -> LoadRun:
        async with stopping.bounding(timeout_seconds):
            # The event is this measurement's own: a pruner or a failed scoring sets it as well.
            with stopping.in_loop() as scoring.stop:
                async with anyio.create_task_group() as group:

                    def score_soon(record: RequestRecord) -> None:
                        group.start_soon(scoring.take, record)

                    run = await run_load(
                        endpoint,
                        requests,
                        shape,
                        on_record=score_soon,
                        stop=scoring.stop,
                        request_timeout_seconds=timeout_seconds,
                    )
            await scoring.score_all(parameters)
        return run

    scoring = Scoring(evaluator, {item.id: (place, item) for place, item in enumerate(items)}, prune)
    run = anyio.run(body)
    if scoring.failure is not None:
        raise scoring.failure
    return Measurement(
        requests, shape, run, scoring.scores, scoring.answers, scoring.measured, pruned=scoring.pruned
    )


def measure_max_rate(
    search: MaxRateSearch,
    *,
    items: Sequence[Item],
    evaluator: Evaluator | None,
    parameters: Mapping[str, Value],
) -> Measurement:
    """Search for the highest load and score the answers of its probe, one for each item.

    Raises as `measure` does.
    """

    async def score() -> None:
        async with search.stopping.bounding(give_up_at - time.monotonic()):
            for record in first.values():
                await scoring.take(record)
            await scoring.score_all(parameters)

    give_up_at = time.monotonic() + search.timeout_seconds
    found = search.run()
    first: dict[str, RequestRecord] = {}
    for record in found.run.records:
        item = record.item_id.rpartition("#")[0]
        if record.error is None and item not in first:
            first[item] = replace(record, item_id=item)
    places = {item.id: (place, item) for place, item in enumerate(items)}
    scoring = Scoring(evaluator, places, lambda _place, _item: False)
    anyio.run(score)
    if scoring.failure is not None:
        raise scoring.failure
    return Measurement(
        found.requests,
        found.shape,
        found.run,
        scoring.scores,
        scoring.answers,
        {},
        pruned=False,
        curve=found.curve,
        warnings=found.warnings,
    )
