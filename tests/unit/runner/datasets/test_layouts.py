r"""Rows as the public data sets have them, in JSON lines and in CSV: question, right answer, evaluator."""

import asyncio
import csv
import io
import json

import pytest

from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.datasets.files import read_file
from llmopt_runner.datasets.prompts import build_messages
from llmopt_runner.quality.base import EvaluatorInvalid, EvaluatorSettings
from llmopt_runner.quality.exact import Exact
from llmopt_runner.quality.judge import Judge
from llmopt_runner.quality.loading import load_evaluator

_GSM8K = {"question": "Tom has 3 apples and buys 2.", "answer": "He has 3+2=<<3+2=5>>5.\n#### 5"}


_SHAREGPT = {
    "id": "x",
    "conversations": [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": "What is a mutex?"},
        {"from": "gpt", "value": "A lock that one thread at a time can hold."},
        {"from": "human", "value": "And a semaphore?"},
        {"from": "gpt", "value": "A counter."},
    ],
}


_TWO = ("up", "down")


# Layout, row, question, answer, choices, default evaluator, an answer that a model may give.
_ROWS = [
    (
        "KMMLU",
        {
            "question": "q",
            "answer": 2,
            "A": "가설",
            "B": "나설",
            "C": "다설",
            "D": "라설",
            "Human Accuracy": 0.5,
        },
        "q",
        "나설",
        ("가설", "나설", "다설", "라설"),
        "choice",
        "정답은 ②입니다.",
    ),
    (
        "MMLU",
        {"question": "q", "subject": "s", "choices": [*_TWO], "answer": 1},
        "q",
        "down",
        _TWO,
        "choice",
        "B",
    ),
    (
        "MMLU by letter",
        {"input": "q", "A": "w", "B": "x", "C": "y", "D": "z", "target": "C"},
        "q",
        "y",
        ("w", "x", "y", "z"),
        "choice",
        "The answer is (C).",
    ),
    (
        "MMLU-Pro",
        {"question_id": 7, "question": "q", "options": list("klmnopqrst"), "answer": "J", "answer_index": 9},
        "q",
        "t",
        tuple("klmnopqrst"),
        "choice",
        "The answer is (J).",
    ),
    (
        "Global-MMLU",
        {"question": "q", "option_a": "w", "option_b": "x", "option_c": "y", "option_d": "z", "answer": "B"},
        "q",
        "x",
        ("w", "x", "y", "z"),
        "choice",
        "B",
    ),
    (
        "ARC",
        {"id": "a", "question": "q", "choices": {"text": [*_TWO], "label": ["A", "B"]}, "answerKey": "B"},
        "q",
        "down",
        _TWO,
        "choice",
        "down",
    ),
    (
        "ARC with numbers",
        {"id": "a", "question": "q", "choices": {"text": [*_TWO], "label": ["1", "2"]}, "answerKey": "1"},
        "q",
        "up",
        _TWO,
        "choice",
        "1",
    ),
    (
        "ARC as its authors publish it",
        {
            "id": "a",
            "question": {
                "stem": "q",
                "choices": [{"text": "up", "label": "A"}, {"text": "down", "label": "B"}],
            },
            "answerKey": "B",
        },
        "q",
        "down",
        _TWO,
        "choice",
        "B",
    ),
    (
        "OpenBookQA",
        {"question_stem": "q", "choices": {"text": [*_TWO], "label": ["A", "B"]}, "answerKey": "A"},
        "q",
        "up",
        _TWO,
        "choice",
        "A",
    ),
    ("GSM8K", _GSM8K, "Tom has 3 apples and buys 2.", "5", (), "numeric", "He has 5 apples."),
    (
        "HRM8K",
        {"question": "q", "original": "o", "answer": 18.0},
        "q",
        "18",
        (),
        "numeric",
        "정답은 18개입니다.",
    ),
    (
        "MATH",
        {"problem": "q", "level": "5", "type": "Algebra", "solution": r"So it is $\boxed{\frac{1}{2}}$."},
        "q",
        r"\frac{1}{2}",
        (),
        "numeric",
        r"\boxed{0.5}",
    ),
    (
        "MATH-500",
        {
            "problem": "q",
            "solution": r"... $\boxed{\text{Evelyn}}$.",
            "answer": r"\text{Evelyn}",
            "unique_id": "u",
        },
        "q",
        r"\text{Evelyn}",
        (),
        "exact",
        r"The answer is $\boxed{\text{Evelyn}}$.",
    ),
    (
        "SQuAD",
        {
            "id": "s",
            "title": "t",
            "context": "In 1066.",
            "question": "When?",
            "answers": {"text": ["1066", "in 1066", "1066"], "answer_start": [3, 0, 3]},
        },
        "In 1066.\n\nWhen?",
        "1066",
        (),
        None,
        "In 1066",
    ),
    (
        "Alpaca",
        {
            "instruction": "Translate.",
            "input": "Hallo",
            "output": "Hello, and good morning to all of you here.",
        },
        "Translate.\n\nHallo",
        "Hello, and good morning to all of you here.",
        (),
        "token_f1",
        "Hello, and good morning to all of you here.",
    ),
    (
        "Alpaca without input",
        {"instruction": "Say hi.", "input": "", "output": "hi"},
        "Say hi.",
        "hi",
        (),
        "exact",
        "Hi!",
    ),
    (
        "Dolly",
        {"instruction": "Say hi.", "context": "Be kind.", "response": "hi", "category": "c"},
        "Say hi.\n\nBe kind.",
        "hi",
        (),
        "exact",
        "hi",
    ),
    (
        "ShareGPT",
        _SHAREGPT,
        "Be brief.\n\nWhat is a mutex?",
        "A lock that one thread at a time can hold.",
        (),
        "token_f1",
        "A lock that one thread at a time can hold.",
    ),
    (
        "chat messages",
        {
            "messages": [
                {"role": "user", "content": "Capital of France?"},
                {"role": "assistant", "content": "Paris"},
            ]
        },
        "Capital of France?",
        "Paris",
        (),
        "exact",
        "**Paris**",
    ),
    (
        "chat messages in parts",
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "1 + 1?"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "2"}]},
            ]
        },
        "1 + 1?",
        "2",
        (),
        "numeric",
        "two",
    ),
    (
        "prompt and completion as messages",
        {
            "prompt": [{"role": "user", "content": "q"}],
            "completion": [{"role": "assistant", "content": "yes"}],
        },
        "q",
        "yes",
        (),
        "exact",
        "Yes.",
    ),
    (
        "MT-Bench with references",
        {"question_id": 1, "category": "math", "turns": ["3 * 4?", "Halve it."], "reference": ["12", "6"]},
        "3 * 4?",
        "12",
        (),
        "numeric",
        "It is 12.",
    ),
    (
        "MT-Bench on the hub",
        {"category": "math", "prompt": ["3 * 4?", "Halve it."], "reference": ["12", "6"], "prompt_id": 1},
        "3 * 4?",
        "12",
        (),
        "numeric",
        "12",
    ),
]


