"""What was found: measured configurations, their effects against the baseline, and failures."""

from typing import Annotated, Literal

from pydantic import Field

from llmopt_core.api.verdicts import Verdict
from llmopt_core.metrics.catalog import Direction, Scale, find_metric
from llmopt_core.resources.base import Identifier, Name, Part
from llmopt_core.resources.status.values import (
    FROM_TEXT,
    Count,
    Figure,
    MetricValues,
    Settings,
    Text,
    TrialNumber,
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
            FROM_TEXT,
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
    baseline: Annotated[Figure | None, Field(description="The baseline's value, where measured.")] = None
    baseline_kept: Annotated[bool, Field(description="False: the baseline breaks the constraint.")] = True


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


class ReportedProbe(Part):
    """One load that a search for the highest tried."""

    load: Annotated[Figure, Field(description="Requests per second, or in flight at once.")]
    kept: Annotated[Count, Field(description="Requests that kept every bound of the service level.")]
    requests: Annotated[Count, Field(description="Requests that ended.")]
    strain: Annotated[
        Figure, Field(description="Latency / bound, within which the share asked for stayed; 1 is the bound.")
    ]
    per_second: Annotated[Figure, Field(description="Requests that were answered per second.")]
    stopped: Annotated[
        bool, Field(description="Whether it was ended early, because it could not keep the level any more.")
    ] = False


class ReportedCurve(Part):
    """The curve of a search for the highest load that keeps the service level, of one trial."""

    name: Annotated[str, Field(max_length=128, description="`baseline`, `best` or a candidate.")]
    trial: TrialNumber
    by: Literal["rate", "concurrency"]
    attainment: Annotated[Figure, Field(description="Share of the requests that had to keep the level.")]
    value: Annotated[Figure, Field(description="The highest load that kept it; 0: none did.")]
    low: Annotated[Figure, Field(description="Up to this load every probe kept the level.")]
    high: Annotated[
        Figure | None, Field(description="From this load on none did; absent: no end was found.")
    ] = None
    probes: Annotated[list[ReportedProbe], Field(max_length=20, description="The lowest load first.")]
