"""Whether a measurement means what it says: what invalidates it, and what is worth a warning."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from llmopt_core.metrics.catalog import find_metric
from llmopt_runner.load.conversations import every_turn
from llmopt_runner.load.requests import ChatRequest, LoadRun, RequestRecord
from llmopt_runner.load.shapes import ClosedLoop, LoadShape, Schedule
from llmopt_runner.load.summary import lateness_seconds, turn_lateness_seconds

# At least one token of a prompt is always computed; engines differ by one more.
_FULL_HIT_TOKENS = 2
# A prompt of fewer tokens is mostly its chat template, whose length is not known here.
_SHORT_PROMPT_TOKENS = 200
_CACHED_SLACK = 0.1
_TRUNCATED_SHARE = 0.1
_SATURATED_GROWTH = 2.0
_SATURATED_MS = 1000.0
_FEWEST_FOR_TREND = 9
# A trace whose requests, or a conversation whose turns, came later than this was not sent as asked for.
_MOST_LATE_SECONDS = 0.25
_PROMPT_SLACK = 0.2


@dataclass(frozen=True)
class Validity:
    """Reasons why a measurement is invalid (none: it holds), and warnings.

    `context_cut` says that the workload does not fit into the configuration's context, `other_lengths` that
    the server does not keep to the requested length of answers: no repeat helps.
    """

    invalid: tuple[str, ...]
    warnings: tuple[str, ...]
    context_cut: str | None = None
    other_lengths: str | None = None


def check_validity(
    run: LoadRun,
    requests: Sequence[ChatRequest],
    shape: LoadShape,
    context_tokens: int | None = None,
) -> Validity:
    """Return what is wrong with `run`, whose `requests` were sent in `shape`.

    `context_tokens` is what a prompt and its answer may have, where the server does not look at it.
    """
    turns = every_turn(requests)
    limits = {request.item_id: request.max_tokens for request in turns}
    invalid = _impossible(run.records) + _contaminated(run.records, requests)
    if isinstance(shape, Schedule):
        invalid += _not_kept("the schedule was", "requests", map(lateness_seconds, run.records))
    invalid += _not_kept("think times were", "later turns", map(turn_lateness_seconds, run.records))
    if not isinstance(shape, ClosedLoop):
        invalid += _saturated(run.records)
    cut = _context_cut(run.records, limits) or _beyond_context(run.records, context_tokens)
    exact = {request.item_id: request.max_tokens for request in turns if request.exact_tokens}
    prompts = _other_prompts(run.records, requests)
    if not exact:
        return Validity(tuple(invalid), (*_truncated(run.records, limits), *prompts), cut)
    warnings = (*_unchecked_lengths(run.records), *prompts)
    return Validity(tuple(invalid), warnings, cut, _other_lengths(run.records, exact))


def unusable(
    metrics: Mapping[str, float],
    *,
    objectives: Sequence[str],
    constraints: Sequence[str],
    undefined: Sequence[str] = (),
) -> list[str]:
    """Return what of a study's metrics was not measured, or cannot be compared as a quotient.

    What is known to be `undefined` for this configuration is no fault of the measurement.
    """
    asked = dict.fromkeys((*objectives, *constraints))
    absent = [name for name in asked if name not in metrics and name not in undefined]
    zero = [name for name in objectives if name in metrics and metrics[name] <= 0 and _is_above_zero(name)]
    return [f"{name} was not measured" for name in absent] + [f"{name} is not above zero" for name in zero]


def _is_above_zero(name: str) -> bool:
    metric = find_metric(name)
    return metric.scale == "ratio" and not metric.may_be_zero


def _impossible(records: Sequence[RequestRecord]) -> list[str]:
    """Counts that cannot be true make every figure of the server's doubtful."""
    impossible = [record.impossible for record in records if record.impossible is not None]
    if not impossible:
        return []
    return [f"impossible token counts in {len(impossible)} of {len(records)} answers: {impossible[0]}"]


def _context_cut(records: Sequence[RequestRecord], limits: dict[str, int]) -> str | None:
    """An answer cut before its own limit ran into the context of its slot."""
    cut = [r for r in records if r.finish_reason == "length" and not _reached(r, limits)]
    if not cut:
        return None
    return f"{len(cut)} of {len(records)} answers were cut by the context length before workload.maxTokens"


def _reached(record: RequestRecord, limits: dict[str, int]) -> bool:
    """Say whether an answer has as many tokens as were asked for; one that is not counted has, if cut."""
    if not record.usage_reported or record.output_tokens is None:
        return True
    return record.output_tokens >= limits[record.item_id]


def _beyond_context(records: Sequence[RequestRecord], context_tokens: int | None) -> str | None:
    """A server that does not look at the model's context goes on beyond it, and answers nonsense."""
    lengths = [(record.prompt_tokens or 0) + (record.output_tokens or 0) for record in records]
    beyond = [length for length in lengths if context_tokens is not None and length > context_tokens]
    if not beyond:
        return None
    return (
        f"{len(beyond)} of {len(records)} prompts with their answers were longer than the model's context of"
        f" {context_tokens} tokens: up to {max(beyond)}"
    )


def _truncated(records: Sequence[RequestRecord], limits: dict[str, int]) -> list[str]:
    cut = [r for r in records if r.finish_reason == "length" and _reached(r, limits)]
    if len(cut) <= _TRUNCATED_SHARE * len(records):
        return []
    return [f"{len(cut)} of {len(records)} answers reached workload.maxTokens and were cut there"]


