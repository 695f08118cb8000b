"""What a study found and how far it is: what the operator writes back, and what is shown of local studies.

The same words for both kinds; every list and text is bounded. `llmopt_core.results` fills it.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.api.verdicts import Verdict
from llmopt_core.metrics.catalog import Direction, Scale, find_metric
from llmopt_core.resources.base import DECIMAL_PATTERN, MAX_TEXT, Identifier, Name, Part
from llmopt_core.resources.rules import UniqueBy
from llmopt_core.search.configurations import Value


def decimal(value: float) -> str:
    """Return `value` as decimal text with the six digits that a status keeps."""
    return f"{value:.6g}"


def _figure(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError('a decimal number in quotes, such as "0.7"')
    number = float(value)
    if not math.isfinite(number):
        raise ValueError('a finite decimal number in quotes, such as "0.7"')
    return number


def scalar(value: Value) -> int | str:
    """Return a parameter's value as a manifest writes it: decimals and booleans as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return decimal(value)
    return value if isinstance(value, int) else value[:MAX_TEXT]


# A status is read from JSON, which has no enumerations.
_FROM_TEXT = Field(strict=False)
# A measured number: a float in Python, in JSON decimal text with six digits, as manifests hold no floats.
Figure = Annotated[
    float,
    BeforeValidator(_figure),
    PlainSerializer(decimal, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 32, "pattern": DECIMAL_PATTERN}),
]
# A parameter's value: of its own type where the study is read here, in JSON a whole number or text.
Setting = Annotated[
    Value,
    PlainSerializer(scalar, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
]
Settings = Annotated[dict[Identifier, Setting], Field(max_length=64)]
Text = Annotated[str, Field(max_length=1024)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
TrialNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
Timestamp = Annotated[str, Field(max_length=32, description="RFC 3339, in UTC.")]
MetricValues = Annotated[
    dict[Identifier, Figure],
    Field(max_length=48, description="Metric name to value, in the unit of the metric catalogue."),
]


class Condition(Part):
    """One condition, as in Kubernetes' own resources."""

    type: Annotated[ConditionType, _FROM_TEXT]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Field(pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", max_length=128)]
    message: Annotated[str, Field(max_length=2048)] = ""
    last_transition_time: Timestamp
    observed_generation: Annotated[int, Field(ge=0)] | None = None


class Progress(Part):
    """How far the study is, in trials and seconds."""

    text: Annotated[str, Field(max_length=64, description="For people, such as `12/40`.")] = ""
    budget: Annotated[Count, Field(description="Trials that may be spent, the baseline included.")] = 0
    finished: Annotated[Count, Field(description="Trials of the budget that have ended, in any way.")] = 0
    running: Count = 0
    waiting: Annotated[Count, Field(description="Trials given back or enqueued that no runner holds.")] = 0
    measured: Count = 0
    copied: Annotated[Count, Field(description="Trials whose configuration had been measured before.")] = 0
    pruned: Annotated[Count, Field(description="Trials stopped early because they could not win.")] = 0
    infeasible: Annotated[Count, Field(description="Trials that do not fit or that the engine refuses.")] = 0
    repaired: Annotated[
        Count,
        Field(
            description="Trials that try a refused configuration once more, changed as the engine asked; they"
            " are counted by how they ended as well."
        ),
    ] = 0
    invalid: Annotated[Count, Field(description="Trials whose measurement is invalid.")] = 0
    failed: Count = 0
    confirm_planned: Annotated[Count, Field(description="Repeats of the winners and of the baseline.")] = 0
    confirm_finished: Count = 0
    elapsed_seconds: Count = 0
    eta_seconds: Annotated[Count, Field(description="Estimated seconds left.")] | None = None
    eta: Annotated[str, Field(max_length=16, description="The same for people, such as `1h5m`.")] | None = (
        None
    )


class ReportedInterval(Part):
    """A confidence interval, at the confidence the resource states."""

    low: Figure
    high: Figure


class TrialResult(Part):
    """One measured configuration."""

    trial: TrialNumber
    parameters: Annotated[
        Settings, Field(description="By full name (`engine.n_parallel`), decimals and booleans as text.")
    ] = Field(default_factory=dict)
    metrics: MetricValues = Field(default_factory=dict)
    repaired_from: (
        Annotated[
            TrialNumber,
            Field(description="The refused trial of which this is the configuration that works."),
        ]
        | None
    ) = None


# An `analysis.effects.Effect` as a status holds it: without infinite ends, and readable from a release that
# reported less. In Python it has the same names, in JSON those of release 0.1.0.
class ReportedEffect(Part):
    """One metric of a configuration against the baseline's, from the interleaved repeats."""

    metric: Identifier | None = None
    baseline: Figure | None = None
    value: Annotated[Figure | None, Field(alias="best", description="The configuration's value.")] = None
    absolute: Annotated[
        Figure, Field(alias="difference", description="The configuration's value - baseline.")
    ]
    absolute_interval: Annotated[
        ReportedInterval | None,
        Field(alias="interval", description="Of the difference, in the metric's unit."),
    ] = None
    ratio: Annotated[Figure | None, Field(description="best / baseline; absent when the baseline is 0.")] = (
        None
    )
    relative: Annotated[Figure | None, Field(description="ratio - 1, such as 0.25 for 25 % more.")] = None
    relative_interval: Annotated[ReportedInterval, Field(description="Of `relative`.")] | None = None
    significant: Annotated[
        bool, Field(description="True when the interval leaves zero out, in either direction.")
    ] = False
    verdict: (
        Annotated[
            Verdict,
            _FROM_TEXT,
            Field(description="better or worse: significant; equivalent: within the smallest relevant gain."),
        ]
        | None
    ) = None

    @property
    def better(self) -> bool:
        """Whether it is a significant gain."""
        return self.verdict is Verdict.BETTER

    @property
    def worse(self) -> bool:
        """Whether it is a significant loss."""
        return self.verdict is Verdict.WORSE

    @property
    def scale(self) -> Scale:
        """The scale on which people read the change: ratio means relative. Raises MetricNotFound."""
        return "bounded" if self.relative is None or not self.metric else find_metric(self.metric).scale

    @property
    def change(self) -> float:
        """The change on its `scale`: 0.25 is 25 % more, or a quarter of a point."""
        relative = self.relative if self.scale == "ratio" else None
        return self.absolute if relative is None else relative

    @property
    def change_interval(self) -> ReportedInterval | None:
        """The interval of `change`."""
        return self.relative_interval if self.scale == "ratio" else self.absolute_interval


class StudyObjective(Part):
    """One objective of the study, with the direction that holds."""

    metric: Identifier
    goal: Annotated[Direction, Field(description="Whether more or less is better.")]
    weight: Annotated[Figure, Field(description="For the one recommendation.")] = 1.0


class ConstraintStanding(Part):
    """One constraint, and how the best configuration stands to it."""

    constraint: Annotated[str, Field(max_length=256, description="Such as `accuracy >= baseline - 0.02`.")]
    value: Figure
    bound: Annotated[Figure | None, Field(description="Absent: relative to a baseline not measured.")] = None
    kept: bool
    relative: Annotated[bool, Field(description="Whether the bound is relative to the baseline.")] = False


class VarianceShares(Part):
    """Where the variance of one metric's repeats comes from."""

    metric: Identifier
    start: Annotated[Figure, Field(description="Share between engine starts, 0 to 1.")]
    item: Annotated[Figure, Field(description="Share between items; for speeds, repeats on one start.")]
    time: Annotated[Figure, Field(description="Share between rounds, for all configurations together.")]
    remedy: Annotated[str, Field(max_length=64, description="What would make the intervals narrower.")]


ServeArgs = Annotated[
    str,
    Field(
        max_length=4096,
        description="The command line that serves it; that of the baseline where nothing is proved better.",
    ),
]
RequestFields = Annotated[str, Field(max_length=4096, description="What goes with each request, as JSON.")]


class Best(TrialResult):
    """The best configuration and what it gains."""

    headline: Annotated[
        Text, Field(description="The objectives in one line, for people, such as `accuracy 0.75`.")
    ] = ""
    summary: Annotated[Text, Field(description="The gain in one line, for people.")] = ""
    short_gain: Annotated[
        Text, Field(description="The first objective's gain and its interval, for tables.")
    ] = ""
    gain: Annotated[list[ReportedEffect], Field(max_length=16)] = Field(default_factory=list)
    others: Annotated[
        list[ReportedEffect], Field(max_length=16, description="Other metrics, for information: no verdicts.")
    ] = Field(default_factory=list)
    constraints: Annotated[list[ConstraintStanding], Field(max_length=16)] = Field(default_factory=list)
    repeats: Annotated[Count, Field(description="Repeats that the gains rest on.")] = 0
    reference: (
        Annotated[
            TrialNumber,
            Field(description="The trial that gains are over: the baseline, or the best if that cannot run."),
        ]
        | None
    ) = None
    confidence_percent: Annotated[int, Field(ge=50, le=99)] = 95
    confirmed: Annotated[
        bool, Field(description="True when the gain comes from repeats on items that the search never saw.")
    ] = False
    serve_args: ServeArgs = ""
    request_fields: RequestFields = "{}"


class Choice(TrialResult):
    """A configuration that was verified on items that the search never saw, and keeps the constraints."""

    gain: Annotated[list[ReportedEffect], Field(max_length=16)] = Field(default_factory=list)
    best_for: Annotated[
        list[Identifier], Field(max_length=16, description="The objectives in which it is the best of them.")
    ] = Field(default_factory=list)
    weighted_gain: Annotated[
        Figure | None, Field(description="The mean gain by the weights, which `best` is chosen by.")
    ] = None
    repeats: Annotated[Count, Field(description="Repeats that were measured.")] = 0
    serve_args: ServeArgs = ""
    request_fields: RequestFields = "{}"


class ErrorSummary(Part):
    """One class of failures."""

    class_: Annotated[str, Field(alias="class", max_length=64)]
    count: Count
    suggestion: Text = ""
    last_message: Text = ""
    last_trial: TrialNumber | None = None


class WarningSummary(Part):
    """What measured trials warn of, numbers aside."""

    count: Count
    last_message: Text = ""
    last_trial: TrialNumber | None = None


class RunnerStatus(Part):
    """What one runner does now."""

    name: Annotated[str, Field(max_length=253)]
    trial: TrialNumber | None = None
    stage: Annotated[str, Field(max_length=64)] = ""
    memory_mib: Count | None = None
    memory_total_mib: Count | None = None
    memory_level: Annotated[str, Field(max_length=16, description="Of the memory guard.")] = ""
    repeat: Annotated[str, Field(max_length=128, description="Such as `candidate (repeat 2 of 5)`.")] = ""
    ended: Annotated[str, Field(max_length=256)] | None = None


class CommonStatus(Part):
    """What both kinds report."""

    observed_generation: Annotated[int, Field(ge=0)] | None = None
    phase: Annotated[
        Phase | None, Field(description="For people only: programs read the conditions.", strict=False)
    ] = None
    reason: Annotated[Text, Field(description="Why it is in this phase, for people.")] = ""
    conditions: Annotated[list[Condition], Field(max_length=16), UniqueBy("type")] = Field(
        default_factory=list
    )
    study: Annotated[str, Field(max_length=128, description="Name of the study in the storage.")] | None = (
        None
    )
    study_mark: (
        Annotated[str, Field(max_length=64, description="Which state of the study this status shows.")] | None
    ) = None
    manifest_hash: (
        Annotated[str, Field(max_length=16, description="Of what the runners were last given.")] | None
    ) = None
    progress: Progress = Progress()
    errors: Annotated[list[ErrorSummary], Field(max_length=10)] = Field(default_factory=list)
    warnings: Annotated[list[WarningSummary], Field(max_length=5)] = Field(default_factory=list)
    runners: Annotated[list[RunnerStatus], Field(max_length=32)] = Field(default_factory=list)
    notes: Annotated[
        list[Text], Field(max_length=5, description="What to know before the numbers, such as disturbances.")
    ] = Field(default_factory=list)
    variances: Annotated[list[VarianceShares], Field(max_length=48)] = Field(default_factory=list)


class OptimizationStatus(CommonStatus):
    """How the search stands and what it found."""

    objectives: Annotated[list[StudyObjective], Field(max_length=16)] = Field(default_factory=list)
    baseline: (
        Annotated[TrialResult, Field(description="The baseline, trial 0: the engine with its defaults.")]
        | None
    ) = None
    baseline_failure: (
        Annotated[ErrorSummary, Field(description="Why the baseline cannot run here.")] | None
    ) = None
    best: Best | None = None
    choices: Annotated[
        list[Choice], Field(max_length=5, description="What was verified, the best by the weights first.")
    ] = Field(default_factory=list)
    top: Annotated[list[TrialResult], Field(max_length=10)] = Field(default_factory=list)
    pareto: Annotated[list[TrialResult], Field(max_length=20)] = Field(default_factory=list)
    learned: Annotated[
        Text, Field(description="Which earlier studies guided the search, and which were dropped.")
    ] = ""


class MetricResult(Part):
    """One metric of one candidate over its repeats."""

    mean: Figure
    interval: ReportedInterval | None = None


class CandidateResult(Part):
    """What was measured of one candidate."""

    candidate: Name
    engine: Annotated[str, Field(max_length=64)] = ""
    model: Text = ""
    origin: Annotated[Text, Field(description="The optimization whose result it is.")] = ""
    parameters: Settings = Field(default_factory=dict)
    repeats: Annotated[Count, Field(description="Repeats that were measured.")] = 0
    metrics: Annotated[dict[Identifier, MetricResult], Field(max_length=48)] = Field(default_factory=dict)
    against_baseline: Annotated[dict[Identifier, ReportedEffect], Field(max_length=48)] = Field(
        default_factory=dict
    )
    failure: Annotated[ErrorSummary | None, Field(description="What kept repeats from being measured.")] = (
        None
    )
    serve_args: Annotated[str, Field(max_length=4096, description="The command line that serves it.")] = ""
    request_fields: RequestFields = "{}"


class BenchmarkStatus(CommonStatus):
    """How the candidates compare."""

    objective: StudyObjective | None = None
    metrics: Annotated[
        list[Identifier], Field(max_length=48, description="What is reported, the objective first.")
    ] = Field(default_factory=list)
    baseline: Annotated[Name | None, Field(description="What the others are compared with.")] = None
    repeats: Annotated[Count, Field(description="Repeats planned for each candidate.")] = 0
    confidence_percent: Annotated[int, Field(ge=50, le=99)] = 95
    results: Annotated[list[CandidateResult], Field(max_length=16)] = Field(default_factory=list)
    winner: Annotated[
        Name | None, Field(description="Absent while undecided and when no difference is significant.")
    ] = None
    verdict: Annotated[
        Text, Field(description="The outcome in one line, such as `no significant difference`.")
    ] = ""


Status = OptimizationStatus | BenchmarkStatus
