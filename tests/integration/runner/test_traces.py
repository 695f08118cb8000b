"""A trace replayed against a server: its times, its lengths, and no scores."""

import json

import pytest
from fakes.endpoint_manifests import manifest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind

GAPS = (0.0, 0.2, 0.05, 0.05, 0.4, 0.1, 0.1, 0.2)


def trace(folder):
    path, at, lines = folder.path / "trace.jsonl", 0.0, []
    for place in range(16):
        at += GAPS[place % len(GAPS)]
        lines.append(
            json.dumps({"timestamp": at, "input_tokens": 30 + place, "output_tokens": 3 + place % 4})
        )
    path.write_text("\n".join(lines))
    return path


def test_requests_arrive_when_the_trace_says_and_have_its_lengths(folder):
    """At twice the speed: gaps are halved, each answer has its own length, nothing is scored."""
    with FakeServer(FakeOptions(ttft_ms=5.0, gap_ms=1.0)) as server:
        spec = manifest(server.base_url)["spec"]
        workload = {
            "dataset": {"path": str(trace(folder)), "samples": 8},
            "prompt": {"sharedPrefix": "0.5"},
            "load": {"trace": {"timeScale": "0.5"}, "warmupRequests": 0},
        }
        asked = {"candidates": [{"name": "only"}], "repeats": 2, "objective": {"metric": "ttft_ms_p95"}}
        shared = {"model": spec["model"], "engine": spec["engine"], "workload": workload}
        folder.write({**manifest(server.base_url), "kind": "LLMBenchmark", "spec": {**shared, **asked}})
        assert folder.run() == RunnerExit.DONE, folder.log()
        truths = server.truth()[-8:]  # of the second repeat, which like the first asks what is held out
    arrived = [truth.received_at - truths[0].received_at for truth in truths]
    assert arrived == pytest.approx([sum(GAPS[1 : place + 1]) / 2 for place in range(8)], abs=0.1)
    assert [truth.output_tokens for truth in truths] == [3, 4, 5, 6, 3, 4, 5, 6]
    assert [len(truth.question.split()) for truth in truths] == [38 + place for place in range(8)]
    assert truths[0].question.split()[:19] == truths[1].question.split()[:19]
    with folder.study() as study:
        outcomes = [trial.outcome for trial in study.trials()]
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MEASURED] * 2
    assert outcomes[0].samples == {}


def test_a_data_set_without_times_is_no_trace(folder):
    """The study ends before a server is asked, and says which columns a trace has."""
    document = manifest("http://127.0.0.1:9", objectives=("ttft_ms_p95",), trials=1)
    document["kind"] = "LLMBenchmark"
    spec = {name: document["spec"][name] for name in ("model", "engine", "workload")}
    spec["workload"]["load"] = {"trace": {}}
    spec |= {"candidates": [{"name": "only"}], "repeats": 2, "objective": {"metric": "ttft_ms_p95"}}
    folder.write({**document, "spec": spec})
    assert folder.run() != RunnerExit.DONE
    with folder.study() as study:
        assert "the data set has no arrival times" in study.ended.message
