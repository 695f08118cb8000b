"""The status of both kinds: conditions, progress, runners, and what was found."""

from typing import Annotated, Literal

from pydantic import Field

from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.resources.base import Identifier, Name, Part
from llmopt_core.resources.rules import UniqueBy
from llmopt_core.resources.status.results import (
    Best,
    CandidateResult,
    Choice,
    ErrorSummary,
    ReportedCurve,
    StudyObjective,
    TrialResult,
    VarianceShares,
)
from llmopt_core.resources.status.values import FROM_TEXT, Count, Text, Timestamp, TrialNumber


class Condition(Part):
    """One condition, as in Kubernetes' own resources."""

    type: Annotated[ConditionType, FROM_TEXT]
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
    loads: Annotated[
        list[ReportedCurve],
        Field(
            max_length=16,
            description="With `load.maxRate`: what baseline and best, or the first repeat of each candidate,"
            " were probed with.",
        ),
    ] = Field(default_factory=list)


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
