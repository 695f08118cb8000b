"""Conversations against a server that wrote down what it was asked, and when."""

import json
from itertools import pairwise

import pytest
from fakes.endpoint_manifests import manifest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind

USERS, TURNS, THINK = 2, 3, 0.2


def _data(folder):
    """Write nine conversations of which the last turns have no reference; return the file."""
    path = folder.path / "talks.jsonl"
    with path.open("w") as file:
        for number in range(9):
            said = [f"begin {number}", f"go on {number}", f"end {number}"]
            turns = [{"from": "human", "value": text} for text in said]
            answers = [{"from": "gpt", "value": "recorded"}] * 2
            between = [turns[0], answers[0], turns[1], answers[1], turns[2]]
            file.write(json.dumps({"id": f"talk-{number}", "conversations": between}) + "\n")
    return path


def _run(folder, url, load, **workload):
    document = manifest(url, trials=1, objectives=("e2e_ms_p95",))
    conversations = {"thinkTime": {"mean": f"{THINK * 1000:.0f}ms"}, **load.pop("conversations", {})}
    document["spec"]["workload"] |= {
        "dataset": {"path": str(_data(folder)), "samples": 4},
        "load": {"warmupRequests": 0, "conversations": conversations, **load},
        "evaluator": {"name": "exact"},
        **workload,
    }
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        (trial,) = study.trials()
        return trial.outcome, study.answers.of(trial.number)


def _talks(truths):
    """Return what the server was asked in each conversation, in order, by how the conversation begins."""
    talks = {}
    for truth in sorted(truths, key=lambda truth: truth.received_at):
        talks.setdefault(truth.messages[0]["content"], []).append(truth)
    return {name: talk for name, talk in talks.items() if len(talk) == TURNS}


@pytest.mark.parametrize(
    ("history", "middle"), [("generated", ["right"] * 2), ("recorded", ["recorded"] * 2)]
)
def test_users_talk_and_are_measured_turn_by_turn(folder, history, middle):
    """Turns hold what was said, think times are kept and no part of a latency, references are scored."""
    answers = {"begin": "right", "go on": "right", "end": "right"}
    with FakeServer(FakeOptions(ttft_ms=5.0, gap_ms=1.0, answers=answers)) as server:
        load = {"concurrency": USERS, "conversations": {"history": history}}
        outcome, kept = _run(folder, server.base_url, load)
        talks = _talks(server.truth())
    assert outcome.kind is OutcomeKind.MEASURED
    assert outcome.metrics["e2e_ms_p95"] < THINK * 1000
    assert outcome.samples.keys() == {f"talk-{name.rpartition(' ')[2]}" for name in talks}
    assert len(talks) == 4
    for talk in talks.values():
        texts = [message["content"].strip() for message in talk[-1].messages]
        assert [text.partition(" ")[0] for text in texts[::2]] == ["begin", "go", "end"]
        assert texts[1::2] == middle
        gaps = [later.received_at - earlier.ended_at for earlier, later in pairwise(talk)]
        assert all(THINK <= gap < 2 * THINK for gap in gaps)
    assert set(outcome.samples.values()) == {0.0}
    assert len(kept) == 4 * TURNS
    scored = [answer.item for answer in kept if answer.score is not None]
    assert {item.rpartition("/")[2] for item in scored} == {"turn-1", "turn-2"}


def test_conversations_arrive_at_a_rate(folder):
    """They begin when they are due, whatever was answered; a second turn waits for its answer alone."""
    with FakeServer(FakeOptions(ttft_ms=5.0, gap_ms=1.0)) as server:
        outcome, _ = _run(folder, server.base_url, {"rate": "10", "arrivals": "constant"}, outputTokens=3)
        talks = _talks(server.truth())
    assert outcome.kind is OutcomeKind.MEASURED
    begins = sorted(talk[0].received_at for talk in talks.values())
    assert [at - begins[0] for at in begins] == pytest.approx([0.0, 0.1, 0.2, 0.3], abs=0.1)
    assert all(truth.output_tokens == 3 for talk in talks.values() for truth in talk)


def test_data_without_conversations_end_the_study(folder):
    """No server is asked; the message names the field and what to do."""
    document = manifest("http://127.0.0.1:9", trials=1)
    document["spec"]["workload"]["load"] = {"concurrency": 2, "conversations": {}}
    folder.write(document)
    assert folder.run() != RunnerExit.DONE
    with folder.study() as study:
        assert "workload.load.conversations: none of 48 items has a second turn" in study.ended.message
