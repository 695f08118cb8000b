"""What of a text is the answer, and what its reasoning."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.load.reasoning import Separated, separate


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("<think>\nhm\n</think>\n\n7", "7", "\nhm\n"),
        ("<think>\n\n</think>\n\n7", "7", "\n\n"),
        ("  <thinking>hm</thinking>7", "7", "hm"),
        ("<Thought>hm</Thought>7", "7", "hm"),
        ("<reasoning>hm</reasoning>7", "7", "hm"),
        ("<seed:think>hm</seed:think>7", "7", "hm"),
        ("[THINK]hm[/THINK]7", "7", "hm"),
        ("◁think▷hm◁/think▷7", "7", "hm"),
        ("<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>7<|END_RESPONSE|>", "7", "hm"),
        (
            "<|begin_of_thought|>hm<|end_of_thought|>\n<|begin_of_solution|>7<|end_of_solution|>",
            "7",
            "hm",
        ),
        ("<|channel>thought\nhm<channel|>7", "7", "\nhm"),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>7<|return|>",
            "7",
            "hm",
        ),
        ("<|channel|>analysis<|message|>hm", "", "hm"),
        ("<|channel|>ana", "", "<|channel|>ana"),
        ("analysisWe add.assistantfinal7", "7", "We add."),
        ("hm</think>\n7", "7", "hm"),
        ("<longcat_think>hm</longcat_think>7", "7", "hm"),
        ("<|inner_prefix|>hm<|inner_suffix|>7", "7", "hm"),
        ("<think>hm</think>\n<answer>\n7\n</answer>", "7", "hm"),
        ("<think>hm</think>\n\n<response>\n7\n</response>\n", "7", "hm"),
        ("<think>hm</think><answer>7</answer> or 8", "<answer>7</answer> or 8", "hm"),
        ("<unused94>thought\nhm<unused95>7", "7", "\nhm"),
        ("<|think|>hm<|end|><|begin|>assistant<|content|>7", "7", "hm"),
        ("<|think|>hm<|end|>\n<|content|>7", "7", "hm"),
        (
            "Here are my reasoning steps:\nhm\n[BEGIN FINAL RESPONSE]\n7\n[END FINAL RESPONSE]",
            "7",
            "Here are my reasoning steps:\nhm\n",
        ),
        ("hm\n[BEGIN FINAL RESPONSE] 7", "7", "hm\n"),
        ("Here is my thought process: hm. Here is my response: 7", "7", " hm. "),
        ("hm</think>", "", "hm"),
        ("<think>hm", "", "hm"),
        ("<think>hm</thi", "", "hm</thi"),
        ("<think>a</think>6<think>b</think>7", "67", "ab"),
        ("<think>write <think> first</think>7", "7", "write <think> first"),
        ("<thinking>a </think> b</thinking>7", "7", "a  b"),
        ("<think>a</think>7</think>", "7", "a"),
        ("6\n<think>or", "6", "or"),
    ],
)
def test_reasoning_is_separated(text, answer, reasoning):
    """The marks of models in the field, closed or cut off, opened or not, leave the answer alone."""
    assert separate(text) == Separated(answer, reasoning)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 7 ",
        "a < b > c",
        "use the <think> mark",
        "I think 7",
        "<b>7</b>",
        "analysis of 7",
        "<thinker>7",
        "<answer>7</answer>",
        "Here is 7",
        "write [BEGIN FINAL RESPONSE] before 7",
    ],
)
def test_a_text_without_reasoning_stays_as_it_is(text):
    """Nothing is cut from an answer that only looks like it, not even a space."""
    assert separate(text) == Separated(text, "")


@given(thoughts=st.text(st.characters(exclude_characters="<[◁"), max_size=20), answer=st.text(max_size=20))
def test_no_answer_is_lost(thoughts, answer):
    """Whatever the model thinks, what follows the last mark is scored."""
    plain = separate(answer)
    if not plain.reasoning:
        assert separate(f"<think>{thoughts}</think>{answer}").answer == plain.answer.strip()


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "7", "\n", "<|channel|>final<|message|>"]))
)
def test_any_text_is_separated(pieces):
    """Marks in any order never fail, and nothing is made up."""
    text = "".join(pieces)
    answer, reasoning = separate(text)
    assert (answer + reasoning).count("7") <= text.count("7")


def test_many_marks_cost_no_more_than_their_length():
    """A text made of marks is read in time: the limit of the suite would say a quadratic one."""
    for mark in (
        "<think>",
        "</think>",
        "x<think>",
        "<|channel|>",
        "<|end|> ",
        " [BEGIN FINAL RESPONSE",
        "\n[BEGIN FINAL RESPONSE]",
    ):
        separate(mark * 100_000)
