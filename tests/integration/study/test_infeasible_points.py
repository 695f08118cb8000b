"""What infeasible outcomes teach the real sampler: it asks less often for what does not fit."""

from fakes.studies import definition, ended, measured

from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.spaces import IntDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.records import OutcomeKind

SPACE = SearchSpace(
    (
        SpaceParameter("engine.n_parallel", IntDimension(1, 64)),
        SpaceParameter("engine.slot", IntDimension(1, 64)),
    )
)
SEEDS = range(5)
TRIALS, LEARNING = 40, 15
LARGEST = 1024  # of at most 64 * 64: six in ten points of the space fit, and the best are at the edge


def _misses(storage, seed, kind):
    """Return how many points that do not fit a search asks for after its first trials, ended as `kind`."""
    study = storage.create_study(definition(f"{kind}-{seed}", space=SPACE, sampler="tpe", seed=seed))
    misses = 0
    for number in range(TRIALS):
        claim = study.claim("runner", budget=TRIALS)
        used = claim.parameters.get("engine.n_parallel", 1) * claim.parameters.get("engine.slot", 1)
        if used <= LARGEST:
            study.finish(claim, measured(claim, accuracy=used / LARGEST))
            continue
        study.finish(claim, ended(kind))
        misses += number >= LEARNING
    return misses


def test_a_sampler_that_is_informed_asks_less_for_what_does_not_fit(sqlite_url):
    """Over five seeds, searches that are informed of infeasible points miss at most two thirds as often."""
    with open_for_search(sqlite_url) as storage:
        informed = [_misses(storage, seed, OutcomeKind.INFEASIBLE) for seed in SEEDS]
        uninformed = [_misses(storage, seed, OutcomeKind.FAILED) for seed in SEEDS]
    assert sum(informed) <= 2 / 3 * sum(uninformed)
