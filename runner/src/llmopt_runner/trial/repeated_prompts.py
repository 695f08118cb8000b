"""Whether a server answers a prompt faster once it has seen it: a trial would measure its cache.

Trials ask the same items. An engine of this runner forgets them between two trials; a server that runs
already does not, and some neither say so nor count cached tokens: the baseline would be measured cold and
everything after it warm. So before the first measurement a few prompts are each sent twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import anyio

from llmopt_runner.load.client import run_load
from llmopt_runner.load.distinct_prompts import distinct
from llmopt_runner.load.requests import ChatRequest, Endpoint, RequestRecord
from llmopt_runner.load.shapes import ClosedLoop
from llmopt_runner.load.summary import e2e_seconds, ttft_seconds
from llmopt_runner.stopping import StopSignal

_PAIRS = 4
# Two answers to one prompt differ by less where nothing is kept.
_FASTER = 1.5
_SHORTER_SECONDS = 0.02
_TIMEOUT_SECONDS = 120.0
_SHORTEST_SECONDS = 1e-6


@dataclass(frozen=True)
class Repetition:
    """How prompts are answered again: how many times as fast, and how many seconds earlier.

    `reported`: the server says that it had them cached.
    """

    speedup: float = 1.0
    saved_seconds: float = 0.0
    reported: bool = False

    @property
    def kept(self) -> bool:
        """Whether the server keeps prompts or answers."""
        return self.reported or (self.speedup >= _FASTER and self.saved_seconds >= _SHORTER_SECONDS)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the result must know."""
        if not self.kept:
            return ()
        counted = "reports them as cached" if self.reported else "reports no cached tokens"
        text = (
            f"the server answers repeated prompts {self.speedup:.1f} times as fast and {counted}: every"
            " request was sent with a prefix of its own, so that all trials are measured alike"
        )
        return (text,)


@dataclass
class RepeatedPrompts:
    """What was found of each server; each is asked once."""

    _found: dict[tuple[str, str], Repetition] = field(default_factory=dict)

    def of(self, endpoint: Endpoint, samples: Sequence[ChatRequest], stopping: StopSignal) -> Repetition:
        """Return how `endpoint` answers repeated prompts: `samples`, made distinct from what is measured.

        Raises Interrupted when `stopping` is set.
        """
        key = (endpoint.base_url, endpoint.model)
        if key not in self._found:
            self._found[key] = _asked(endpoint, samples, stopping)
        return self._found[key]


def compare(first: Sequence[RequestRecord], again: Sequence[RequestRecord]) -> Repetition:
    """Return what the records of the same prompts say, the first time and again.

    The median over the prompts: one answer may be slow for another reason. The first prompt is left out
    where there are others, for a server may begin something with it.
    """
    pairs = [
        (one, other)
        for one, other in zip(first, again, strict=False)
        if one.error is None and other.error is None
    ]
    pairs = pairs[1:] or pairs
    if not pairs:
        return Repetition()
    reported = all((other.cached_tokens or 0) > (one.cached_tokens or 0) for one, other in pairs)
    whole = [(e2e_seconds(one), e2e_seconds(other)) for one, other in pairs]
    begun = [
        (wait, wait_again)
        for one, other in pairs
        if (wait := ttft_seconds(one)) is not None and (wait_again := ttft_seconds(other)) is not None
    ]
    speedup, saved = max(_gain(times) for times in (whole, begun) if times)
    return Repetition(speedup, saved, reported)


def _gain(times: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return how many times as fast the second of each pair is, and by how many seconds shorter."""
    return (
        median(first / max(again, _SHORTEST_SECONDS) for first, again in times),
        median(first - again for first, again in times),
    )


def _asked(endpoint: Endpoint, samples: Sequence[ChatRequest], stopping: StopSignal) -> Repetition:
    chosen = [samples[index % len(samples)] for index in range(_PAIRS if samples else 0)]
    prompts = distinct(replace(each, fields=_without_seed(each.fields)) for each in chosen)
    first: list[RequestRecord] = []
    again: list[RequestRecord] = []
    for prompt in prompts:
        first += _send(endpoint, prompt, stopping)
        again += _send(endpoint, prompt, stopping)
    return compare(first, again)


def _without_seed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The seed of a request of a trial is used once."""
    return {name: value for name, value in fields.items() if name != "seed"}


def _send(endpoint: Endpoint, prompt: ChatRequest, stopping: StopSignal) -> tuple[RequestRecord, ...]:
    async def send() -> tuple[RequestRecord, ...]:
        with stopping.in_loop() as stop:
            run = await run_load(
                endpoint, [prompt], ClosedLoop(1), stop=stop, request_timeout_seconds=_TIMEOUT_SECONDS
            )
        return run.records

    records = anyio.run(send)
    stopping.check()
    return records