def _other_lengths(records: Sequence[RequestRecord], exact: Mapping[str, int]) -> str | None:
    """Warn of a server that was given the length and did not keep it: it measures another load."""
    answered = [record for record in records if record.error is None and record.usage_reported]
    lengths = [
        (record.output_tokens, exact[record.item_id]) for record in answered if record.item_id in exact
    ]
    other = [(count, asked) for count, asked in lengths if count is not None and count != asked]
    if not other:
        return None
    counts, asked = [count for count, _ in other], [each for _, each in other]
    text = f"{len(other)} of {len(records)} answers have another length than workload asks for"
    return f"{text} ({_range(asked)}): {_range(counts)} tokens"


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def _unchecked_lengths(records: Sequence[RequestRecord]) -> list[str]:
    uncounted = sum(not record.usage_reported for record in records if record.error is None)
    if not uncounted:
        return []
    text = f"the server gave no token counts for {uncounted} of {len(records)} answers"
    return [f"{text}: it is not known whether they have the length that workload asks for"]


def _contaminated(records: Sequence[RequestRecord], requests: Sequence[ChatRequest]) -> list[str]:
    """Prompts differ, so none can be wholly cached unless it had been sent before this measurement."""
    shares = shared_prefixes(requests)
    lengths = {request.item_id: len(_said(request.messages[-1:])) for request in every_turn(requests)}
    hits = [record for record in records if _beyond(record, _shared(record, shares, lengths))]
    if not hits:
        return []
    cached = sum(record.cached_tokens or 0 for record in hits)
    text = f"{len(hits)} of {len(records)} prompts were cached ({cached} tokens) beyond what they share"
    return [f"prefix-cache contamination: {text}"]


def _beyond(record: RequestRecord, share: float) -> bool:
    if record.cached_tokens is None or record.prompt_tokens is None or share >= 1.0:
        return False
    if record.prompt_tokens - record.cached_tokens < _FULL_HIT_TOKENS:
        return True
    if record.prompt_tokens < _SHORT_PROMPT_TOKENS:
        return False
    return record.cached_tokens > record.prompt_tokens * (share + _CACHED_SLACK)


def _shared(record: RequestRecord, shares: Mapping[str, float], lengths: Mapping[str, int]) -> float:
    """Return which share of a prompt may be cached: of a later turn, all that was said before it."""
    if record.turn is None or record.turn.number == 1:
        return shares[record.item_id]
    before = len(_said(record.turn.earlier))
    return before / max(1, before + lengths[record.item_id])


def shared_prefixes(requests: Sequence[ChatRequest]) -> dict[str, float]:
    """Return by item the share (0 to 1) of its prompt's text that begins another prompt as well."""
    texts = sorted((_said(request.messages), request.item_id) for request in requests)
    shares = {}
    for position, (text, item) in enumerate(texts):
        neighbours = [texts[other][0] for other in (position - 1, position + 1) if 0 <= other < len(texts)]
        longest = max((_common(text, other) for other in neighbours), default=0)
        shares[item] = longest / max(1, len(text))
    return shares


def _said(messages: Iterable[Mapping[str, object]]) -> str:
    return "\x00".join(f"{message['role']}\x00{message['content']}" for message in messages)


def _common(one: str, other: str) -> int:
    for position, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return position
    return min(len(one), len(other))


def _not_kept(what: str, sent: str, lateness: Iterable[float | None]) -> list[str]:
    """What was sent is compared with what was asked for: a load that came later was another load."""
    late = sorted(each for each in lateness if each is not None)
    if not late or late[int(0.95 * (len(late) - 1))] <= _MOST_LATE_SECONDS:
        return []
    share = sum(each > _MOST_LATE_SECONDS for each in late) / len(late)
    limit = f"{_MOST_LATE_SECONDS * 1000:.0f} ms"
    text = f"{what} not kept: {share * 100:.0f} % of the {sent} were sent more than {limit} late"
    return [f"{text}, up to {late[-1]:.2f} s"]


def _other_prompts(records: Sequence[RequestRecord], requests: Sequence[ChatRequest]) -> list[str]:
    asked = {request.item_id: request.prompt_tokens for request in requests if request.prompt_tokens}
    sizes = [(record.prompt_tokens, asked[record.item_id]) for record in records if record.item_id in asked]
    sent, wanted = sum(count for count, _ in sizes), sum(count for _, count in sizes if count is not None)
    if not sent or not wanted or abs(sent / wanted - 1) <= _PROMPT_SLACK:
        return []
    return [f"prompts had {sent / wanted:.2f} times as many tokens as the trace asks for"]


def _saturated(records: Sequence[RequestRecord]) -> list[str]:
    """In an open loop the wait for the first token grows without bound when more arrives than is served."""
    waits = [  # of first turns: the prompts of later ones grow
        (record.first_text_at - record.sent_at) * 1000
        for record in sorted(records, key=lambda record: record.sent_at)
        if record.first_text_at is not None and record.opens
    ]
    if len(waits) < _FEWEST_FOR_TREND:
        return []
    third = len(waits) // 3
    early, late = median(waits[:third]), median(waits[-third:])
    if late < _SATURATED_GROWTH * early or late - early < _SATURATED_MS:
        return []
    return [f"over-saturated: the median TTFT grew from {early:.0f} to {late:.0f} ms while requests arrived"]
