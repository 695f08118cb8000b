"""The sample of a shared prefix, made small, on llama.cpp's own server with a real model."""

import copy

import pytest
import yaml
from fakes.sample_manifests import LIMIT_SECONDS, SAMPLES, run

from llmopt_core.storage.records import OutcomeKind

pytestmark = [pytest.mark.slow, pytest.mark.timeout(LIMIT_SECONDS + 30)]


def _made_small():
    document = copy.deepcopy(yaml.safe_load((SAMPLES / "shared-prefix.yaml").read_text()))
    spec = document["spec"]
    spec["workload"]["dataset"]["samples"] = 6
    spec["engine"]["args"]["threads"] = 1
    spec["repeats"] = 2
    return document


def test_a_server_that_keeps_prompts_answers_sooner(tmp_path):
    """It computes a tenth of each prompt: no measurement is contaminated, and the first token is early."""
    folder, outcomes = run(tmp_path, _made_small())
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MEASURED] * 4
    kept, computed = (
        min(outcome.metrics["ttft_ms_p50"] for outcome in outcomes if cached(outcome) is asked)
        for asked in (True, False)
    )
    assert kept < computed
    assert "the first 90 % of each user message" in folder.report.read_text(encoding="utf-8")


def cached(outcome):
    """Say whether the outcome's server kept prompts."""
    return outcome.configuration.engine.get("cache_prompt", True) is not False
