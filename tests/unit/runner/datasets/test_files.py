import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.resources.serving import ConfigMapKey, Dataset
from llmopt_runner.datasets.base import DatasetInvalid
from llmopt_runner.datasets.files import read_file
from llmopt_runner.datasets.loading import load_dataset

_GOOD = '{"question": "1 + 1", "answer": "2"}\n'


def _file(folder, content):
    path = folder / "items.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_usual_names_are_read(tmp_path):
    """Question, prompt and input; answer, output and target; numbers, ids, kinds, choices: all are read."""
    path = _file(
        tmp_path,
        '\ufeff{"question": "a?", "answer": "x"}\n\n'
        '{"prompt": "b?", "output": 3, "id": 7, "kind": "sum"}\r\n'
        '{"input": "c?", "target": 1, "choices": ["y", "z"]}',
    )
    found = {item.question: item for item in read_file(path).items(3, 0)}
    assert (found["a?"].answer, found["a?"].kind) == ("x", "item")
    assert (found["b?"].id, found["b?"].answer, found["b?"].kind) == ("7", "3", "sum")
    assert (found["c?"].answer, found["c?"].choices) == ("z", ("y", "z"))


@pytest.mark.parametrize(
    ("answers", "evaluator"),
    [
        (["2"], "numeric"),
        (["1,234", "-0.5", "3/4", "20%", "$5"], "numeric"),
        ([r"\\frac{1}{2}", "2"], "numeric"),
        (["2", "two"], "exact"),
        (["Paris", "New York"], "exact"),
        (["It is the capital of France since the tenth century."], "token_f1"),
    ],
)
def test_evaluator_follows_from_the_answers(tmp_path, answers, evaluator):
    """Numbers are compared as numbers, sentences by their words, all other texts as they stand."""
    lines = (f'{{"question": "{number}?", "answer": "{text}"}}\n' for number, text in enumerate(answers))
    assert read_file(_file(tmp_path, "".join(lines))).evaluator == evaluator


def test_items_with_choices_are_scored_as_choices(tmp_path):
    """A file with choices is scored by choice unless the manifest says otherwise."""
    choices = _file(tmp_path, '{"question": "c?", "answer": "z", "choices": ["y", "z"]}')
    assert read_file(choices).evaluator == "choice"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json", "not JSON at column 1"),
        ('{"question": "x"', "not JSON at column"),
        ("[1, 2]", "a list, not an object"),
        ("3", "a int, not an object"),
        ('{"answer": "2"}', "no question: it has 'answer'; write one of question, prompt, input"),
        ('{"question": "x?"}', "no answer: it has 'question'; write one of answer, output, target"),
        ('{"question": "", "answer": "2"}', "question is empty"),
        ('{"question": "x?", "answer": " "}', "answer is empty"),
        ('{"question": ["x"], "answer": "2"}', r"question is \['x'\]: write a text or a number"),
        ('{"question": true, "answer": "2"}', "question is True"),
        ('{"question": "x?", "answer": null}', "no answer"),
        ('{"question": "x?", "answer": 5, "choices": ["a", "b"]}', "answer is 5: write the text of a choice"),
        ('{"question": "x?", "answer": "a", "choices": ["a"]}', "write a list of two or more texts"),
        ('{"question": "x?", "answer": "a", "choices": "ab"}', "write a list of two or more texts"),
        ('{"question": "x?", "answer": "a", "choices": ["a", "a"]}', "each choice may stand there once"),
        (_GOOD.strip(), "the question of line 1 again"),
        ("[" * 100_000, "not usable JSON"),
        ('{"question": ' + "9" * 5000 + ', "answer": "1"}', "not usable JSON"),
        (r'{"question": "a\ud83d", "answer": "2"}', "question holds half of a character at 2"),
        (r'{"question": "a", "answer": "\udc00"}', "answer holds half of a character"),
        (r'{"question": "a\u0000", "answer": "2"}', r"question holds the character U\+0000"),
        (
            r'{"question": "a", "answer": "b", "choices": ["b", "\ud83d"]}',
            "choices holds half of a character",
        ),
        (r'{"question": "a", "answer": "b", "id": "\ud83d"}', "id holds half of a character"),
        ('{"question": "a", "answer": NaN}', "answer is nan: write a text or a number"),
        ('{"question": "a", "answer": Infinity}', "answer is inf"),
        ('{"question": "a", "answer": "b", "id": ["x"]}', r"id is \['x'\]: write a text or a number"),
        ('{"question": "a", "answer": "b", "kind": {"x": 1}}', "kind is {'x': 1}"),
        (b'{"question": "\xff", "answer": "2"}', "byte 15 of the line is not UTF-8"),
        (b'{"question": "' + b"x" * (1 << 20) + b'", "answer": "2"}', "longer than 1,048,576 bytes"),
    ],
)
def test_bad_line_is_named(tmp_path, line, reason):
    """A line that is no item stops the reading with the file, the line's number and what is wrong."""
    raw = line if isinstance(line, bytes) else line.encode()
    path = _file(tmp_path, _GOOD.encode() + raw + b"\n")
    with pytest.raises(DatasetInvalid, match=f"items.jsonl:2: .*{reason}"):
        read_file(path)


