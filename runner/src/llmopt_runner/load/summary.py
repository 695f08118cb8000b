"""The speed metrics of a run, by the catalogue's names and formulas."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from llmopt_core.errors.classes import ErrorClass, Failure, LlmoptError
from llmopt_core.resources.serving import ServiceLevel
from llmopt_runner.load.requests import LoadRun, RequestRecord
from llmopt_runner.load.steady_state import SteadyPart, whole_part

Seconds = float | None
# The percentiles of each latency, by the end of their metrics' names.
PERCENTILES: Mapping[str, float] = {"p50": 50, "p95": 95, "p99": 99, "p999": 99.9}
# Later than this, an arrival is no longer the one that the schedule asked for.
_LATE_SECONDS = 0.05


class RequestsFailed(LlmoptError):
    """Requests failed, so the run is no measurement."""

    retryable = True
    error_class = ErrorClass.REQUESTS_FAILED

    def __init__(self, failed: int, total: int, most_common: str) -> None:
        super().__init__(f"{failed} of {total} requests failed; the most common error: {most_common}")
        self.failed = failed
        self.total = total
        self.most_common = most_common

    @property
    def failure(self) -> Failure:
        """This failure as a trial stores it."""
        suggestion = (
            "read the engine's log; if requests timed out, raise budget.trialTimeout or lower the load"
        )
        return Failure(self.error_class, str(self), suggestion)


def ttft_seconds(record: RequestRecord) -> Seconds:
    """Return the time to the first text; None when the answer has none."""
    return None if record.first_text_at is None else record.first_text_at - record.due_at


def e2e_seconds(record: RequestRecord) -> float:
    """Return the time to the last chunk of the answer, usage included."""
    return record.ended_at - record.due_at


def tpot_seconds(record: RequestRecord) -> Seconds:
    """Return (E2E - TTFT) / (output tokens - 1); None below two tokens, or where they are not known."""
    ttft, tokens = ttft_seconds(record), record.output_tokens
    if ttft is None or tokens is None or tokens < 2:  # noqa: PLR2004 - one token has no gap
        return None
    return (e2e_seconds(record) - ttft) / (tokens - 1)


def itl_seconds(record: RequestRecord) -> list[float]:
    """Return the gaps between consecutive chunks with text, as they were."""
    return [later - earlier for earlier, later in pairwise(record.chunk_times)]


def strain(record: RequestRecord, slo: ServiceLevel) -> float:
    """Return the largest quotient of a latency and its bound: 1.0 is exactly at a bound.

    Infinite for a request that failed, and for an answer without text where TTFT has a bound; an answer below
    two tokens has no TPOT to break.
    """
    if record.error is not None:
        return math.inf
    ttft, tpot = ttft_seconds(record), tpot_seconds(record)
    quotients = [0.0]
    if slo.ttft_ms is not None:
        quotients.append(math.inf if ttft is None else ttft * 1000 / slo.ttft_ms)
    if slo.tpot_ms is not None and tpot is not None:
        quotients.append(tpot * 1000 / slo.tpot_ms)
    if slo.e2e_ms is not None:
        quotients.append(e2e_seconds(record) * 1000 / slo.e2e_ms)
    return max(quotients)


def keeps(record: RequestRecord, slo: ServiceLevel) -> bool:
    """Say whether a request succeeded within every bound given."""
    return strain(record, slo) <= 1.0


def summarise(
    run: LoadRun,
    slo: ServiceLevel | None = None,
    *,
    max_error_ratio: float = 0.0,
    steady: SteadyPart | None = None,
) -> dict[str, float]:
    """Return the speed metrics of `run`, in the catalogue's units; those of its `steady` part where given.

    Rates are those of the successful requests. In TTFT and E2E a failed request counts as the slowest: else
    a server that drops what it is slow with would seem fast. A latency that no request had (no text, or
    single-token answers) is left out, and so is goodput without `slo`, and what needs token counts where they
    are not known. Raises RequestsFailed when more than `max_error_ratio` of the requests failed, or none
    succeeded.
    """
    _refuse_failures(run.records, max_error_ratio)
    part = whole_part(run) if steady is None else steady
    records, seconds = part.run.records, part.seconds
    good = [record for record in records if record.error is None]
    return {
        **_statistics("ttft_ms", _with_failed(records, ttft_seconds)),
        **_statistics("itl_ms", [gap for record in good for gap in itl_seconds(record)]),
        **_statistics("e2e_ms", _with_failed(records, e2e_seconds)),
        **_by_token(good, seconds),
        "requests_per_second": len(good) / seconds,
        "failed_requests_ratio": sum(r.error is not None for r in run.records) / len(run.records),
        "excluded_requests_ratio": part.excluded,
        **({} if slo is None else _goodput(good, slo, len(records), seconds)),
    }


def wall_seconds(run: LoadRun) -> float:
    """Return the time of `run`, which has records, from its first send to its last end."""
    return whole_part(run).seconds


def _by_token(good: Sequence[RequestRecord], seconds: float) -> dict[str, float]:
    """Return what needs token counts: nothing where they are not known of some answer."""
    counts = [record.output_tokens for record in good if record.output_tokens is not None]
    if len(counts) < len(good):
        return {}
    rates = {
        **_statistics("tpot_ms", _known(good, tpot_seconds)),
        "output_tokens_per_second": sum(counts) / seconds,
    }
    if all(record.usage_reported and record.prompt_tokens for record in good):
        prompts = sum(record.prompt_tokens for record in good)
        rates["total_tokens_per_second"] = (prompts + sum(counts)) / seconds
    return rates


def load_warnings(run: LoadRun) -> tuple[str, ...]:
    """Return what a reader of the metrics of `run` must know.

    These are requests that failed, counts that are estimated or unknown, reasoning that was separated, a
    schedule that was not kept.
    """
    good = [record for record in run.records if record.error is None]
    return (*_failed(run), *_uncounted(good), *_reasoning(good), *_late(run.records))


def lateness_seconds(record: RequestRecord) -> Seconds:
    """Return by how much a request of an open loop was sent after it was due; None in a closed loop."""
    return None if record.scheduled_at is None else max(0.0, record.sent_at - record.scheduled_at)


def turn_lateness_seconds(record: RequestRecord) -> Seconds:
    """Return by how much a later turn was sent after the time to think was over; None of all others."""
    due = None if record.turn is None else record.turn.due_at
    return None if due is None else max(0.0, record.sent_at - due)


def _failed(run: LoadRun) -> list[str]:
    errors = Counter(record.error for record in run.records if record.error is not None)
    if not errors:
        return []
    most_common = errors.most_common(1)[0][0]
    text = f"{errors.total()} of {len(run.records)} requests failed; the most common error: {most_common}"
    if run.unsent_turns:
        text += f"; {run.unsent_turns} later turns of their conversations were not sent"
    return [text]


def _uncounted(good: Sequence[RequestRecord]) -> list[str]:
    uncounted = [record for record in good if not record.usage_reported and record.impossible is None]
    if not uncounted:
        return []
    missing = "output tokens are chunks with text there, prompt tokens are missing"
    if any(record.output_tokens is None for record in uncounted):
        missing = "a chunk is no token there, so token counts and rates by token are unknown"
    return [f"the server gave no token counts for {len(uncounted)} of {len(good)} answers: {missing}"]


def _reasoning(good: Sequence[RequestRecord]) -> list[str]:
    reasoned = [record for record in good if record.reasoned]
    if not reasoned:
        return []
    text = f"reasoning was separated from {len(reasoned)} of {len(good)} answers: it is counted, not scored"
    unanswered = sum(not record.text.strip() for record in reasoned)
    return [f"{text}; {unanswered} held nothing else" if unanswered else text]


def _late(records: Sequence[RequestRecord]) -> list[str]:
    late = _known(records, lateness_seconds)
    if not late or (p95 := float(np.percentile(late, 95))) <= _LATE_SECONDS:
        return []
    offered = _rate([record.scheduled_at for record in records if record.scheduled_at is not None])
    sent = _rate([record.sent_at for record in records])
    rates = f"offered {offered:.3g} requests/s, sent {sent:.3g}"
    return [f"the load generator fell behind its schedule: p95 {p95 * 1000:.0f} ms late, {rates}"]


def _rate(times: Sequence[float]) -> float:
    """Return events per second between the first and the last of `times`; 0 where that says nothing."""
    span = max(times) - min(times)
    return (len(times) - 1) / span if span > 0 else 0.0


def _goodput(good: Sequence[RequestRecord], slo: ServiceLevel, sent: int, seconds: float) -> dict[str, float]:
    if slo.tpot_ms is not None and any(record.output_tokens is None for record in good):
        return {}
    kept = sum(keeps(record, slo) for record in good)
    return {"goodput_ratio": kept / sent, "goodput_requests_per_second": kept / seconds}


def _refuse_failures(records: Sequence[RequestRecord], max_error_ratio: float) -> None:
    errors = Counter(record.error for record in records if record.error is not None)
    failed = errors.total()
    if failed == len(records) or failed > max_error_ratio * len(records):
        most_common = errors.most_common(1)[0][0] if errors else "no request ended"
        raise RequestsFailed(failed, len(records), str(most_common))


def _with_failed(
    records: Sequence[RequestRecord], measure: Callable[[RequestRecord], Seconds]
) -> list[float]:
    """Return a latency of all requests; a failed one has the longest, or its own where that is longer."""
    known = _known((record for record in records if record.error is None), measure)
    if not known:
        return []
    slowest = max(known)
    failed = [max(slowest, e2e_seconds(record)) for record in records if record.error is not None]
    return known + failed


def _known(records: Iterable[RequestRecord], measure: Callable[[RequestRecord], Seconds]) -> list[float]:
    return [value for value in map(measure, records) if value is not None]


def _statistics(name: str, seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    milliseconds = np.asarray(seconds) * 1000
    values = np.percentile(milliseconds, list(PERCENTILES.values()))
    return {
        f"{name}_mean": float(milliseconds.mean()),
        **{f"{name}_{suffix}": float(value) for suffix, value in zip(PERCENTILES, values, strict=True)},
    }
