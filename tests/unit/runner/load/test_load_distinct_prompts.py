"""Prompts that differ from all earlier ones, and share what they shared."""

from dataclasses import replace

from llmopt_runner.load.distinct_prompts import distinct
from llmopt_runner.load.requests import ChatRequest

BEFORE = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "1 + 1"})
REQUEST = ChatRequest("a", (*BEFORE, {"role": "user", "content": "2 + 2"}), 8, {"temperature": 0})


def test_a_shared_prefix_stays_shared():
    """The mark stands after it: a server may keep what all prompts begin with."""
    last = {"role": "user", "content": "words of all\n\n2 + 2"}
    (marked,) = distinct([replace(REQUEST, messages=(*BEFORE, last), shared_characters=12)])
    text = marked.messages[-1]["content"]
    assert text.startswith("words of all\n\n[")
    assert text.endswith("] 2 + 2")


def test_only_the_last_message_is_made_distinct():
    """System text and examples stay shared; the question itself is whole, after its mark."""
    one, other = distinct([REQUEST, REQUEST])
    assert one.messages[:-1] == other.messages[:-1] == BEFORE
    assert one.messages[-1]["content"] != other.messages[-1]["content"]
    assert one.messages[-1]["content"].endswith(" 2 + 2")
    assert (one.item_id, one.max_tokens, one.fields) == ("a", 8, {"temperature": 0})
