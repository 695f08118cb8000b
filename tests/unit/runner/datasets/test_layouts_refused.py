"""Rows that are no item, of any layout: each is one error that says what it lacks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.datasets.files import read_file


def _jsonl(folder, *rows):
    path = folder / "items.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"question": "q", "A": "x", "B": "y", "answer": 0},
            "answer is 0: write the text .*place from 1 to 2",
        ),
        ({"question": "q", "A": "x", "B": "y", "answer": 3}, "answer is 3: .*from 1 to 2"),
        ({"question": "q", "choices": ["x", "y"], "answer": 2}, "answer is 2: .*from 0 to 1"),
        ({"question": "q", "options": ["x", "y"], "answer": "C"}, "answer is 'C'"),
        ({"question": "q", "A": "x", "B": "y"}, "no answer: it has 'question', 'A', 'B'"),
        ({"problem": "q", "solution": "It is 5."}, r"solution has no .boxed\{\} answer"),
        ({"problem": "q"}, "no answer: it has 'problem'"),
        (
            {"context": "c", "question": "q", "answers": {"text": []}},
            "answers is empty: the context does not",
        ),
        ({"context": "c", "question": "q", "answers": 5}, "answers is 5: write a list of texts"),
        (
            {"instruction": "do", "input": "x"},
            "no answer: it has 'instruction', 'input'; write one of output",
        ),
        ({"conversations": [{"from": "gpt", "value": "hi"}]}, "conversations has no turn of a user"),
        ({"messages": "hi"}, "messages has no turn of a user"),
        (
            {"messages": [{"role": "user", "content": 5}]},
            "messages holds .*write turns with role and content",
        ),
        ({"messages": ["hi"]}, "messages holds 'hi'"),
        ({"messages": [{"role": "user", "content": " "}]}, "the first turn of the user is empty"),
        ({"turns": []}, "turns is empty"),
        ({"turns": "hi"}, "turns is 'hi': write a list of texts"),
    ],
)
def test_a_row_that_lacks_something_says_what(tmp_path, row, reason):
    """A row of a known layout without what the layout needs is refused with what is missing."""
    with pytest.raises(DatasetInvalid, match=f"items.jsonl:1: .*{reason}"):
        read_file(_jsonl(tmp_path, row))


_NAMES = (
    "question", "prompt", "answer", "answer_index", "answerKey", "choices", "options", "A", "B", "C",
    "context", "answers", "instruction", "input", "output", "problem", "solution", "messages",
    "conversations", "turns", "reference", "completion",
)  # fmt: skip


_KEYS = st.sampled_from(["text", "label", "role", "from", "content", "value", "stem", "choices"])


_WORDS = st.sampled_from(
    ["user", "human", "assistant", "gpt", "A", "1", "\\boxed{2}", "#### 3", "", "x", "\ud83d", "\0"]
)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(row=st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=6))
def test_any_row_of_any_layout_is_an_item_or_one_error(tmp_path_factory, row):
    """Values of any type in the columns of any layout give texts that can be stored, or a DatasetInvalid."""
    path = _jsonl(tmp_path_factory.mktemp("rows"), row)
    try:
        (item,) = read_file(path).items(1, 0)
    except DatasetInvalid as error:
        str(error).encode()
    else:
        texts = (item.question, item.answer, item.solution, *item.choices, *item.alternatives)
        assert item.question.strip()
        "".join(texts).encode()
