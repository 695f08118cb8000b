"""What a report offers to deploy: each choice with its gains, and what to copy to serve it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llmopt.report.marks import Mark, Span, marks
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.status import BenchmarkStatus, ReportedEffect
from llmopt_core.results.effect_texts import gain_text, interval_text, verdict
from llmopt_core.results.numbers import precise, value_text
from llmopt_core.results.results import BenchmarkResult, OptimizationResult, Result, fields_in, winner_of
from llmopt_core.results.wording import default_is_best, keeps_default, parameters_title, purpose, serve_title

_TWO = 2
# Values of parameters, by full name.
Settings = Mapping[str, object]


@dataclass(frozen=True)
class EffectRow:
    """One metric against the baseline; `tone` is good, bad or quiet."""

    metric: str
    unit: str
    baseline: str
    value: str
    gain: str
    interval: str
    verdict: str
    tone: str
    mark: Mark | None = None


@dataclass(frozen=True)
class Change:
    """A parameter that the baseline has otherwise; a value is empty where it is not set."""

    name: str
    baseline: str
    value: str


@dataclass(frozen=True)
class Card:
    """One configuration to deploy. `fields` are its request fields as JSON, empty where there are none.

    `messages` are those of a request as JSON, empty where it is the question alone. `changes` are what it has
    otherwise than the baseline.
    """

    title: str
    recommended: bool
    rows: tuple[EffectRow, ...]
    changes: tuple[Change, ...]
    serve_title: str
    command: str
    fields: str
    messages: str


def cards_of(result: Result, baseline: Settings) -> tuple[Card, ...]:
    """Return what there is to deploy, the recommended first; nothing while nothing was found.

    `baseline` is the configuration that changes are shown from, by full name. Where the baseline is to be
    kept, its card is the first, and what was tried has nothing to copy.
    """
    if isinstance(result, BenchmarkResult):
        return _winners_card(result)
    status = result.status
    if default_is_best(status):
        return _default_card(result)
    several = len(status.choices) >= _TWO
    found = (_choice_cards if several else _best_card)(result, baseline)
    if not keeps_default(status):
        return found
    tried = (replace(card, command="", fields="", messages="") for card in found)
    return (*_default_card(result), *tried)


def changes(baseline: Settings, values: Settings) -> tuple[Change, ...]:
    """Return the parameters in `values` that `baseline` has otherwise, by name."""
    return tuple(
        Change(name, value_text(baseline[name]) if name in baseline else "", value_text(value))
        for name, value in sorted(values.items())
        if name not in baseline or value_text(baseline[name]) != value_text(value)
    )


def effect_rows(
    effects: Sequence[ReportedEffect], drawn: Sequence[Mark | None] | None = None, *, objective: bool = True
) -> tuple[EffectRow, ...]:
    """Return `effects` as rows; `objective`: they are what was to be improved."""
    pairs = zip(effects, drawn or (None,) * len(effects), strict=True)
    return tuple(
        EffectRow(
            metric=one.metric or "",
            unit=find_metric(one.metric or "").unit,
            baseline="" if one.baseline is None else precise(one.baseline),
            value="" if one.value is None else precise(one.value),
            gain=gain_text(one),
            interval=interval_text(one),
            verdict=verdict(one, objective=objective),
            tone=tone(one),
            mark=mark,
        )
        for one, mark in pairs
    )


def tone(effect: ReportedEffect | None) -> str:
    """Return whether a change is good, bad or to be shown quietly."""
    if effect is None or not effect.significant:
        return "quiet"
    return "good" if effect.better else "bad"


def fields_text(text: str) -> str:
    """Return request fields as JSON to copy; empty where there are none."""
    return _to_copy(fields_in(text))


def _to_copy(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


def _choice_cards(result: OptimizationResult, baseline: Settings) -> tuple[Card, ...]:
    status = result.status
    drawn = _drawn([choice.gain for choice in status.choices])
    keeps = keeps_default(status)
    return tuple(
        Card(
            title=f"{purpose(choice, status)}: trial {choice.trial}",
            recommended=place == 0 and not keeps,
            rows=effect_rows(choice.gain, drawn[place]),
            changes=changes(baseline, choice.parameters),
            serve_title="Serve it",
            command=choice.serve_args,
            fields=fields_text(choice.request_fields),
            messages=_to_copy(result.messages_of(choice.trial)),
        )
        for place, choice in enumerate(status.choices)
    )


def _drawn(gains: Sequence[Sequence[ReportedEffect]]) -> list[list[Mark | None]]:
    """Return the marks of each choice's effects; the choices share a scale for each metric."""
    columns = [
        marks([_span(effect) for effect in column], with_zero=True) for column in zip(*gains, strict=True)
    ]
    return [[column[place] for column in columns] for place in range(len(gains))]


def _span(effect: ReportedEffect) -> Span | None:
    span = effect.change_interval
    return None if span is None else Span(effect.change, span.low, span.high)


def _best_card(result: OptimizationResult, baseline: Settings) -> tuple[Card, ...]:
    status, best = result.status, result.status.best
    if best is None:
        return ()
    (drawn,) = _drawn([best.gain])
    return (
        Card(
            title=f"{parameters_title(status)}: trial {best.trial}",
            recommended=False,
            rows=effect_rows(best.gain, drawn),
            changes=changes(baseline, best.parameters),
            serve_title=serve_title(status),
            command=best.serve_args,
            fields=fields_text(best.request_fields),
            messages=_to_copy(result.messages_of(best.trial)),
        ),
    )


def _default_card(result: OptimizationResult) -> tuple[Card, ...]:
    status = result.status
    if status.best is None:
        return ()
    return (
        Card(
            title="Keep the baseline",
            recommended=True,
            rows=(),
            changes=(),
            serve_title=serve_title(status),
            command=status.best.serve_args,
            fields=fields_text(status.best.request_fields),
            messages=_to_copy(result.messages_of(status.best.reference)),
        ),
    )


def _winners_card(result: BenchmarkResult) -> tuple[Card, ...]:
    status = result.status
    won = winner_of(status)
    if won is None:
        return ()
    effects = [won.against_baseline[metric] for metric in status.metrics if metric in won.against_baseline]
    (drawn,) = _drawn([effects])
    return (
        Card(
            title=f"Winner: {won.candidate}",
            recommended=False,
            rows=effect_rows(effects, drawn),
            changes=changes(_parameters(status, status.baseline), won.parameters),
            serve_title=serve_title(status),
            command=won.serve_args,
            fields=fields_text(won.request_fields),
            messages=_to_copy(result.messages_of(won.candidate)),
        ),
    )


def _parameters(status: BenchmarkStatus, name: str | None) -> Settings:
    return next((each.parameters for each in status.results if each.candidate == name), {})
