"""What a study found, for Python: its status, with parameters by group and in their types.

A status read from a cluster and one of a local study give the same results; only digits after the sixth and
texts beyond a status's limits differ.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmopt_core.engines.registry import declaration_of
from llmopt_core.resources.search_spaces import parse_value
from llmopt_core.resources.status import (
    BenchmarkStatus,
    Best,
    CandidateResult,
    Choice,
    ConstraintStanding,
    ErrorSummary,
    OptimizationStatus,
    ReportedEffect,
    Setting,
    Status,
    WarningSummary,
)
from llmopt_core.results.endings import End, end_of
from llmopt_core.results.prompts import Messages
from llmopt_core.results.wording import default_is_best, headline, is_significant, keeps_default
from llmopt_core.search.configurations import GROUPS, Configuration, Value

_NOT_ENDED = End("", "", failed=False)


def typed(parameters: Mapping[str, Setting], engine: str) -> dict[str, Value]:
    """Return a status's `parameters` as values; text stays where `engine` is not known here."""
    declaration = declaration_of(engine) if engine else None

    def value_of(name: str, value: Setting) -> Value:
        if declaration is None or not isinstance(value, str):
            return value
        try:
            return parse_value(name, value, declaration)
        except ValueError:
            return value  # a parameter of another version of the engine

    return {name: value_of(name, value) for name, value in parameters.items()}


def _grouped(parameters: Mapping[str, Setting], engine: str) -> dict[str, dict[str, Value]]:
    groups = Configuration.from_flat(typed(parameters, engine))
    return {group: dict(getattr(groups, group)) for group in GROUPS}


@dataclass(frozen=True)
class StudyResult:
    """What results of both kinds have: the study's name, its status, and where its report lies.

    `prompts` are the messages of requests by trial, of a benchmark by candidate; None where the status alone
    is known, as of a resource in a cluster.
    """

    study: str
    status: Status
    report: Path | None = None
    prompts: Mapping[int | str, Messages] | None = None

    def messages_of(self, key: int | str | None) -> Messages | None:
        """Return the messages of a trial or candidate: none for the question alone, None where not known."""
        if self.prompts is None:
            return None
        return () if key is None else self.prompts.get(key, ())

    @property
    def ended(self) -> str | None:
        """Why the study ended, None while it can go on."""
        return self._end.reason or None

    @property
    def message(self) -> str:
        """How it ended, in words."""
        return self._end.message

    @property
    def failed(self) -> bool:
        """Whether it ended badly."""
        return self._end.failed

    @property
    def headline(self) -> str:
        """The outcome in one line."""
        return headline(self.status)

    @property
    def errors(self) -> tuple[ErrorSummary, ...]:
        """The classes of failures, the most frequent first."""
        return tuple(self.status.errors)

    @property
    def warnings(self) -> tuple[WarningSummary, ...]:
        """What measured trials warn of."""
        return tuple(self.status.warnings)

    @property
    def _end(self) -> End:
        return end_of(self.status) or _NOT_ENDED


