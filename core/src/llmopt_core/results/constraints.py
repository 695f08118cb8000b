"""How the best configuration and the baseline stand to the constraints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from llmopt_core.storage.outcomes import constraint_name
from llmopt_core.storage.records import StudyDefinition


@dataclass(frozen=True)
class Standing:
    """One constraint, `relative` to the baseline or not, and the best's `value`.

    `bound` is what it was held to, None where that is relative to a baseline that could not be measured.
    `baseline` is that of the baseline, and `baseline_kept` whether it keeps the constraint: a baseline that
    was not measured breaks none.
    """

    constraint: str
    value: float
    bound: float | None
    kept: bool
    relative: bool = False
    baseline: float | None = None
    baseline_kept: bool = True


def standings(
    definition: StudyDefinition, values: Mapping[str, tuple[float | None, float]]
) -> Iterator[Standing]:
    """Yield how the best stands to each constraint of `definition`.

    `values` holds the baseline's value (None: it was not measured) and the best's, by metric.
    """
    for constraint in definition.constraints:
        if constraint.metric in values:
            baseline, value = values[constraint.metric]
            held = replace(constraint, baseline=baseline) if constraint.relative_to else constraint
            yield Standing(
                constraint_name(constraint),
                value,
                held.bound,
                kept=held.violation(value) <= 0,
                relative=constraint.relative_to is not None,
                baseline=baseline,
                baseline_kept=baseline is None or held.violation(baseline) <= 0,
            )
