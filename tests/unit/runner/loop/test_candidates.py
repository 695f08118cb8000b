"""What each candidate of a comparison is served with: one engine at a time, and no other's secrets."""

from types import SimpleNamespace

import pytest
from fakes.comparisons import candidate
from fakes.manifests import benchmark, changed

from llmopt_core.resources import resource_of
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.records import Claim, Phase, Serving
from llmopt_runner.loop.candidates import CandidateRunners, key_owner, served_by
from llmopt_runner.models.resolution import ModelNotFound
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.progress import Progress

OURS, THEIRS = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"
SHARED = "that of all"
MODEL = {"source": "hf://org/model"}


def remote(url):
    return Serving(MODEL, {"name": "openai", "endpoint": {"url": url}})


class Bench:
    """Stands for what candidates share; its slots and runners only write down what is asked of them."""

    def __init__(self, *, missing=()):
        self.said = []
        self.missing, self.secrets = missing, {}
        self.stopping, self.progress = StopSignal(), Progress()

    def slot(self, served, _is_alike):
        name = served.model.source
        if name in self.missing:
            raise ModelNotFound(f"{name} is not there")
        self.said.append(f"make {name}")
        return SimpleNamespace(name=name, memory=name, close=lambda: self.said.append(f"close {name}"))

    def trial_runner(self, slot, fixed):
        def run(claim):
            self.said.append(f"run {claim.number} on {slot.name} with {dict(fixed)}")

        return SimpleNamespace(slot=slot, run=run)


def runners(bench, *candidates):
    return CandidateRunners(candidates, bench, None)


def run(runner, *places):
    return [
        runner.run(Claim(number, Phase.CONFIRM, {}, candidate=place)) for number, place in enumerate(places)
    ]


def other(name):
    return candidate(name).__class__(name, Serving({"source": "file:///other.gguf"}, {"name": "llamacpp"}))


def test_candidates_that_serve_the_same_share_an_engine():
    """Parameters of the start are for the engine to compare; another model needs an engine of its own."""
    bench = Bench()
    run(runners(bench, candidate("a", n_parallel=1), candidate("b", n_parallel=2)), 0, 1, 0)
    assert [said for said in bench.said if said.startswith("make")] == ["make package://llm/model.gguf"]
    assert not any(said.startswith("close") for said in bench.said)


def test_one_engine_is_loaded_at_a_time():
    """Before another model is served, the one before it is given up: both would not fit."""
    bench = Bench()
    runner = runners(bench, candidate("a"), other("b"))
    run(runner, 0, 1, 0)
    runner.close()
    assert [said.partition(" with")[0] for said in bench.said] == [
        "make package://llm/model.gguf",
        "run 0 on package://llm/model.gguf",
        "make file:///other.gguf",
        "close package://llm/model.gguf",
        "run 1 on file:///other.gguf",
        "close file:///other.gguf",
        "run 2 on package://llm/model.gguf",
        "close package://llm/model.gguf",
    ]
    assert bench.progress.memory == "package://llm/model.gguf"


def test_what_keeps_a_candidate_from_being_served_fails_its_trial():
    """Its model is missing: that is its own failure, and the next candidate runs."""
    bench = Bench(missing={"file:///other.gguf"})
    failed, _ = run(runners(bench, candidate("a"), other("b")), 1, 0)
    assert failed.failure.error_class == "ModelNotFound"
    assert "run 1 on package://llm/model.gguf with {}" in bench.said


def test_a_candidates_own_secret_goes_before_the_shared_one():
    """Each candidate may have its own variable, by its name."""
    environment = {
        "LLMOPT_MODEL_TOKEN": SHARED, "LLMOPT_MODEL_TOKEN_BIG_MODEL": "own",
        "LLMOPT_ENDPOINT_API_KEY_BIG_MODEL": "its key",
    }  # fmt: skip
    served = served_by("big-model", remote(OURS), environment, None)
    assert (served.token, served.api_key) == ("own", "its key")
    assert served_by("small", remote(OURS), environment, None).token == SHARED


@pytest.mark.parametrize(("url", "key"), [(OURS, "secret"), (THEIRS, None)])
def test_the_shared_key_is_shown_to_one_endpoint_only(url, key):
    """A key for one server is never sent to another that a candidate names."""
    environment = {"LLMOPT_ENDPOINT_API_KEY": "secret"}
    assert served_by("a", remote(url), environment, OURS).api_key == key


def owner_of(document):
    resource = resource_of(document)
    return key_owner(resource.spec, define_study(resource).candidates)


def endpoint(url, **more):
    return {"name": "openai", "endpoint": {"url": url, **more}}


def test_the_shared_key_is_the_shared_engines_or_the_first_candidates():
    """Without a shared endpoint, the key is meant for the first that is named."""
    theirs = changed(benchmark(), "spec.candidates.1", {"name": "theirs", "engine": endpoint(THEIRS)})
    assert owner_of(theirs) == THEIRS
    assert owner_of(changed(theirs, "spec.engine", endpoint(OURS))) == OURS
    assert owner_of(benchmark()) is None


def test_a_key_from_a_secret_is_its_own_endpoints():
    """Where only a candidate has a key, the shared endpoint before it does not see it."""
    secret = {"apiKeySecretRef": {"name": "keys", "key": "theirs"}}
    theirs = {"name": "theirs", "engine": endpoint(THEIRS, **secret)}
    document = changed(changed(benchmark(), "spec.engine", endpoint(OURS)), "spec.candidates.1", theirs)
    assert owner_of(document) == THEIRS
