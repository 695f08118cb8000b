"""The A/B test of the samples, on two running servers of which one is slower."""

import json

import pytest
import yaml
from fakes.openai_server import FakeOptions, FakeServer
from fakes.sample_manifests import SAMPLES, run

from llmopt_core.storage.records import OutcomeKind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Return best.json of the sample with the fast server as `next`, and what both servers were asked."""
    folder = tmp_path_factory.mktemp("ab")
    document = yaml.safe_load((SAMPLES / "ab-endpoints.yaml").read_text())
    spec = document["spec"]
    spec["workload"] |= {"load": {"rate": "20", "arrivals": "poisson"}}
    spec["workload"]["dataset"]["samples"] = 12
    spec["repeats"] = 3
    slow, fast = FakeOptions(ttft_ms=120.0, tokens=4), FakeOptions(ttft_ms=10.0, tokens=4)
    with FakeServer(slow) as current, FakeServer(fast) as following:
        for candidate, server in zip(spec["candidates"], (current, following), strict=True):
            candidate["engine"]["endpoint"]["url"] = f"{server.base_url}/v1"
        results, outcomes = run(folder, document)
        asked = [{truth.question for truth in server.truth()} for server in (current, following)]
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MEASURED] * 6
    return json.loads(results.best.read_text()), asked


def test_the_faster_service_wins_with_an_interval(compared):
    """The new service is better in the objective, and the interval of the difference excludes zero."""
    best, _ = compared
    assert best["winner"] == "next"
    (found,) = [each for each in best["candidates"] if each["name"] == "next"]
    effect = found["against_baseline"]["e2e_ms_p95"]
    assert effect["relative_interval"]["high"] < 0


def test_both_services_were_asked_the_same(compared):
    """Every measured question went to both."""
    _, asked = compared
    # What looks for a cache of prompts, before anything is measured, has a prefix of its own.
    current, following = ({each for each in questions if not each.startswith("[")} for questions in asked)
    assert len(current & following) >= 12
    assert current == following