@dataclass(frozen=True)
class OptimizationResult(StudyResult):
    """What a search found: its `status`, read for Python. `engine` is the name of its engine.

    Numbers are in the units of the metric catalogue. `effects` are changes against the reference: the
    baseline, or where that cannot run, the trial called `reference`.
    """

    status: OptimizationStatus
    engine: str = ""

    @property
    def _best(self) -> Best | None:
        return self.status.best

    @property
    def trials(self) -> int:
        """How many trials have ended, repeats included."""
        return self.status.progress.finished + self.status.progress.confirm_finished

    @property
    def trial(self) -> int | None:
        """The number of the best trial, None where nothing was measured."""
        return None if self._best is None else self._best.trial

    @property
    def reference(self) -> int | None:
        """The number of the trial that gains are over."""
        return None if self._best is None else self._best.reference

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Value]]:
        """What `serve_command` serves, by group (engine, sampling, prompt)."""
        kept = self.status.baseline if self.keep_default else None
        return self.trial_parameters if kept is None else _grouped(kept.parameters, self.engine)

    @property
    def trial_parameters(self) -> Mapping[str, Mapping[str, Value]]:
        """The parameters of `trial`, the best that was tried, by group."""
        return {} if self._best is None else _grouped(self._best.parameters, self.engine)

    @property
    def metrics(self) -> Mapping[str, float]:
        """What the search measured of the best."""
        return {} if self._best is None else self._best.metrics

    @property
    def default_metrics(self) -> Mapping[str, float]:
        """What the search measured of the baseline."""
        return {} if self.status.baseline is None else self.status.baseline.metrics

    @property
    def objectives(self) -> tuple[str, ...]:
        """The metrics that were optimized."""
        return tuple(each.metric for each in self.status.objectives)

    @property
    def effects(self) -> tuple[ReportedEffect, ...]:
        """The changes against the reference: the objectives first, then what is for information."""
        return () if self._best is None else (*self._best.gain, *self._best.others)

    @property
    def gain(self) -> float | None:
        """The first objective's change: relative for speeds (0.25 = 25 % more), absolute for scores."""
        return self._best.gain[0].change if self._best and self._best.gain else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The confidence interval of `gain`; None where it was not verified."""
        span = self._best.gain[0].change_interval if self._best and self._best.gain else None
        return None if span is None else (span.low, span.high)

    @property
    def confirmed(self) -> bool:
        """Whether the gains come from repeats on items that the search never saw."""
        return self._best is not None and self._best.confirmed

    @property
    def repeats(self) -> int:
        """How many repeats the gains rest on."""
        return 0 if self._best is None else self._best.repeats

    @property
    def significant(self) -> bool:
        """Whether repeats verified some objective as better and none as worse."""
        return is_significant(self.status)

    @property
    def default_is_best(self) -> bool:
        """Whether nothing that was tried is better than the baseline."""
        return default_is_best(self.status)

    @property
    def keep_default(self) -> bool:
        """Whether the repeats verified nothing that is worth serving: then the baseline is what to serve."""
        return keeps_default(self.status)

    @property
    def default_failure(self) -> ErrorSummary | None:
        """Why the baseline cannot run, None where it can."""
        return self.status.baseline_failure

    @property
    def constraints(self) -> tuple[ConstraintStanding, ...]:
        """How the best stands to each constraint."""
        return () if self._best is None else tuple(self._best.constraints)

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What was verified and keeps the constraints, the best first."""
        return tuple(self.status.choices)

    @property
    def serve_command(self) -> str | None:
        """The command that serves the best, or the baseline where `keep_default`."""
        return (self._best.serve_args or None) if self._best else None

    @property
    def request_fields(self) -> Mapping[str, Any]:
        """What goes with each request."""
        return {} if self._best is None else fields_in(self._best.request_fields)

    @property
    def request_messages(self) -> Messages | None:
        """The messages of a request, with `{question}` for what is asked; none where it is that alone."""
        return self.messages_of(self.reference if self.keep_default else self.trial)


@dataclass(frozen=True)
class BenchmarkResult(StudyResult):
    """What a benchmark found: its `status`, read for Python."""

    status: BenchmarkStatus

    @property
    def candidates(self) -> tuple[CandidateResult, ...]:
        """What was measured of each candidate."""
        return tuple(self.status.results)

    @property
    def winner(self) -> str | None:
        """The name of the candidate that won, None where no difference is significant or none is decided."""
        return self.status.winner

    @property
    def verdict(self) -> str:
        """The outcome in one line."""
        return self.status.verdict

    @property
    def repeats(self) -> int:
        """How many repeats were measured."""
        return self.status.progress.measured

    @property
    def trials(self) -> int:
        """The same: the trials of a benchmark are its repeats."""
        return self.repeats

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Value]]:
        """The winner's parameters by group, nothing without a winner."""
        won = winner_of(self.status)
        return _grouped(won.parameters, won.engine) if won else {group: {} for group in GROUPS}

    @property
    def serve_command(self) -> str | None:
        """The command that serves the winner."""
        won = winner_of(self.status)
        return (won.serve_args or None) if won else None

    @property
    def request_fields(self) -> Mapping[str, Any]:
        """What goes with each request to the winner."""
        won = winner_of(self.status)
        return fields_in(won.request_fields) if won else {}

    @property
    def request_messages(self) -> Messages | None:
        """The messages of a request to the winner, with `{question}` for what is asked."""
        return self.messages_of(self.winner)

    def candidate(self, name: str) -> CandidateResult:
        """Return what was measured of the candidate called `name`."""
        return next(each for each in self.candidates if each.candidate == name)


Result = OptimizationResult | BenchmarkResult


def winner_of(status: BenchmarkStatus) -> CandidateResult | None:
    """Return the candidate that won."""
    return next((each for each in status.results if each.candidate == status.winner), None)


def fields_in(text: str) -> dict[str, Any]:
    """Return the request fields that a status holds as JSON; empty where it is none."""
    try:
        fields = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return fields if isinstance(fields, dict) else {}
