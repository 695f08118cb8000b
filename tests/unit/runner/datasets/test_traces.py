"""Traces in the public layouts: when requests arrived and how long they were."""

import json
import time

import pytest

from llmopt_runner.datasets.base import DatasetInvalid, Traced
from llmopt_runner.datasets.files import read_file
from llmopt_runner.datasets.synthetic_prompts import synthetic_prompt

BURSTGPT = (
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    "5,ChatGPT,472,18,490,Conversation log\n45.5,ChatGPT,1087,230,1317,Conversation log\n"
)
AZURE = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\n"
    "2023-11-16 18:17:03.9799600,4808,10\n2023-11-16 18:17:04.4798600,3180,8\n"
)
MOONCAKE = (
    {"timestamp": 0, "input_length": 1200, "output_length": 52, "hash_ids": [0, 1, 2]},
    {"timestamp": 2500, "input_length": 1300, "output_length": 26, "hash_ids": [0, 1, 3]},
)
BAILIAN = (
    {"chat_id": 159, "parent_chat_id": -1, "timestamp": 61.114, "input_length": 521, "output_length": 132,
     "type": "text", "turn": 1, "hash_ids": [1089, 1090, 1091]},
    {"chat_id": 160, "parent_chat_id": 159, "timestamp": 62.5, "input_length": 40, "output_length": 9,
     "type": "text", "turn": 2, "hash_ids": [1089, 1090, 1092]},
)  # fmt: skip
# Tables that were written by programs whose numbers are all decimals.
DECIMALS = "timestamp,input_tokens,output_tokens\n0.0,100.0,7.0\n1.5,2e2,8\n"
OWN = (
    {"timestamp": 3.0, "prompt": "Second?", "output_tokens": 4},
    {"timestamp": 1.0, "prompt": "First?", "output_tokens": 5},
)


def written(folder, content):
    path = folder / ("trace.csv" if isinstance(content, str) else "trace.jsonl")
    path.write_text(
        content if isinstance(content, str) else "".join(f"{json.dumps(row)}\n" for row in content)
    )
    return path


@pytest.mark.parametrize(
    ("content", "gap", "first"),
    [
        (BURSTGPT, 40.5, Traced(5.0, 472, 18)),
        (AZURE, 0.4999, None),
        (MOONCAKE, 2.5, Traced(0.0, 1200, 52, ("0", "1", "2"), 512)),
        (BAILIAN, 1.386, Traced(61.114, 521, 132, ("1089", "1090", "1091"), 16)),
        (DECIMALS, 1.5, Traced(0.0, 100, 7)),
        (OWN, 2.0, Traced(1.0, None, 5)),
    ],
)
def test_a_layout_is_known_by_its_columns(tmp_path, content, gap, first):
    """Times become seconds, lengths tokens, and requests stand in the order of their arrival."""
    one, other = read_file(written(tmp_path, content)).items(2, seed=7)
    assert other.traced.arrival_seconds - one.traced.arrival_seconds == pytest.approx(gap, abs=1e-3)
    if first is None:
        assert (one.traced.prompt_tokens, one.traced.output_tokens) == (4808, 10)
    else:
        assert one.traced == first


def test_times_with_and_without_a_zone_are_of_one_clock(tmp_path, monkeypatch):
    """A table that leaves out what is zero of a second keeps its zone: nothing arrives hours later for it."""
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    content = (
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2024-05-10 00:00:00.009930+00:00,2162,5\n2024-05-10 00:00:01+00:00,2399,6\n"
        "2024-05-10 00:00:02,7,6\n2024-05-10 09:00:03.0099301+09:00,7,6\n"
    )
    try:
        items = read_file(written(tmp_path, content)).items(4, seed=0)
    finally:
        monkeypatch.undo()
        time.tzset()
    first = items[0].traced.arrival_seconds
    assert [round(item.traced.arrival_seconds - first, 2) for item in items] == [0, 0.99, 1.99, 3.0]


def test_a_trace_with_prompts_asks_them(tmp_path):
    """Where the text is there, nothing is made up."""
    first, second = read_file(written(tmp_path, OWN)).items(2, seed=0)
    assert (first.question, second.question) == ("First?", "Second?")


def test_a_study_searches_on_what_came_first_and_verifies_on_what_followed(tmp_path):
    """Parts of a trace are never mixed: its bursts stay whole."""
    rows = [{"timestamp": place, "input_tokens": 5, "output_tokens": 2} for place in range(10)]
    split = read_file(written(tmp_path, rows)).split(4, 4, seed=3)
    assert [item.traced.arrival_seconds for item in split.search] == [0, 1, 2, 3]
    assert [item.traced.arrival_seconds for item in split.held_out] == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"timestamp": "soon", "input_tokens": 1, "output_tokens": 1}, "timestamp is 'soon': write a number"),
        ({"timestamp": 1, "input_tokens": -1, "output_tokens": 1}, "input_tokens is -1: write a number"),
        ({"timestamp": 1, "input_tokens": "x", "output_tokens": 1}, "input_tokens is 'x': write a whole"),
        ({"timestamp": 1, "input_tokens": 1.5, "output_tokens": 1}, "input_tokens is 1.5: write a whole"),
        ({"timestamp": 1, "input_tokens": "1e999", "output_tokens": 1}, "input_tokens is '1e999': write a"),
        ({"timestamp": "nan", "input_tokens": 1, "output_tokens": 1}, "timestamp is 'nan': write a number"),
        ({"timestamp": 1, "prompt": "a\ud83d", "output_tokens": 1}, "prompt holds half of a character at 2"),
        ({"timestamp": 1, "prompt": ["x"], "output_tokens": 1}, r"prompt is \['x'\]: write a text"),
        (
            {"timestamp": 1, "input_length": 1, "output_length": 1, "hash_ids": ["\udc00"]},
            "a block's name holds half of a character at 1",
        ),
        ({"question": "no time"}, "no arrival time beside the others"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, row, problem):
    """The error says which line, what it holds and what to write."""
    good = {"timestamp": 0, "input_tokens": 1, "output_tokens": 1}
    with pytest.raises(DatasetInvalid, match=rf"trace.jsonl:2: {problem}"):
        read_file(written(tmp_path, [good, row]))


def test_made_up_prompts_differ_but_for_equal_blocks():
    """Another seed gives other words; equal blocks are equal words; lengths are kept."""
    one, other = (synthetic_prompt(90, seed).split() for seed in ("request-1", "request-2"))
    assert len(one) == len(other) == 90
    assert one[:3] != other[:3]


@pytest.mark.parametrize("size", [16, 512])
def test_equal_blocks_are_equal_words(size):
    """As many as a block of the trace has; what is beyond the blocks is the prompt's own."""
    length = 3 * size + 5
    first, second = (
        synthetic_prompt(length, seed, blocks=blocks, block_tokens=size).split()
        for seed, blocks in (("x", "012"), ("y", "013"))
    )
    assert len(first) == len(second) == length
    assert first[: 2 * size] == second[: 2 * size]
    assert first[2 * size : 3 * size] != second[2 * size : 3 * size]
    assert first[-5:] != second[-5:]


@pytest.mark.parametrize("names", ["[1, 2, 3]", "[1 2 3]"])
def test_blocks_are_read_from_a_table(tmp_path, names):
    """A table has a list as its text."""
    content = f'timestamp,input_length,output_length,hash_ids\n0,40,5,"{names}"\n'
    (item,) = read_file(written(tmp_path, content)).items(1, seed=0)
    assert item.traced.blocks == ("1", "2", "3")
