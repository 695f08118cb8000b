"""The library `datasets` is large and optional: here a fake module stands for it, and says so."""

import importlib.machinery
import itertools
import re
import sys
import types

import pytest

from llmopt_core.installation import install_command
from llmopt_core.resources.serving import Dataset
from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.datasets.hub import HubReference
from llmopt_runner.datasets.loading import load_dataset
from llmopt_runner.datasets.rows import Columns


@pytest.fixture
def hub(monkeypatch):
    """Return the arguments the fake library was called with; `rows` and `failure` decide what it does."""
    fake = types.ModuleType("datasets", "fake of the Hugging Face library")
    fake.__spec__ = importlib.machinery.ModuleSpec("datasets", loader=None)
    state = types.SimpleNamespace(calls=[], rows=[], failure=None)

    def load(path, name=None, *, split=None, revision=None):
        state.calls.append((path, name, split, revision))
        if state.failure:
            raise state.failure
        return state.rows

    fake.load_dataset = load
    monkeypatch.setitem(sys.modules, "datasets", fake)
    return state


def test_reference_says_what_to_load_and_how(hub):
    """Configuration, revision, split and columns all reach the library or the reading of rows."""
    hub.rows = [
        {"q": "1 + 1?", "label": 1, "options": ["1", "2"]},
        {"q": "2?", "label": 0, "options": ["2", "3"]},
    ]
    text = "owner/name?config=main&revision=v2&question=q&answer=label&choices=options"
    dataset = load_dataset(Dataset(hf=text, split="train"))
    assert hub.calls == [("owner/name", "main", "train", "v2")]
    assert {item.question: item.answer for item in dataset.items(2, 0)} == {"1 + 1?": "2", "2?": "2"}
    assert dataset.evaluator == "choice"


def test_repeated_questions_are_dropped(hub):
    """A question that the hub holds twice is one item, so that it cannot be on both sides of a split."""
    hub.rows = [{"question": "a?", "answer": "1"}, {"question": "a?", "answer": "1"}]
    assert load_dataset(Dataset(hf="owner/name")).size == 1
    assert hub.calls[0][2] == "test"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "holds no items"),
        ([{"text": "a"}], "row 0: no question: it has 'text'.*name the columns like .question=COLUMN"),
        (
            [{"question": "a", "answer": "b", "id": 1}, {"question": "c", "answer": "d", "id": 1}],
            "one id to several",
        ),
    ],
)
def test_rows_that_are_no_items(hub, rows, reason):
    """Rows without the columns, or without distinct ids, are an error that says how to name them."""
    hub.rows = rows
    with pytest.raises(DatasetInvalid, match=rf"owner/name \(test\).*{reason}"):
        load_dataset(Dataset(hf="owner/name"))


def test_what_the_library_raises_becomes_one_error(hub):
    """Any failure of the library is one error with the name, the split and its first line."""
    hub.failure = FileNotFoundError("Couldn't find it\nlong trace")
    with pytest.raises(
        DatasetInvalid, match=r"'owner/name', split 'test', cannot be loaded \(FileNotFoundError: Could"
    ):
        load_dataset(Dataset(hf="owner/name"))


def test_rows_that_cannot_be_read_are_one_error(hub):
    """The library may fail row by row: a damaged file is found when it is read."""

    def rows():
        yield {"question": "1 + 1", "answer": "2"}
        raise ZeroDivisionError("page 7 is damaged")

    hub.rows = rows()
    with pytest.raises(DatasetInvalid, match=r"cannot be loaded \(ZeroDivisionError: page 7 is damaged\)"):
        load_dataset(Dataset(hf="owner/name"))


def test_an_endless_data_set_is_refused(hub):
    """A part of it is asked for, and no more than the limit is ever read."""
    hub.rows = ({"question": str(number), "answer": "2"} for number in itertools.count())
    with pytest.raises(DatasetInvalid, match=r"more than 200,000 rows: take a part"):
        load_dataset(Dataset(hf="owner/name"))


def test_a_row_that_is_none_is_named(hub):
    """What is no row of columns is an error with its number."""
    hub.rows = [["a"]]
    with pytest.raises(DatasetInvalid, match="row 0: it is a list, not a row of columns"):
        load_dataset(Dataset(hf="owner/name"))


def test_without_the_library_the_extra_is_named(monkeypatch):
    """A runner without the library says which extra to install."""
    monkeypatch.setattr("llmopt_runner.datasets.hub.find_spec", lambda _: None)
    with pytest.raises(DatasetInvalid, match=re.escape(install_command("hf"))):
        load_dataset(Dataset(hf="owner/name"))


@pytest.mark.parametrize("query", ["colour=red", "question=", "config"])
def test_unknown_options_are_refused(query):
    """What may stand behind the question mark is a closed list, each with a value."""
    with pytest.raises(DatasetInvalid, match="behind the question mark may stand config, revision, question"):
        HubReference.parse(f"owner/name?{query}")


def test_plain_reference():
    """A name alone uses the usual column names."""
    assert HubReference.parse("owner/name") == HubReference("owner/name", None, None, Columns())
