"""The workload that trials share: whether it still asks what earlier trials of the study were asked."""

import json

import pytest

from llmopt_core.resources.serving import Dataset, Workload
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Outcome, OutcomeKind, Phase, TrialRecord
from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.quality.base import EvaluatorInvalid
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
