"""The sample of conversations, made small, on llama.cpp's own server with a real model."""

import copy

import pytest
import yaml
from fakes.sample_manifests import LIMIT_SECONDS, SAMPLES, run

from llmopt_core.storage.records import OutcomeKind
from llmopt_core.storage.storages import open_storage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_SECONDS + 30)]


def _made_small():
    """Return the sample for two busy cores: two configurations, four short conversations each."""
    document = copy.deepcopy(yaml.safe_load((SAMPLES / "conversations.yaml").read_text()))
    spec = document["spec"]
    spec["workload"]["maxTokens"] = 6
    spec["workload"]["dataset"]["samples"] = 4
    spec["workload"]["load"]["concurrency"] = 2
    spec["workload"]["load"]["conversations"]["thinkTime"]["mean"] = "200ms"
    spec["engine"]["args"]["threads"] = 1
    spec["search"]["enqueue"] = [{"engine.n_parallel": 2, "engine.cache_prompt": "false"}]
    spec["constraints"] = []
    spec["budget"] = {"trials": 2, "trialTimeout": "5m"}
    spec["confirm"] = {"top": 0}
    return document


def test_the_sample_talks_with_a_real_model(tmp_path):
    """Twelve turns are measured in each trial, four conversations are scored, and the report says how."""
    folder, outcomes = run(tmp_path, _made_small())
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MEASURED] * 2
    for outcome in outcomes:
        assert outcome.metrics["e2e_ms_p95"] > 0
        assert len(outcome.samples) == 4
        assert all(round(3 * score, 9) in {0, 1, 2, 3} for score in outcome.samples.values())
    with open_storage(folder.storage_url()) as storage:
        assert len(storage.open_study(folder.name).answers.of(0)) == 12
    report = folder.report.read_text(encoding="utf-8")
    assert "2 users at once, each in a conversation" in report
    assert "think time 200ms on average (exponential)" in report
