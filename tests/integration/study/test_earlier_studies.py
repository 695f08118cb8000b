"""A study learns from earlier ones of the same engine and machine, settled before its first trial."""

import dataclasses

import pytest
from fakes.studies import MIXED_SPACE, definition, heartbeat, measured

from llmopt_core.sampling.earlier_studies import Elsewhere, settle_lessons
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.earlier import MOST_STUDIES
from llmopt_core.storage.errors import StudyNotFound
from llmopt_core.storage.records import CandidateDefinition, ComparisonDefinition, Serving

MACHINE = "4 x Processor, 16 GiB"
SERVING = Serving({"source": "hf://team/model"}, {"name": "llamacpp"}, {})


@pytest.fixture
def storage(url):
    with open_for_search(url) as opened:
        yield opened


def _auto(name, **changes):
    return definition(name, **{"sampler": "auto", "serving": SERVING, "resource": f"team/{name}", **changes})


def _earlier(storage, name, *, trials=8, machine=MACHINE, ended=True, **changes):
    """A study of random trials that runner `r` measured on `machine`."""
    study = storage.create_study(_auto(name, **{"sampler": "random", **changes}))
    study.heartbeat(heartbeat("r", 1, machine=machine))
    default = study.claim("r", budget=99)
    study.finish(default, dataclasses.replace(measured(default, accuracy=0.1), configuration=Configuration()))
    for _ in range(trials):
        claim = study.claim("r", budget=99)
        study.finish(claim, measured(claim))
    if ended:
        study.end("TrialsExhausted", "all trials are done")
    return study


def _elsewhere(storage, *named):
    names = storage.ended_optimizations("team", 20)
    return Elsewhere(
        tuple(lambda name=name: storage.newest_study(f"team/{name}") for name in named),
        tuple(lambda name=name: storage.open_study(name) for name in names),
    )


def _settled(storage, *named, machine=MACHINE, **changes):
    study = storage.create_study(_auto("new", **changes))
    settle_lessons(study, machine, _elsewhere(storage, *named))
    return study


def _names(study):
    return [each.resource for each in study.lessons.kept]


def test_finished_studies_of_the_same_engine_and_machine_are_kept(storage):
    """Others are not: another machine, another engine, one that goes on, one that says nothing of either."""
    _earlier(storage, "good")
    _earlier(storage, "machine", machine="8 x Other, 64 GiB")
    _earlier(storage, "unknown", machine="")
    _earlier(storage, "engine", serving=dataclasses.replace(SERVING, engine={"name": "vllm"}))
    _earlier(storage, "nameless", serving=None)
    _earlier(storage, "unfinished", ended=False)
    _earlier(storage, "short", trials=2)
    _earlier(storage, "foreign", resource="others/foreign")
    study = _settled(storage)
    assert _names(study) == ["team/good"]
    (kept,) = study.lessons.kept
    assert len(kept.trials) >= 5
    assert all(set(each.parameters) <= set(MIXED_SPACE.names()) for each in kept.trials)
    assert all(set(each.metrics) == {"accuracy"} for each in kept.trials)


def test_nothing_is_taken_where_the_own_machine_is_not_known(storage):
    """A fact that is missing equals no other."""
    _earlier(storage, "good", machine="")
    assert _names(_settled(storage, machine="")) == []


def test_a_server_that_runs_elsewhere_is_on_no_known_machine(storage):
    """Studies of an endpoint say nothing about what another endpoint runs on."""
    endpoint = Serving({"source": "hf://team/model"}, {"name": "openai", "endpoint": {"url": "http://a/v1"}})
    _earlier(storage, "good", serving=endpoint)
    assert _names(_settled(storage, serving=endpoint)) == []


def test_what_the_manifest_names_is_taken_wherever_it_was_measured(storage):
    """`warmStartFrom` is the user's word; it comes first, and once."""
    _earlier(storage, "good")
    _earlier(storage, "asked", machine="8 x Other, 64 GiB", ended=False)
    assert _names(_settled(storage, "asked", "good")) == ["team/asked", "team/good"]


