"""Prompts that begin alike, sent to a server that keeps what it saw."""

from itertools import pairwise, takewhile

from fakes.endpoint_manifests import manifest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind


def test_sixty_percent_of_each_prompt_are_those_of_all_others(folder):
    """The server keeps them, every request has a mark of its own after them, and the measurement is valid."""
    with FakeServer(FakeOptions(ttft_ms=200.0, gap_ms=1.0, keeps="prefixes")) as server:
        document = manifest(server.base_url, trials=1, objectives=("ttft_ms_p95",), samples=8)
        document["spec"]["workload"] |= {"prompt": {"sharedPrefix": "0.6"}, "outputTokens": 2}
        document["kind"] = "LLMBenchmark"
        spec = {name: document["spec"][name] for name in ("model", "engine", "workload")}
        spec |= {"candidates": [{"name": "only"}], "repeats": 2, "objective": {"metric": "ttft_ms_p95"}}
        folder.write({**document, "spec": spec})
        assert folder.run() == RunnerExit.DONE, folder.log()
        asked = [truth.messages[-1]["content"] for truth in server.truth()[-8:]]
    with folder.study() as study:
        outcomes = [trial.outcome for trial in study.trials()]
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.MEASURED] * 2
    for one, other in pairwise(asked):
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
        assert 0.35 <= len(list(alike)) / min(len(one), len(other)) <= 0.65
    assert len({text.partition("[")[2][:8] for text in asked}) == 8
