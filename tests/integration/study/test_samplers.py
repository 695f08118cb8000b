"""Every sampler of the manifest on a mixed space with a condition, through claim and finish."""

import importlib.util
import re
import zlib
from dataclasses import replace

import pytest
from fakes.studies import MIXED_POINTS, MIXED_SPACE, SLO, TWO_OBJECTIVES, definition, ended, measured

from llmopt_core.installation import install_command
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.spaces import FloatDimension, IntDimension, SearchSpace, SpaceParameter
from llmopt_core.storage.errors import SamplerUnavailable
from llmopt_core.storage.points import contains, dimensions
from llmopt_core.storage.records import OutcomeKind

SINGLE = ("auto", "tpe", "random", "gp", "cmaes", "grid", "nsga2", "nsga3", "qmc")
SEVERAL = tuple(name for name in SINGLE if name != "cmaes")
# Enough for every kind of ending and proposals by a model; Optuna's Gaussian process takes seconds for each.
TRIALS = dict.fromkeys(SINGLE, 36) | {"gp": 16}


def _skip_without_torch(sampler):
    if sampler == "gp" and importlib.util.find_spec("torch") is None:
        pytest.skip("NOT TESTED: sampler gp, for torch is not installed (extra gp)")


def _run(storage, made, trials, runners=("one", "two")):
    """Run `trials` by turns, with every kind of ending, two in flight; return the claims."""
    study = storage.create_study(made)
    claims, open_claims = [], []
    for index in range(trials):
        claim = study.claim(runners[index % len(runners)], budget=trials)
        if claim is None:
            break
        claims.append(claim)
        open_claims.append(claim)
        if len(open_claims) == 2:
            _finish(study, open_claims.pop(0))
    for claim in open_claims:
        _finish(study, claim)
    return claims


def _finish(study, claim):
    kinds = {5: OutcomeKind.INFEASIBLE, 7: OutcomeKind.FAILED, 9: OutcomeKind.PRUNED, 11: OutcomeKind.INVALID}
    kind = kinds.get(claim.number)
    # Values without a pattern: no model can say that there is nothing more to gain.
    accuracy = zlib.crc32(repr(sorted(claim.parameters.items())).encode()) / 2**32
    study.finish(claim, measured(claim, accuracy=accuracy) if kind is None else ended(kind))


def _check(claims):
    space = dimensions(MIXED_SPACE)
    for claim in claims[1:]:
        assert all(contains(space[name], value) for name, value in claim.parameters.items())
        active = {each.name for each in MIXED_SPACE.parameters if each.active(claim.parameters)}
        assert set(claim.parameters) == active


@pytest.mark.parametrize("sampler", SINGLE)
def test_one_objective(storage, sampler):
    """With one objective and a constraint, each sampler fills the budget with points of the space."""
    _skip_without_torch(sampler)
    trials = TRIALS[sampler]
    claims = _run(storage, definition(sampler=sampler, constraints=SLO), trials)
    assert len(claims) == trials or (sampler == "auto" and len(claims) > 20)
    _check(claims)


@pytest.mark.parametrize("sampler", SEVERAL)
def test_two_objectives(storage, sampler):
    """With two objectives and a constraint, each sampler but cmaes does so too."""
    _skip_without_torch(sampler)
    trials = TRIALS[sampler]
    claims = _run(storage, definition(sampler=sampler, objectives=TWO_OBJECTIVES, constraints=SLO), trials)
    assert len(claims) == trials or (sampler == "auto" and len(claims) > 20)
    _check(claims)


@pytest.mark.parametrize("sampler", SINGLE)
def test_fixed_and_enqueued(storage, sampler):
    """Each sampler but `auto`, which weighs starts, keeps fixed values; each completes enqueued entries."""
    _skip_without_torch(sampler)
    study = storage.create_study(definition(sampler=sampler, enqueue=({"engine.n_parallel": 3},)))
    for index in range(16):
        claim = study.claim("runner", budget=30, fixed={"engine.kv": "q8_0"} if index > 1 else {})
        assert claim.number != 1 or claim.parameters["engine.n_parallel"] == 3
        assert sampler == "auto" or index <= 1 or claim.parameters["engine.kv"] == "q8_0"
        study.finish(claim, measured(claim))