@pytest.mark.parametrize(
    ("row", "later"),
    [
        (_SHAREGPT, [("And a semaphore?", "A counter.", "")]),
        (
            {
                "messages": [
                    {"role": "user", "content": "Hi"},
                    {"role": "user", "content": "6 + 6?"},
                    {"role": "assistant", "content": "Twelve.\n#### 12"},
                    {"role": "user", "content": " "},
                    {"role": "user", "content": "Bye"},
                ]
            },
            [("6 + 6?", "12", "Twelve.\n#### 12"), ("Bye", "", "")],
        ),
        ({"turns": ["3 * 4?", "Halve it."], "reference": ["12", "6"]}, [("Halve it.", "6", "")]),
        (
            {"turns": ["3 * 4?", "Halve it.", "Why?"], "reference": ["12"]},
            [("Halve it.", "", ""), ("Why?", "", "")],
        ),
        ({"questions": ["3 * 4?", "Halve it."], "references": [None, "6"]}, [("Halve it.", "6", "")]),
        (_GSM8K, []),
    ],
    ids=[
        "ShareGPT",
        "chat messages",
        "MT-Bench",
        "MT-Bench with fewer references",
        "LogicKor",
        "no conversation",
    ],
)
def test_later_turns_of_a_conversation_are_kept(tmp_path, row, later):
    """Each thing that the user says is a turn, with the answer that follows it; an empty one is none."""
    (item,) = read_file(_jsonl(tmp_path, row)).items(1, 0)
    assert [(turn.question, turn.answer, turn.solution) for turn in item.later] == later


_CALLED = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}
_RESULT = {"role": "tool", "content": "7", "tool_call_id": "c"}


