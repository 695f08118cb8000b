"""A study that starts from others tries their best first, and measures it again."""

import dataclasses

import pytest
from fakes.manifests import changed, optimization
from fakes.studies import MIXED_SPACE, definition, ended, measured

from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.sampling.others import WarmStartInvalid, from_others
from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import IntDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.records import OutcomeKind

NARROW = SearchSpace(
    (SpaceParameter("engine.n_parallel", IntDimension(1, 4, log=False, step=1)), *MIXED_SPACE.parameters[1:])
)


@pytest.fixture
def storage(url):
    with open_for_search(url) as opened:
        yield opened


def _ended_study(storage, resource, scores):
    """A study of `resource` whose default and then `scores` (slots -> accuracy) were measured."""
    entries = tuple({"engine.n_parallel": slots, "engine.kv": "q8_0"} for slots in scores)
    study = storage.create_study(definition(f"uid-of-{resource}", resource=resource, enqueue=entries))
    default = study.claim("runner", budget=99)
    study.finish(default, dataclasses.replace(measured(default, accuracy=0.1), configuration=Configuration()))
    for accuracy in scores.values():
        claim = study.claim("runner", budget=99)
        study.finish(claim, measured(claim, accuracy=accuracy))
    return study


def _starts(storage, *names):
    references = [{"name": name} for name in names]
    resource = LLMOptimization.model_validate(
        changed(optimization(), "spec.search.warmStartFrom", references)
    )
    return from_others(resource, lambda name: storage.newest_study(f"team/{name}"))


def test_the_best_of_another_study_are_tried_after_the_default(storage):
    """The new study begins with its default, then the other's best, best first, all to be measured."""
    _ended_study(storage, "team/before", {1: 0.5, 3: 0.9, 5: 0.7})
    study = storage.create_study(definition("new", resource="team/new"), _starts(storage, "before"))
    claims = [study.claim("runner", budget=99) for _ in range(4)]
    assert claims[0].parameters == {}
    assert [claim.parameters["engine.n_parallel"] for claim in claims[1:]] == [3, 5, 1]
    assert study.trials()[1].outcome is None


def test_what_does_not_lie_in_the_new_space_is_left_to_the_sampler(storage):
    """A value outside the new space is left out, the rest of its configuration is kept."""
    _ended_study(storage, "team/before", {7: 0.9})
    made = definition("new", space=NARROW)
    study = storage.create_study(made, _starts(storage, "before"))
    assert study.definition.enqueue[0]["engine.kv"] == "q8_0"
    assert "engine.n_parallel" not in study.definition.enqueue[0]


def test_an_existing_study_asks_no_other(storage):
    """Every runner opens the study; only the one that creates it needs the others to be there."""
    made = definition("new")
    storage.create_study(made)
    assert storage.create_study(made, _starts(storage, "absent")).definition.enqueue == ()


def test_a_study_that_is_not_there_is_named(storage):
    """A wrong name is said with the field, before anything is measured, and leaves no study."""
    with pytest.raises(WarmStartInvalid, match=r"warmStartFrom\[0\]\.name: 'absent' has no study"):
        storage.create_study(definition("new"), _starts(storage, "absent"))
    assert storage.study_names() == ()


def test_a_study_without_results_is_named(storage):
    """Nothing to start from is an error, not a silent cold start."""
    study = storage.create_study(definition("uid", resource="team/before"))
    study.finish(study.claim("runner", budget=9), ended(OutcomeKind.FAILED))
    with pytest.raises(WarmStartInvalid, match="no measured configuration"):
        storage.create_study(definition("new"), _starts(storage, "before"))


def test_the_newest_study_of_a_name_is_taken(storage):
    """A resource that was deleted and applied again has two studies: the later one counts."""
    _ended_study(storage, "team/before", {1: 0.9})
    storage.create_study(definition("later", resource="team/before"))
    assert storage.newest_study("team/before").definition.name == "later"