@pytest.mark.parametrize("sampler", SINGLE)
def test_an_entry_that_was_tried_already_is_claimed(storage, sampler):
    """Given twice, or equal to the baseline, it waits for a runner: unclaimed it would block all others."""
    _skip_without_torch(sampler)
    entry = {"engine.n_parallel": 3, "engine.kv": "f16", "sampling.temperature": 0.25}
    study = storage.create_study(definition(sampler=sampler, enqueue=(entry, entry)))
    for given in ({}, entry, entry):
        claim = study.claim("runner", budget=30)
        assert claim.parameters == given
        study.finish(claim, measured(replace(claim, parameters=entry)))


@pytest.mark.parametrize("sampler", SINGLE)
def test_resumes_in_another_process(storage, url, sampler):
    """A newly opened study goes on where the samplers of the old one were."""
    _skip_without_torch(sampler)
    _run(storage, definition(sampler=sampler), 20)
    with open_for_search(url) as fresh:
        claims = _run(fresh, definition(sampler=sampler), 30)
    assert len(claims) == 10 or (sampler == "auto" and claims)
    _check([None, *claims])


@pytest.mark.parametrize("sampler", ["auto", "tpe", "random", "grid", "qmc"])
def test_workers_do_not_repeat_each_other(storage, url, sampler):
    """Two workers of one seed propose different points."""
    space = SearchSpace(
        (SpaceParameter("engine.a", IntDimension(0, 9999)), SpaceParameter("engine.b", IntDimension(0, 9)))
        if sampler != "grid"
        else MIXED_SPACE.parameters
    )
    storage.create_study(definition(sampler=sampler, space=space))
    points = []
    with open_for_search(url) as one, open_for_search(url) as two:
        studies = [one.open_study("study"), two.open_study("study")]
        for index in range(21):
            claim = studies[index % 2].claim(f"runner-{index % 2}", budget=21)
            points.append(tuple(sorted(claim.parameters.items())))
    assert len(set(points)) == 21


def test_grid_ends_when_all_points_were_run(storage):
    """The grid gives each point once, conditions leaving no duplicates, and then nothing, without error."""
    claims = _run(storage, definition(sampler="grid"), 500)
    points = {tuple(sorted(claim.parameters.items())) for claim in claims[1:]}
    assert len(points) == len(claims) - 1 == MIXED_POINTS


def test_grid_runs_a_returned_point_again(storage):
    """A point that was given back is not lost to the grid, nor run twice."""
    study = storage.create_study(definition(sampler="grid"))
    study.finish(claim := study.claim("runner", budget=500), measured(claim))
    study.give_back(study.claim("runner", budget=500), "asked to stop")
    count = 0
    while (claim := study.claim("runner", budget=500)) is not None:
        study.finish(claim, measured(claim))
        count += 1
    assert count == MIXED_POINTS


def test_missing_torch_says_what_to_install(storage, monkeypatch):
    """Where torch is not installed, sampler gp says so before the first trial is run."""
    study = storage.create_study(definition(sampler="gp"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else name)
    with pytest.raises(SamplerUnavailable, match="needs torch: " + re.escape(install_command("gp"))):
        study.claim("runner", budget=9)
    assert study.trials()[0].state == "waiting"


def test_tpe_learns(sqlite_url):
    """TPE comes nearer to the best than chance does, so its history reaches it."""
    space = SearchSpace((SpaceParameter("sampling.temperature", FloatDimension(0.0, 10.0)),))
    with open_for_search(sqlite_url) as storage:
        late = {}
        for sampler in ("tpe", "random"):
            study = storage.create_study(definition(sampler, sampler=sampler, space=space, seed=1))
            for _ in range(60):
                claim = study.claim("runner", budget=60)
                study.finish(claim, measured(claim))
            late[sampler] = sum(
                abs(trial.parameters["sampling.temperature"] - 0.75) for trial in study.trials()[-20:]
            )
    assert late["tpe"] < late["random"] / 2


def test_auto_ends_when_nothing_is_left_to_gain(storage):
    """Where all that was measured is equal, the search ends before its budget and says how little is left."""
    study = storage.create_study(definition(sampler="auto", constraints=SLO))
    assert study.sampling_ended is None
    measurements = 0
    while (claim := study.claim("runner", budget=60)) is not None:
        study.finish(claim, measured(claim))
        measurements += 1
    assert 20 <= measurements < 60
    assert "likely to be more than 1% better than the best" in study.sampling_ended
    assert study.claim("runner", budget=60) is None
