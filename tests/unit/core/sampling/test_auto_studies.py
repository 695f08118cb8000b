from dataclasses import replace

import pytest
from fakes.studies import MIXED_SPACE, definition, ended, measured

from llmopt_core.sampling import auto_studies
from llmopt_core.sampling.auto_studies import observe, problem_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.sampling.observations import ObservedState
from llmopt_core.storage.records import OutcomeKind, Serving

SECONDS = {"load": 4.0, "warmup": 1.0, "measure": 10.0, "total": 15.0}


@pytest.fixture
def study(tmp_path):
    with open_for_search(f"sqlite:///{tmp_path}/study.db") as storage:
        yield storage.create_study(definition(sampler="auto"))


def _claim(study):
    return study.claim("runner", budget=60)


def _observed(study):
    study.trials()
    return list(observe(study._snapshot, study.definition))


def test_a_start_is_separate_from_the_measurement(study):
    """The trial that started the engine has the time of the start; one on the running engine has none."""
    study.finish(_claim(study), ended(OutcomeKind.FAILED))
    claim = _claim(study)
    study.finish(claim, replace(measured(claim, engine_start_seconds=4.0), seconds=SECONDS))
    claim = _claim(study)
    reused = {"load": 0.0, "warmup": 0.0, "measure": 10.0, "total": 10.0}
    study.finish(claim, replace(measured(claim), seconds=reused))
    started, on_running = _observed(study)
    assert (started.start_seconds, started.seconds) == (5.0, 10.0)
    assert (on_running.start_seconds, on_running.seconds) == (None, 10.0)


def test_few_items_are_not_certain(study):
    """A score of 12 right answers of 12 has a standard error, and more items have a smaller one."""
    study.finish(_claim(study), ended(OutcomeKind.FAILED))
    for count in (12, 200):
        claim = _claim(study)
        samples = {str(item): 1.0 for item in range(count)}
        study.finish(claim, replace(measured(claim), samples=samples, sample_metric="accuracy"))
    few, many = (each.standard_errors["accuracy"] for each in _observed(study))
    assert few > 4 * many > 0


def test_what_is_seen_of_each_trial(study):
    """Running, infeasible, failed and stopped trials are distinguished; a returned one is not there."""
    kinds = (OutcomeKind.INFEASIBLE, OutcomeKind.FAILED, OutcomeKind.INVALID, OutcomeKind.PRUNED)
    study.finish(_claim(study), ended(OutcomeKind.FAILED))
    for kind in kinds:
        study.finish(_claim(study), ended(kind))
    _claim(study)
    assert [each.state for each in _observed(study)] == [
        ObservedState.INFEASIBLE,
        ObservedState.FAILED,
        ObservedState.FAILED,
        ObservedState.STOPPED,
        ObservedState.RUNNING,
    ]


def test_a_copy_counts_as_what_it_is_a_copy_of(study):
    """Its own parameters are known, with the values and the time of the trial that was measured."""
    study.finish(_claim(study), ended(OutcomeKind.FAILED))
    claim = _claim(study)
    outcome = replace(measured(claim, engine_start_seconds=4.0), seconds=SECONDS)
    study.finish(claim, outcome)
    twin = _claim(study)
    copied = replace(outcome, kind=OutcomeKind.COPIED, copied_from=claim.number, seconds={"total": 0.01})
    study.finish(twin, copied)
    first, second = _observed(study)
    assert second.parameters == twin.parameters != first.parameters
    assert replace(second, parameters=first.parameters) == first


def test_an_end_that_a_later_trial_disproves_is_forgotten(study, monkeypatch):
    """Another runner's trial may show that more is to be gained: then the study ends for another reason."""
    study.finish(_claim(study), ended(OutcomeKind.FAILED))
    running = _claim(study)
    for _ in range(11):
        claim = _claim(study)
        study.finish(claim, measured(claim))
    monkeypatch.setattr(auto_studies, "nothing_more_to_gain", lambda *_: True)
    assert _claim(study) is None
    assert "no remaining configuration" in study.sampling_ended
    monkeypatch.setattr(auto_studies, "nothing_more_to_gain", lambda *_: False)
    study.finish(running, measured(running))
    assert _claim(study) is not None
    assert study.sampling_ended is None


@pytest.mark.parametrize(
    ("serving", "started"),
    [
        (None, {"engine.n_parallel", "engine.kv"}),
        (Serving({}, {"name": "llamacpp"}), {"engine.n_parallel", "engine.kv"}),
        (
            Serving({}, {"name": "transformers"}, {"engine.continuous_batching": True}),
            set(MIXED_SPACE.names()),
        ),
    ],
)
def test_which_parameters_need_another_start(serving, started):
    """A server that keeps the sampling of its first request must be started again for another one."""
    assert problem_of(definition(serving=serving)).engine_parameters == started
