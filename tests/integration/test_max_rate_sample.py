"""The sample of a maximum-rate search, made small, on llama.cpp's own server with a real model."""

import copy

import pytest
import yaml
from fakes.sample_manifests import LIMIT_SECONDS, SAMPLES, run

from llmopt_core.storage.records import OutcomeKind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_SECONDS + 30)]


def _made_small():
    """Return the sample for two busy cores: two configurations, four probes of a few answers each."""
    document = copy.deepcopy(yaml.safe_load((SAMPLES / "max-rate.yaml").read_text()))
    spec = document["spec"]
    spec["engine"]["args"]["threads"] = 1
    spec["workload"]["maxTokens"] = 4
    spec["workload"]["dataset"]["samples"] = 4
    spec["workload"]["load"]["maxRate"] |= {"probeDuration": "3s", "probes": 4}
    spec["search"]["enqueue"] = [{"engine.n_parallel": 4, "engine.n_batch": 512}]
    spec["budget"] = {"trials": 2, "trialTimeout": "5m"}
    spec["confirm"] = {"top": 0}
    return document


def test_the_sample_finds_how_many_requests_a_second_a_machine_takes(tmp_path):
    """Each trial stores its probes; the metric is the highest rate that kept the level, or 0; it is shown."""
    folder, outcomes = run(tmp_path, _made_small())
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MEASURED] * 2
    for outcome in outcomes:
        curve = outcome.curve
        assert 1 <= len(curve.probes) <= 4
        assert outcome.metrics["max_request_rate"] == curve.value
        assert outcome.metrics["accuracy"] >= 0
        kept = [probe.load for probe in curve.probes if probe.kept >= 0.9 * probe.requests]
        assert curve.value in {*kept, 0}
    assert "Highest load within the service level" in folder.report.read_text(encoding="utf-8")
