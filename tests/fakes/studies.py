"""Small studies for tests: a mixed space with a condition, and outcomes made by hand."""

from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.records import (
    ConstraintDefinition,
    ObjectiveDefinition,
    Outcome,
    OutcomeKind,
    RunnerRecord,
    StudyDefinition,
)

# Steps everywhere, so that a grid can have it too: 4 * 2 * (3 without top_p + 2 * 3 with it) points.
MIXED_SPACE = SearchSpace(
    (
        SpaceParameter("engine.n_parallel", IntDimension(1, 8, log=False, step=2)),
        SpaceParameter("engine.kv", ChoiceDimension(("f16", "q8_0"))),
        SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0, step=0.25)),
        SpaceParameter(
            "sampling.top_p",
            FloatDimension(0.5, 1.0, step=0.25),
            (Condition("sampling.temperature", above=0.5),),
        ),
    )
)
MIXED_POINTS = 4 * 2 * (3 + 2 * 3)


def definition(name="study", **changes):
    """Return the definition of a study that maximises accuracy over the mixed space."""
    plain = {
        "name": name,
        "fingerprint": "abc",
        "space": MIXED_SPACE,
        "objectives": (ObjectiveDefinition("accuracy", "maximize"),),
        "sampler": "random",
    }
    return StudyDefinition(**{**plain, **changes})


TWO_OBJECTIVES = (
    ObjectiveDefinition("accuracy", "maximize"),
    ObjectiveDefinition("ttft_ms_p95", "minimize"),
)
SLO = (ConstraintDefinition("ttft_ms_p95", maximum=500.0),)


def measured(claim, accuracy=None, **metrics):
    """Return a measured outcome for `claim`; accuracy falls with the distance from a temperature of 0.75."""
    if accuracy is None:
        accuracy = 1.0 - abs(claim.parameters.get("sampling.temperature", 0.2) - 0.75)
    values = {"accuracy": accuracy, "ttft_ms_p95": 100.0 * claim.parameters.get("engine.n_parallel", 3)}
    return Outcome(
        OutcomeKind.MEASURED, Configuration.from_flat(claim.parameters), metrics={**values, **metrics}
    )


def ended(kind, **more):
    """Return an outcome of `kind` without metrics."""
    return Outcome(kind, Configuration(), **more)


def heartbeat(name, count, **more):
    """Return the record of a living runner."""
    return RunnerRecord(name, index=0, beat=count, active_seconds=float(count), **more)