def test_same_id_twice(tmp_path):
    """Two items with one id are refused at the second one."""
    path = _file(
        tmp_path, '{"id": 1, "question": "a", "answer": "b"}\n{"id": "1", "question": "c", "answer": "d"}'
    )
    with pytest.raises(DatasetInvalid, match=r"items.jsonl:2: the id '1' is there already"):
        read_file(path)


@pytest.mark.parametrize("content", ["", "\n\n  \n"])
def test_empty_file(tmp_path, content):
    """A file without items says so and shows what a line looks like."""
    with pytest.raises(DatasetInvalid, match=r"holds no items: write one JSON object a line, such as \{"):
        read_file(_file(tmp_path, content))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf16_is_recognised(tmp_path, encoding):
    """A file saved as UTF-16 is one error at line 1 that names UTF-8."""
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    with pytest.raises(DatasetInvalid, match=r"items.jsonl:1: the file is UTF-16: save it as UTF-8"):
        read_file(_file(tmp_path, mark + _GOOD.encode(encoding)))


@given(content=st.binary(max_size=300))
def test_any_bytes_give_items_or_one_error(tmp_path_factory, content):
    """Whatever the file holds, the result is a data set or a DatasetInvalid."""
    path = _file(tmp_path_factory.mktemp("bytes"), content)
    try:
        found = read_file(path).size > 0
    except DatasetInvalid as error:
        found = str(path) in str(error)
    assert found


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "a"]), inner),
    max_leaves=6,
)
COLUMNS = st.sampled_from(["question", "prompt", "answer", "output", "choices", "id", "kind"])


@given(row=st.dictionaries(COLUMNS, VALUES))
def test_any_row_is_an_item_that_can_be_stored_or_one_error(tmp_path_factory, row):
    """Values of any type in the columns give texts that can be sent and stored, or a DatasetInvalid."""
    path = _file(tmp_path_factory.mktemp("rows"), json.dumps(row))
    try:
        (item,) = read_file(path).items(1, 0)
    except DatasetInvalid as error:
        str(error).encode()
    else:
        "".join((item.id, item.question, item.answer, item.kind, *item.choices)).encode()


def test_missing_file_and_folder(tmp_path):
    """A path that cannot be read is an error with the path and the reason."""
    with pytest.raises(DatasetInvalid, match=r"none\.jsonl: there is no such file"):
        load_dataset(Dataset(path=str(tmp_path / "none.jsonl")))
    with pytest.raises(DatasetInvalid, match="it is a folder: name a file in it"):
        load_dataset(Dataset(path=str(tmp_path)))


def test_too_few_items_for_the_split(tmp_path):
    """A file too short for search and held-out items says how many are missing."""
    lines = "".join(json.dumps({"question": f"q{n}", "answer": "a"}) + "\n" for n in range(10))
    with pytest.raises(DatasetInvalid, match=r"items\.jsonl has 10 items.*add 6 items"):
        load_dataset(Dataset(path=str(_file(tmp_path, lines)))).split(8, 8, 0)


def test_config_map_is_a_mounted_file(tmp_path):
    """A ConfigMap's key is read where it is mounted; one that is not mounted is an error with the place."""
    reference = ConfigMapKey(name="questions", key="items.jsonl")
    spec = Dataset(config_map_key_ref=reference)
    with pytest.raises(DatasetInvalid, match=r"'questions' with the key 'items\.jsonl' is not mounted"):
        load_dataset(spec, config_maps=tmp_path)
    (tmp_path / "questions").mkdir()
    _file(tmp_path / "questions", _GOOD)
    assert load_dataset(spec, config_maps=tmp_path).size == 1
