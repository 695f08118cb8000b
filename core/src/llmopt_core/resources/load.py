"""How requests arrive: `workload.load`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmopt_core.resources.base import (
    DecimalText,
    DurationText,
    Part,
    ShortDurationText,
    short_duration_seconds,
)
from llmopt_core.resources.rules import Rule, decimal_within, given


class MaxRate(Part):
    """The highest load at which requests keep `workload.slo`, searched for in each trial."""

    rules: ClassVar[tuple[Rule, ...]] = (
        decimal_within(
            "attainment",
            "attainment above 0 and at most 1",
            (">", 0),
            ("<=", 1),
            suggestion='"0.95" asks that 95 of 100 requests keep slo',
        ),
        decimal_within("highest", "highest above 0", (">", 0), optional=True),
        Rule(
            "self.by == 'rate' || !has(self.arrivals)",
            "arrivals only by rate",
            lambda search: search.by == "rate" or search.arrivals is None,
            field="arrivals",
        ),
    )

    by: Annotated[
        Literal["rate", "concurrency"],
        Field(
            description="`rate`: requests per second that arrive whatever was answered (`max_request_rate`);"
            " `concurrency`: requests in flight at any time (`max_concurrency`)."
        ),
    ] = "rate"
    attainment: Annotated[
        DecimalText, Field(description="Share of a probe's requests that must keep every bound of `slo`.")
    ] = "0.95"
    probes: Annotated[
        int, Field(ge=3, le=20, description="Most probes in a trial, the burst that it begins with included.")
    ] = 8
    probe_duration: Annotated[
        DurationText,
        Field(
            description="How long requests arrive in a probe; longer where `dataset.samples` need it. It must"
            " be long beside the bounds of `slo`, or a queue that grows is not seen."
        ),
    ] = "30s"
    highest: Annotated[
        DecimalText | None, Field(description="The highest load that is tried; by default 1024.")
    ] = None
    arrivals: Annotated[
        Literal["poisson", "constant"] | None,
        Field(description="How requests at a rate arrive; by default `poisson`, else at `constant` gaps."),
    ] = None


class Trace(Part):
    """Requests as they arrived at a real service: the times and lengths of the trace that `dataset` is."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.rate) && has(self.timeScale))",
            "one of rate and timeScale at most",
            lambda trace: given(trace.rate, trace.time_scale) < len(("rate", "timeScale")),
        ),
        decimal_within("rate", "a rate above 0", (">", 0), optional=True),
        decimal_within("timeScale", "a timeScale above 0", (">", 0), optional=True),
    )

    rate: Annotated[
        DecimalText | None,
        Field(description="Requests per second, on average: all gaps are stretched alike to meet it."),
    ] = None
    time_scale: Annotated[
        DecimalText | None,
        Field(description='Factor of all gaps: `"0.5"` replays the trace twice as fast; by default 1.'),
    ] = None


class ThinkTime(Part):
    """How long a user thinks: from the end of an answer until the next turn is sent."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "duration(self.mean) > duration('0s')",
            "a mean above 0",
            lambda think: short_duration_seconds(think.mean) > 0,
            field="mean",
            suggestion="without thinkTime the next turn is sent at once",
        ),
        Rule(
            "!has(self.standardDeviation) || self.distribution == 'lognormal'",
            "standardDeviation only with distribution lognormal",
            lambda think: think.standard_deviation is None or think.distribution == "lognormal",
            field="standardDeviation",
        ),
        Rule(
            "!has(self.standardDeviation) || duration(self.standardDeviation) > duration('0s')",
            "a standardDeviation above 0",
            lambda think: (
                think.standard_deviation is None or short_duration_seconds(think.standard_deviation) > 0
            ),
            field="standardDeviation",
        ),
    )

    mean: Annotated[ShortDurationText, Field(description="On average, such as `5s` or `800ms`.")]
    distribution: Annotated[
        Literal["constant", "exponential", "lognormal"],
        Field(
            description="What the times are drawn from, by the data set's seed: a conversation has the same"
            " ones in all trials."
        ),
    ] = "constant"
    standard_deviation: Annotated[
        ShortDurationText | None, Field(description="Of distribution `lognormal`; by default the mean.")
    ] = None


class Conversations(Part):
    """Every item is a conversation, sent turn by turn; each turn holds what was said before it."""

    think_time: Annotated[
        ThinkTime | None,
        Field(description="Between an answer and the next turn; by default the next turn is sent at once."),
    ] = None
    history: Annotated[
        Literal["generated", "recorded"],
        Field(
            description="Which answers later turns hold: `generated`, those that the server gave, or"
            " `recorded`, those of the data set."
        ),
    ] = "generated"
    max_turns: Annotated[
        Annotated[int, Field(ge=2, le=1000)] | None,
        Field(description="Turns of a conversation that are sent; by default all that it has."),
    ] = None


class Load(Part):
    """How requests arrive: at a concurrency (closed loop), a rate (open loop), or the highest of these."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.concurrency), has(self.rate), has(self.maxRate), has(self.trace)]"
            ".filter(given, given).size() == 1",
            "exactly one of concurrency, rate, maxRate and trace",
            lambda load: given(load.concurrency, load.rate, load.max_rate, load.trace) == 1,
        ),
        decimal_within("rate", "a rate above 0", (">", 0), optional=True),
        Rule(
            "has(self.rate) || !(has(self.arrivals) || has(self.duration))",
            "arrivals and duration only with rate",
            lambda load: load.rate is not None or given(load.arrivals, load.duration) == 0,
        ),
        Rule(
            "!has(self.conversations) || has(self.concurrency) || has(self.rate)",
            "conversations only with concurrency or rate",
            lambda load: load.conversations is None or given(load.concurrency, load.rate) > 0,
            field="conversations",
            suggestion="with maxRate and trace each request stands for itself",
        ),
    )

    concurrency: Annotated[
        Annotated[int, Field(ge=1, le=1024)] | None,
        Field(
            description="Requests in flight at any time (closed loop); with `conversations`, users of whom"
            " each is in one."
        ),
    ] = None
    rate: Annotated[
        DecimalText | None,
        Field(description="Requests per second, on average; with `conversations`, how many of them begin."),
    ] = None
    arrivals: Annotated[
        Literal["poisson", "constant"] | None,
        Field(description="How requests at `rate` arrive; by default `poisson`, else at `constant` gaps."),
    ] = None
    duration: Annotated[
        DurationText | None,
        Field(description="How long requests arrive at `rate`; by default until every item was asked."),
    ] = None
    max_rate: Annotated[
        MaxRate | None, Field(description="Search for the highest load that keeps `workload.slo`.")
    ] = None
    trace: Annotated[Trace | None, Field(description="Replay the trace that `dataset` is.")] = None
    conversations: Annotated[
        Conversations | None,
        Field(
            description="Send all turns of the data set's conversations; without it, of each its first"
            " question."
        ),
    ] = None
    warmup_requests: Annotated[
        int, Field(ge=0, le=1000, description="Requests before the measurement that do not count.")
    ] = 2
