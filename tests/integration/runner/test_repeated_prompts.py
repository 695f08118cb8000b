"""A server that keeps prompts or answers and does not say so: the baseline is measured like all others."""

from dataclasses import replace

import pytest
from fakes.endpoint_manifests import manifest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind
from llmopt_runner.datasets.arithmetic import arithmetic

ANSWERS = {item.question: item.answer for item in arithmetic().items(200, 0)}
OPTIONS = FakeOptions(ttft_ms=150.0, gap_ms=2.0, tokens=3, answers=ANSWERS)


@pytest.mark.parametrize("keeps", ["responses", "prefixes"])
def test_a_cache_that_is_not_reported_is_found_and_avoided(folder, keeps):
    """No prompt is sent twice, trials that ask the same items take equally long, and each says why."""
    with FakeServer(replace(OPTIONS, keeps=keeps)) as server:
        document = manifest(server.base_url, trials=3, samples=8, concurrency=8)
        document["spec"]["search"]["enqueue"] = [
            {"sampling.temperature": "0"},
            {"sampling.temperature": "0.5"},
        ]
        folder.write(document)
        assert folder.run() == RunnerExit.DONE, folder.log()
        marked = [truth.question for truth in server.truth() if truth.question.startswith("[")]
    with folder.study() as study:
        outcomes = [trial.outcome for trial in study.trials()]
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MEASURED] * 3
    assert all(
        any("times as fast and reports no cached tokens" in text for text in outcome.warnings)
        for outcome in outcomes
    )
    repeated, measured = marked[: 2 * 4], marked[2 * 4 :]
    assert len(set(repeated)) == 4
    assert len(set(measured)) == len(measured) == 3 * 8
    if keeps == "responses":  # of a prefix cache the instruction before the questions is a fair part
        times = [outcome.metrics["e2e_ms_p50"] for outcome in outcomes]
        assert min(times) > 100.0
        assert max(times) < 3 * min(times)


def test_a_server_without_a_cache_is_asked_as_the_manifest_says(folder):
    """Without a cache nothing is added to a prompt, and nothing is said."""
    with FakeServer(OPTIONS) as server:
        folder.write(manifest(server.base_url, trials=1, samples=4))
        assert folder.run() == RunnerExit.DONE, folder.log()
        asked = [truth.question for truth in server.truth()][-4:]
    assert not any(text.startswith("[") for text in asked)
    with folder.study() as study:
        assert not any("as fast" in text for text in study.trials()[0].outcome.warnings)
