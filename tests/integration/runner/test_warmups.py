"""How often an engine is warmed up: once a load where it stays warm, else before every measurement."""

import pytest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.sampling.opening import own_study
from llmopt_core.storage.records import OutcomeKind
from llmopt_runner.engines.openai.engine import OpenAI
from llmopt_runner.loop.assembly import search_runner, shared
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.progress import Progress

ITEMS = 4
WARMUPS = 2


def _resource(url):
    return LLMOptimization.model_validate(
        {
            "apiVersion": "llmopt.dev/v1alpha1",
            "kind": "LLMOptimization",
            "metadata": {"name": "study"},
            "spec": {
                "model": {"source": "hf://nobody/fake-model"},
                "engine": {"name": "openai", "endpoint": {"url": url, "model": "fake-model"}},
                "workload": {
                    "dataset": {"name": "arithmetic", "samples": ITEMS},
                    "load": {"concurrency": 1, "warmupRequests": WARMUPS},
                    "maxTokens": 4,
                },
                "search": {
                    "pruner": {"name": "none"},
                    "space": {"sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}]},
                },
                "objectives": [{"metric": "output_tokens_per_second"}],
            },
        }
    )


@pytest.mark.parametrize(("stays_warm", "warmed_up"), [(True, 1), (False, 3)])
def test_an_engine_that_stays_warm_is_warmed_up_once(tmp_path, monkeypatch, stays_warm, warmed_up):
    """Three trials on one load: the requests that the server counted say how often it was warmed up."""
    monkeypatch.setattr(OpenAI, "stays_warm", lambda _engine, _configuration: stays_warm)
    with (
        FakeServer(FakeOptions(ttft_ms=1.0, gap_ms=1.0, tokens=2)) as server,
        open_for_search(f"sqlite:///{tmp_path / 'study.db'}") as storage,
    ):
        resource = _resource(server.base_url)
        study = own_study(storage, resource)
        common = shared(resource.spec, study, tmp_path, StopSignal(), Progress(), {})
        trials = search_runner(resource.spec, common)
        for _ in range(3):
            claim = study.claim("runner", budget=3)
            outcome = trials.run(claim)
            assert outcome.kind is OutcomeKind.MEASURED
            study.finish(claim, outcome)
        trials.slot.close()
        readiness, repeated = 1, 8
        assert len(server.truth()) == readiness + repeated + warmed_up * WARMUPS + 3 * ITEMS