def test_studies_of_the_same_model_come_first_and_not_too_many(storage):
    """Of more studies than are kept, those of the same model are, then the newest."""
    other = dataclasses.replace(SERVING, model={"source": "hf://team/other"})
    _earlier(storage, "same")
    for number in range(MOST_STUDIES + 1):
        _earlier(storage, f"other{number}", serving=other)
    newest = [f"team/other{number}" for number in range(MOST_STUDIES, 1, -1)]
    assert _names(_settled(storage)) == ["team/same", *newest]


def test_what_cannot_be_read_is_left_out(storage):
    """A study that is gone or unreadable costs no more than what it could have reported."""
    _earlier(storage, "good")

    def gone():
        raise StudyNotFound("it was dropped")

    study = storage.create_study(_auto("new"))
    found = _elsewhere(storage)
    settle_lessons(study, MACHINE, Elsewhere((gone,), found.finished))
    assert _names(study) == ["team/good"]


@pytest.mark.parametrize("forged", ["team/\x1b[31mred", "x" * 400])
def test_a_name_that_no_resource_has_is_not_kept(storage, forged):
    """What another program wrote into a row neither reaches a terminal nor makes this study unreadable."""
    _earlier(storage, "good")
    _earlier(storage, "forged", resource=f"team/{forged}")
    assert _names(_settled(storage)) == ["team/good"]


def test_measurements_that_are_no_numbers_of_this_world_are_not_kept(storage):
    """Neither a value beyond all measures nor one that is not finite reaches a model."""
    study = _earlier(storage, "huge", ended=False)
    claim = study.claim("r", budget=99)
    study.finish(claim, measured(claim, accuracy=1e200))
    study.end("TrialsExhausted", "all trials are done")
    assert _names(_settled(storage)) == []


def test_it_is_settled_once_for_all_runners(storage):
    """A runner that begins later learns the same, though there is another study by then."""
    _earlier(storage, "good")
    _settled(storage)
    _earlier(storage, "later")
    again = storage.open_study("new")
    settle_lessons(again, MACHINE, _elsewhere(storage))
    assert _names(again) == ["team/good"]


def test_a_study_that_has_begun_keeps_to_what_it_knows(storage):
    """One that an earlier release began has no other study's measurements, and gets none half way."""
    _earlier(storage, "good")
    study = storage.create_study(_auto("new"))
    study.claim("runner", budget=9)
    settle_lessons(study, MACHINE, _elsewhere(storage))
    assert study.lessons.kept is None


@pytest.mark.parametrize(
    "changes",
    [
        {"sampler": "tpe"},
        {"comparison": ComparisonDefinition((CandidateDefinition("a", SERVING),), "a", 2), "sampler": "auto"},
    ],
)
def test_other_samplers_and_benchmarks_learn_from_no_other_study(storage, changes):
    """Nothing is stored for studies that do not use it."""
    _earlier(storage, "good")
    assert _settled(storage, **changes).lessons.kept is None


def test_the_study_says_how_far_each_was_used(storage):
    """What the sampler trusts is reported with the study, in its picture too, once models are asked."""
    _earlier(storage, "good", trials=20)
    study = _settled(storage)
    assert study.learned == ()
    for _ in range(8):
        claim = study.claim("runner", budget=99)
        outcome = measured(claim)
        if not claim.parameters:
            outcome = dataclasses.replace(outcome, configuration=Configuration())
        study.finish(claim, outcome)
    (learned,) = study.learned
    assert learned.resource == "team/good"
    assert learned.weight is not None
    assert learned.weight > 0.3
    assert storage.open_study("new").picture().learned == study.learned


def test_the_first_trials_are_the_best_of_the_earlier_study(storage):
    """After the default comes what was best before, as far as it lies in the space."""
    _earlier(storage, "good", trials=20)
    best = max(
        (trial for trial in storage.open_study("good").trials() if trial.parameters),
        key=lambda trial: trial.outcome.metrics["accuracy"],
    )
    study = _settled(storage)
    default = study.claim("runner", budget=99)
    study.finish(default, dataclasses.replace(measured(default), configuration=Configuration()))
    first = study.claim("runner", budget=99)
    assert measured(first).metrics["accuracy"] == best.outcome.metrics["accuracy"]