@pytest.mark.parametrize(
    ("after", "answer"),
    [
        ([_CALLED, _RESULT, {"role": "assistant", "content": "a"}], "a"),
        ([{**_CALLED, "content": ""}, _RESULT, _CALLED, _RESULT, {"role": "assistant", "content": "a"}], "a"),
        ([{**_CALLED, "content": "Let me see."}, _RESULT, {"role": "assistant", "content": "a"}], "a"),
        ([{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}], "a"),
        (
            [
                _CALLED,
                {"role": "function", "name": "f", "content": None},
                {"role": "assistant", "content": "a"},
            ],
            "a",
        ),
        ([_CALLED, _RESULT], ""),
    ],
)
def test_an_answer_after_a_call_of_a_tool_is_the_answer(tmp_path, after, answer):
    """What the assistant says before the tool has answered, if anything, is not yet it."""
    (item,) = read_file(_jsonl(tmp_path, {"messages": [{"role": "user", "content": "q"}, *after]})).items(
        1, 0
    )
    assert (item.question, item.answer) == ("q", answer)


def test_references_that_are_no_texts_are_named(tmp_path):
    """A list of numbers is not guessed at."""
    with pytest.raises(DatasetInvalid, match=r"references is \[5\]: write a list of texts"):
        read_file(_jsonl(tmp_path, {"questions": ["q"], "references": [5]}))


_NESTED = {"ARC as its authors publish it"}


def _jsonl(folder, *rows):
    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "question", "answer", "choices", "evaluator", "given"),
    [case[1:] for case in _ROWS],
    ids=[case[0] for case in _ROWS],
)
def test_a_row_is_read_as_its_data_set_means_it(tmp_path, row, question, answer, choices, evaluator, given):
    """Question, right answer and choices are found, and the evaluator that follows scores a right answer."""
    dataset = read_file(_jsonl(tmp_path, row))
    (item,) = dataset.items(1, 0)
    assert (item.question, item.answer, item.choices) == (question, answer, choices)
    assert evaluator in (None, dataset.evaluator)
    scorer = load_evaluator(None, dataset.evaluator)
    scorer.check([item])
    assert asyncio.run(scorer.score(item, given)) == 1


@pytest.mark.parametrize(
    ("row", "question", "answer", "choices", "evaluator", "given"),
    [case[1:] for case in _ROWS if case[0] not in _NESTED],
    ids=[case[0] for case in _ROWS if case[0] not in _NESTED],
)
def test_the_same_row_in_a_table(tmp_path, row, question, answer, choices, evaluator, given):
    """In CSV, where numbers are texts and lists are JSON in a cell, a row means the same."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(row)
    writer.writerow(json.dumps(cell) if isinstance(cell, list | dict) else cell for cell in row.values())
    path = tmp_path / "items.csv"
    path.write_text(text.getvalue())
    (item,) = read_file(path).items(1, 0)
    assert (item.question, item.answer, item.choices) == (question, answer, choices)


def test_prompts_without_answers_are_for_judges_and_for_speed(tmp_path):
    """MT-Bench without references and bare chat prompts load; only what compares answers refuses them."""
    rows = [{"turns": ["Write a poem."]}, {"messages": [{"role": "user", "content": "Hi"}]}]
    items = read_file(_jsonl(tmp_path, *rows)).items(2, 0)
    with pytest.raises(EvaluatorInvalid, match=r"2 of 2 items, such as .*judge or endpoint"):
        Exact().check(items)
    Judge.from_settings(EvaluatorSettings("judge", {}, "http://127.0.0.1:1", "m")).check(items)


def test_an_example_shows_how_the_answer_is_reached(tmp_path):
    """A few-shot example of GSM8K holds the working, while the expected answer is the number alone."""
    (item,) = read_file(_jsonl(tmp_path, _GSM8K)).items(1, 0)
    messages = build_messages(item, shots=[item])
    assert messages[1]["content"] == _GSM8K["answer"]


def test_a_question_may_come_again_with_other_choices(tmp_path):
    """`Which of these is true?` is asked of many choices: each is an item of its own id."""
    rows = [{"question": "q", "choices": [first, "no"], "answer": 0} for first in ("a", "b", "c")]
    items = read_file(_jsonl(tmp_path, *rows)).items(3, 0)
    assert len({item.id for item in items}) == 3


def test_a_choice_may_stand_there_twice(tmp_path):
    """Rows of MMLU that repeat a choice are kept: a right answer is right at either place."""
    row = {"question": "q", "choices": ["a", "b", "b"], "answer": 2}
    (item,) = read_file(_jsonl(tmp_path, row)).items(1, 0)
    assert asyncio.run(load_evaluator(None, "choice").score(item, "b")) == 1
