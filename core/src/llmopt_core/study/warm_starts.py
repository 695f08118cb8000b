"""What other studies found, as configurations that a new one tries early.

They are measured again: what was measured on another model, workload or machine says where to look, not how
good it is here.
"""

from collections.abc import Callable, Iterator

from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.study.distributions import contains, distributions
from llmopt_core.study.errors import StudyNotFound
from llmopt_core.study.storage import WarmStarts
from llmopt_core.study.studies import Study
from llmopt_core.study.summary import rank

_BEST_OF_EACH = 5


class WarmStartInvalid(LlmoptError):
    """A study to start from is not there, or has nothing to start from."""

    error_class = ErrorClass.INVALID_CONFIGURATION


def warm_starts(
    resource: LLMOptimization, space: SearchSpace, open_named: Callable[[str], Study]
) -> WarmStarts:
    """Return what asks the studies of `spec.search.warmStartFrom`, each opened by `open_named`.

    The answer raises WarmStartInvalid where one is not there, or shares nothing with `space`.
    """

    def found() -> tuple[dict[str, Value], ...]:
        references = enumerate(resource.spec.search.warm_start_from)
        names = ((f"spec.search.warmStartFrom[{place}].name", each.name) for place, each in references)
        return tuple(best for field, name in names for best in _best_of(field, name, space, open_named))

    return found


def _best_of(
    field: str, name: str, space: SearchSpace, open_named: Callable[[str], Study]
) -> Iterator[dict[str, Value]]:
    try:
        study = open_named(name)
    except StudyNotFound as error:
        raise WarmStartInvalid(
            f"{field}: {name!r} has no study ({error}); run it first, or take it out"
        ) from error
    best = [part for part in _parts(study, space) if part][:_BEST_OF_EACH]
    if not best:
        raise WarmStartInvalid(
            f"{field}: {name!r} has no measured configuration with a parameter that is searched here; take"
            " it out"
        )
    yield from best


def _parts(study: Study, space: SearchSpace) -> Iterator[dict[str, Value]]:
    """Yield the best configurations, best first, each once: as much of them as `space` holds."""
    known = distributions(space)
    seen: list[dict[str, Value]] = []
    for trial in rank(study):
        values = {} if trial.outcome is None else trial.outcome.configuration.flat()
        inside = (name for name in values if name in known and contains(known[name], values[name]))
        part = {name: values[name] for name in inside}
        if part not in seen:
            seen.append(part)
            yield part
