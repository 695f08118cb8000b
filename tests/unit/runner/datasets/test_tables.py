"""Tables with comma-separated values, semicolons or tabs, as data sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.datasets.files import read_file

_TABLE = "question,answer\n1 + 1?,2\n"


@pytest.mark.parametrize(
    ("name", "text", "answers"),
    [
        ("a.csv", _TABLE, {"2"}),
        ("a.csv", "\ufeff" + _TABLE, {"2"}),
        ("a.CSV", 'question,answer\n"one, two\nthree?","3"\n\n"x ""y""?",4\n', {"3", "4"}),
        ("a.csv", "question;answer\nq;Paris\n", {"Paris"}),
        ("a.tsv", "question\tanswer\nq, r?\tParis\n", {"Paris"}),
        ("a.csv", "Question,Answer\nq,Paris\n", {"Paris"}),
        ("mmlu.csv", "What is 2?,one,two,three,four,B\nWhat is 3?,one,two,three,four,C\n", {"two", "three"}),
        ("a.csv", "question,choices,answer\nq,\"['x', 'y']\",1\n", {"y"}),
    ],
)
def test_tables(tmp_path, name, text, answers):
    """CSV with quotes, line ends in cells, semicolons or tabs, and MMLU's files without a header are read."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    dataset = read_file(path)
    assert {item.answer for item in dataset.items(dataset.size, 0)} == answers


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("question,answer\n", "holds no items"),
        ("", "holds no items"),
        ("question,answer\nq,a,b\n", "csv:2: 3 cells, but the first line names 2 columns"),
        ("question,question\nq,a\n", "csv:1: the column 'question' is there twice"),
        ("question,answer\nq,\n", "csv:2: no answer: it has 'question'"),
        ('question,answer\n"q,a\n', "csv:2: not a table"),
        ("text\nhello\n", "csv:2: no question"),
        (
            'question,choices,answer\nq,"{{1, 2}, {3}}",1\n',
            r"csv:2: choices is '\{\{1, 2\}, \{3\}\}': write a",
        ),
    ],
)
def test_a_table_that_is_none_says_why(tmp_path, text, reason):
    """A table without rows, or with rows that do not fit its header, is one error with its line."""
    path = tmp_path / "items.csv"
    path.write_text(text)
    with pytest.raises(DatasetInvalid, match=reason):
        read_file(path)


def test_parquet_is_sent_to_the_hub_library(tmp_path):
    """A Parquet file is an error that says where its folder can be named."""
    with pytest.raises(DatasetInvalid, match=r"Parquet is read through workload\.dataset\.hf"):
        read_file(tmp_path / "items.parquet")


@given(
    header=st.sampled_from(["question,answer", "choices,question,answer", "answers,question"]),
    content=st.text(st.sampled_from('qa,;\t"\n\r[]{}12 answer'), max_size=60),
)
def test_any_table_gives_items_or_one_error(tmp_path_factory, header, content):
    """Whatever a table holds, the result is a data set or a DatasetInvalid that names the file."""
    path = tmp_path_factory.mktemp("tables") / "items.csv"
    path.write_text(f"{header}\n{content}", newline="")
    try:
        found = read_file(path).size > 0
    except DatasetInvalid as error:
        found = str(path) in str(error)
    assert found


def test_a_table_without_a_header_says_what_its_first_line_is(tmp_path):
    """Its first item was taken for the names of columns, and the fault says so."""
    path = tmp_path / "a.csv"
    path.write_text("What is 1+1?,2\nWhat is 2+2?,4\n", encoding="utf-8")
    with pytest.raises(DatasetInvalid, match=r"a\.csv:2: no question.*the first line of the file names"):
        read_file(path)


@pytest.mark.parametrize("text", ["", "question,answer\n"])
def test_an_empty_table_is_asked_for_lines_of_a_table(tmp_path, text):
    """Not for JSON."""
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetInvalid, match=r"a\.csv holds no items: write a first line that names"):
        read_file(path)
