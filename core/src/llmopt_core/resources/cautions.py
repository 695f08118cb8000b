"""What is valid and yet probably not meant: said beside the faults, and never a reason to refuse."""

from collections.abc import Iterator
from dataclasses import dataclass

from llmopt_core.resources.loading import Resource
from llmopt_core.resources.optimization import LLMOptimization, OptimizationSpec

# As many as are taken over from each study that a search starts from.
BEST_OF_EACH = 5


@dataclass(frozen=True)
class Caution:
    """One thing that is probably not meant; `path` is dotted, as the user wrote the fields."""

    path: str
    message: str

    def __str__(self) -> str:
        """Return the caution as one line."""
        return f"warning: {self.path}: {self.message}"


def cautions_of(resource: Resource) -> tuple[Caution, ...]:
    """Return what of the valid `resource` is probably not meant."""
    return tuple(_beyond_the_budget(resource.spec)) if isinstance(resource, LLMOptimization) else ()


def _beyond_the_budget(spec: OptimizationSpec) -> Iterator[Caution]:
    """Yield what of the given configurations the budget leaves no trial for; the default takes one."""
    left, given = spec.budget.trials - 1, len(spec.search.enqueue)
    advice = f"raise spec.budget.trials ({spec.budget.trials}, one of them the default's)"
    if given > left:
        yield Caution(
            "spec.search.enqueue",
            f"{given} configurations are given, and the budget leaves {left} of them a trial: the others are"
            f" not tried; {advice}, or take some out",
        )
        return
    inherited = len(spec.search.warm_start_from) * BEST_OF_EACH
    if given + inherited > left:
        yield Caution(
            "spec.search.warmStartFrom",
            f"up to {inherited} configurations are taken over, and the budget leaves {left - given} of them a"
            f" trial: the others are not tried; {advice}",
        )
