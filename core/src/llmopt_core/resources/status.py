"""What the operator writes back: the same words for both kinds, every list and text bounded."""

from typing import Annotated, Literal

from pydantic import Field

from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.api.verdicts import Verdict
from llmopt_core.resources.base import DecimalText, Identifier, Name, Part, ScalarMap
from llmopt_core.resources.rules import UniqueBy

# A status is read from JSON, which has no enumerations.
_FROM_TEXT = Field(strict=False)
Text = Annotated[str, Field(max_length=1024)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
TrialNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
Timestamp = Annotated[str, Field(max_length=32, description="RFC 3339, in UTC.")]
MetricValues = Annotated[
    dict[Identifier, DecimalText],
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
    budget: Annotated[Count, Field(description="Trials that may be spent, the default's included.")] = 0
    finished: Annotated[Count, Field(description="Trials of the budget that have ended, in any way.")] = 0
    running: Count = 0
    waiting: Annotated[Count, Field(description="Trials given back or enqueued that no runner holds.")] = 0
    measured: Count = 0
    copied: Annotated[Count, Field(description="Trials whose configuration had been measured before.")] = 0
    pruned: Annotated[Count, Field(description="Trials stopped early because they could not win.")] = 0
    infeasible: Annotated[Count, Field(description="Trials that do not fit or that the engine refuses.")] = 0
    invalid: Annotated[Count, Field(description="Trials whose measurement is void.")] = 0
    failed: Count = 0
    confirm_planned: Annotated[Count, Field(description="Repeats of the winners and of the default.")] = 0
    confirm_finished: Count = 0
    elapsed_seconds: Count = 0
    eta_seconds: Annotated[Count, Field(description="Estimated seconds left.")] | None = None
    eta: Annotated[str, Field(max_length=16, description="The same for people, such as `1h5m`.")] | None = (
        None
    )


class Interval(Part):
    """A confidence interval, at the confidence the resource states."""

    low: DecimalText
    high: DecimalText


class TrialResult(Part):
    """One measured configuration."""

    trial: TrialNumber
    parameters: Annotated[
        ScalarMap, Field(description="By full name (`engine.n_parallel`), decimals and booleans as text.")
    ] = Field(default_factory=dict)
    metrics: MetricValues = Field(default_factory=dict)


class Effect(Part):
    """One metric of a configuration against the baseline's, from the interleaved repeats."""

    metric: Identifier | None = None
    baseline: DecimalText | None = None
    best: Annotated[DecimalText, Field(description="The configuration's value.")] | None = None
    difference: Annotated[DecimalText, Field(description="The configuration's value - baseline.")]
    interval: Annotated[Interval, Field(description="Of the difference, in the metric's unit.")] | None = None
    ratio: (
        Annotated[DecimalText, Field(description="best / baseline; absent when the baseline is 0.")] | None
    ) = None
    relative: Annotated[DecimalText, Field(description="ratio - 1, such as 0.25 for 25 % more.")] | None = (
        None
    )
    relative_interval: Annotated[Interval, Field(description="Of `relative`.")] | None = None
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


class Best(TrialResult):
    """The best configuration and what it gains."""

    headline: Annotated[
        Text, Field(description="The objectives in one line, for people, such as `accuracy 0.75`.")
    ] = ""
    summary: Annotated[Text, Field(description="The gain in one line, for people.")] = ""
    short_gain: Annotated[
        Text, Field(description="The first objective's gain and its interval, for tables.")
    ] = ""
    gain: Annotated[list[Effect], Field(max_length=16)] = Field(default_factory=list)
    reference: (
        Annotated[
            TrialNumber,
            Field(description="The trial that gains are over: the default, or the best where it cannot run."),
        ]
        | None
    ) = None
    confidence_percent: Annotated[int, Field(ge=50, le=99)] = 95
    confirmed: Annotated[
        bool, Field(description="True when the gain comes from repeats on items that the search never saw.")
    ] = False
    serve_args: Annotated[
        str,
        Field(
            max_length=4096,
            description="The command line that serves it; the default's where nothing is proved better.",
        ),
    ] = ""


class Choice(TrialResult):
    """A configuration that was verified on items that the search never saw, and keeps the constraints."""

    gain: Annotated[list[Effect], Field(max_length=16)] = Field(default_factory=list)
    best_for: Annotated[
        list[Identifier], Field(max_length=16, description="The objectives in which it is the best of them.")
    ] = Field(default_factory=list)


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


class OptimizationStatus(CommonStatus):
    """How the search stands and what it found."""

    baseline: Annotated[TrialResult, Field(description="The default configuration: trial 0.")] | None = None
    baseline_failure: (
        Annotated[ErrorSummary, Field(description="Why the default configuration cannot run here.")] | None
    ) = None
    best: Best | None = None
    choices: Annotated[
        list[Choice], Field(max_length=5, description="What was verified, the best by the weights first.")
    ] = Field(default_factory=list)
    top: Annotated[list[TrialResult], Field(max_length=10)] = Field(default_factory=list)
    pareto: Annotated[list[TrialResult], Field(max_length=20)] = Field(default_factory=list)


class MetricResult(Part):
    """One metric of one candidate over its repeats."""

    mean: DecimalText
    interval: Interval | None = None


class CandidateResult(Part):
    """What was measured of one candidate."""

    candidate: Name
    repeats: Annotated[Count, Field(description="Repeats that were measured.")] = 0
    metrics: Annotated[dict[Identifier, MetricResult], Field(max_length=48)] = Field(default_factory=dict)
    against_baseline: Annotated[dict[Identifier, Effect], Field(max_length=48)] = Field(default_factory=dict)


class BenchmarkStatus(CommonStatus):
    """How the candidates compare."""

    results: Annotated[list[CandidateResult], Field(max_length=16)] = Field(default_factory=list)
    winner: Annotated[
        Name | None, Field(description="Absent while undecided and when no difference is significant.")
    ] = None
    verdict: Annotated[
        Text, Field(description="The outcome in one line, such as `no significant difference`.")
    ] = ""
