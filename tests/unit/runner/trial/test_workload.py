"""The workload that trials share: whether it still asks what earlier trials of the study were asked."""

import json

import pytest

from llmopt_core.resources.load import Conversations, Load, ThinkTime
from llmopt_core.resources.serving import Dataset, Workload
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Claim, Outcome, OutcomeKind, Phase, TrialRecord
from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.engines.openai.engine import OpenAI
from llmopt_runner.quality.base import EvaluatorInvalid
from llmopt_runner.quality.numeric import Numeric
from llmopt_runner.quality.token_f1 import TokenF1
from llmopt_runner.trial.workload import PreparedWorkload


def _file(folder, questions, *, answered=True):
    path = folder / "items.jsonl"
    rows = ({"messages": [{"role": "user", "content": text}]} for text in questions)
    if answered:
        rows = ({"question": text, "answer": "yes"} for text in questions)
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def _workload(path, **more):
    return PreparedWorkload.prepare(Workload(dataset=Dataset(path=str(path), samples=4), **more))


def _measured(workload):
    scores = {item.id: 1.0 for item in workload.split.search}
    outcome = Outcome(OutcomeKind.MEASURED, Configuration.from_flat({}), samples=scores)
    return TrialRecord(0, Phase.SEARCH, "finished", {}, "runner", outcome, None, None)


def test_a_study_is_not_continued_on_other_items(tmp_path):
    """A data set whose questions changed since the study began is refused: scores would not compare."""
    before = _workload(_file(tmp_path, [f"Is {number} even?" for number in range(12)]))
    before.require_same_items([_measured(before)])
    after = _workload(_file(tmp_path, [f"Is {number} odd?" for number in range(12)]))
    with pytest.raises(DatasetInvalid, match=r"4 items that this study was measured on.*start a new study"):
        after.require_same_items([_measured(before)])


def _dialogues(folder, *, answers=True):
    rows = []
    for number in range(12):
        said = [{"role": "user", "content": f"Is {number} even?"}, {"role": "user", "content": "Why?"}]
        answer = {"role": "assistant", "content": "yes" if number % 2 == 0 else "no"}
        rows.append({"messages": [said[0], *([answer] if answers else []), said[1]]})
    path = folder / "dialogues.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def _in_conversations(path, **more):
    return _workload(path, load=Load(concurrency=2, conversations=Conversations(**more)))


def _requests(workload):
    claim = Claim(0, Phase.SEARCH, {})
    return workload.requests(claim, Configuration.from_flat({"prompt.few_shot": 0}), OpenAI())


def test_a_conversation_is_asked_turn_by_turn(tmp_path):
    """Each trial has the same times to think; the recorded answers stand between the turns if asked for."""
    think = ThinkTime(mean="5s", distribution="exponential")
    workload = _in_conversations(_dialogues(tmp_path), think_time=think)
    opening = _requests(workload)[0]
    item = workload.items(Phase.SEARCH)[0]
    assert (opening.item_id, opening.conversation, opening.turn) == (f"{item.id}/turn-1", item.id, 1)
    follow_up = opening.follow_up
    assert follow_up.think_seconds > 0
    assert follow_up.think_seconds == _requests(workload)[0].follow_up.think_seconds
    said = [message["content"] for message in follow_up.after(opening, "Maybe.").messages]
    assert said == [item.question, "Maybe.", "Why?"]
    recorded = _requests(_in_conversations(_dialogues(tmp_path), history="recorded"))[0]
    said = [message["content"] for message in recorded.follow_up.after(recorded, "Maybe.").messages]
    assert said == [item.question, item.answer, "Why?"]


def test_a_conversation_is_one_item_of_the_comparison(tmp_path):
    """The mean of its turns that have a reference: turns of one conversation are not independent."""
    workload = _in_conversations(_dialogues(tmp_path))
    assert [item.id.rpartition("/")[2] for item in workload.asked(Phase.SEARCH)] == ["turn-1", "turn-2"] * 4
    scores = {"a/turn-1": 1.0, "a/turn-2": 0.5, "b/turn-1": 0.0}
    assert workload.item_scores(scores) == {"a": 0.75, "b": 0.0}
    searched, _ = workload.questions()
    assert [question.text for question in searched[:2]] == [workload.split.search[0].question, "Why?"]


def test_what_scores_turns_follows_from_all_of_them(tmp_path):
    """First answers that are numbers say nothing of the later ones."""
    path = tmp_path / "turns.jsonl"
    answers = ["12", "Because adding a number and taking it away again changes nothing at all."]
    rows = ({"turns": [f"12 + {number} - {number}?", "Why?"], "reference": answers} for number in range(12))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert isinstance(_workload(path).evaluator, Numeric)
    assert isinstance(_in_conversations(path).evaluator, TokenF1)


def test_what_is_no_conversation_is_refused(tmp_path):
    """The message says what is missing and what to do: other data, or the server's own answers."""
    with pytest.raises(DatasetInvalid, match=r"load\.conversations: none of 8 items has a second turn"):
        _in_conversations(_file(tmp_path, [f"Is {number} even?" for number in range(12)]))
    bare = _dialogues(tmp_path, answers=False)
    with pytest.raises(DatasetInvalid, match=r"history is 'recorded', but 8 of 8.*write 'generated'"):
        PreparedWorkload.prepare(
            Workload(
                dataset=Dataset(path=str(bare), samples=4),
                load=Load(concurrency=2, conversations=Conversations(history="recorded")),
                output_tokens=4,
            )
        )


def test_prompts_without_answers_are_measured_for_speed(tmp_path):
    """Where every answer has a fixed length nothing is scored, so that no expected answers are needed."""
    path = _file(tmp_path, [f"Tell me about {number}." for number in range(12)], answered=False)
    assert _workload(path, output_tokens=16).scorer is None
    with pytest.raises(EvaluatorInvalid, match="8 of 8 items"):
        _workload(path)


@pytest.mark.parametrize(
    ("answer", "asked", "missing"),
    [
        ("yes", ["accuracy", "good_answers_per_second", "ttft_ms_p95"], None),
        (
            "yes",
            ["ttft_ms_p95", "token_f1"],
            "token_f1, but its answers are scored by Exact, which gives accuracy",
        ),
        (
            "It is a long answer in a whole sentence.",
            ["accuracy"],
            "accuracy, but .* TokenF1, which gives token_f1",
        ),
        ("It is a long answer in a whole sentence.", ["token_f1", "metric_of_a_plugin"], None),
    ],
)
def test_metrics_of_the_scores_must_be_those_of_the_evaluator(tmp_path, answer, asked, missing):
    """Where the evaluator follows from the data, a study that asks for another score is refused at once."""
    path = tmp_path / "items.jsonl"
    path.write_text("".join(f'{{"question": "{n}?", "answer": "{answer}"}}\n' for n in range(12)))
    if missing is None:
        _workload(path).require_metrics(asked)
    else:
        with pytest.raises(EvaluatorInvalid, match=missing):
            _workload(path).require_metrics(asked)
