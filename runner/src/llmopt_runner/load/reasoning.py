"""Separates a model's reasoning from its answer where a server sends both as one text.

Servers with a reasoning parser send the reasoning in a field of its own; without one, the model's own marks
stand in the content: `<think>…</think>` and its like, `[THINK]…[/THINK]` (Mistral), `<|channel|>analysis…`
(gpt-oss), `<|START_THINKING|>…` (Cohere), `◁think▷…` (Kimi), `<|channel>thought…<channel|>` (Gemma),
`<|inner_prefix|>…` (Apertus), `<unused94>thought…<unused95>` (MedGemma), `<|think|>…<|end|>` (Solar), or
words that say which part is which (Granite, Apriel).
"""

import re
from typing import NamedTuple

_TAGS = r"(?:\w{1,20}[:_])?(?:think|thinking|thoughts?|reason|reasoning)"
_MARK = re.compile(
    rf"(?P<opens><{_TAGS}>|\[THINK\]|◁think▷|<\|begin_of_thought\|>|<\|START_THINKING\|>|<\|channel>thought"
    r"|<\|inner_prefix\|>|<unused94>thought|<\|think\|>)"
    rf"|</{_TAGS}>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|END_THINKING\|>|<channel\|>"
    r"|<\|inner_suffix\|>|<unused95>|<\|end\|>\s*(?:<\|begin\|>assistant\s*)?<\|content\|>",
    re.IGNORECASE,
)
# What some of these models put around the answer that follows.
_WRAPPING = re.compile(r"<\|(?:begin_of_solution|end_of_solution|START_RESPONSE|END_RESPONSE)\|>")
# The same in tags, where they hold the whole answer (Hunyuan, ERNIE).
_WRAPPED = re.compile(r"<(?P<tag>answer|response)>(?P<answer>.*)</(?P=tag)>", re.DOTALL)
_CHANNEL_MARK = "<|channel|>"
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(\w+)[^<]*<\|message\|>(.*?)(?=<\|(?:end|return|call|start|channel)\|>|\Z)", re.DOTALL
)
# gpt-oss again, from a server that leaves special tokens out of the text.
_BARE_ANALYSIS, _BARE_FINAL = "analysis", "assistantfinal"
# Granite says in words which part is which.
_SENTENCES = re.compile(
    r"\s*Here(?: is|'s) my thought process:(?P<reasoning>.*?)Here(?: is|'s) my response:(?P<answer>.*)",
    re.DOTALL,
)
_SENTENCES_BEGIN = "Here"
# Apriel writes on a line of its own where its answer begins.
_FINAL = re.compile(
    r"(?P<reasoning>.*?)^[ \t]*\[BEGIN FINAL RESPONSE\](?P<answer>.*?)(?:\[END FINAL RESPONSE\]|\Z)",
    re.DOTALL | re.MULTILINE,
)
_INDENT_LIMIT = 80
_FIRSTS = ("<", "[", "◁")  # what marks begin with


class Separated(NamedTuple):
    """An answer as it is scored, and the reasoning that stood beside it."""

    answer: str
    reasoning: str


def separate(text: str) -> Separated:
    """Return the answer in `text` and its reasoning; a text without marks is the answer as it is.

    Reasoning that is not closed was cut off: there is no answer then. Reasoning that is not opened was opened
    in the prompt: all before its end belongs to it.
    """
    if not any(first in text for first in _FIRSTS) and not text.startswith(
        (_BARE_ANALYSIS, _SENTENCES_BEGIN)
    ):
        return Separated(text, "")  # most answers: they are read between the arrivals of others
    if said := _SENTENCES.match(text) or _FINAL.match(text):
        return Separated(said["answer"].strip(), said["reasoning"])
    if _CHANNEL_MARK in text:
        return _channels(text)
    if text.startswith(_BARE_ANALYSIS) and _BARE_FINAL in text:
        reasoning, _, answer = text.removeprefix(_BARE_ANALYSIS).partition(_BARE_FINAL)
        return Separated(answer.lstrip(), reasoning)
    marks = list(_MARK.finditer(text))
    if not marks:
        return Separated(text, "")
    return _marked(text, marks)


def _channels(text: str) -> Separated:
    parts = _CHANNEL.findall(text)
    answer = "".join(content for name, content in parts if name == "final")
    reasoning = "".join(content for name, content in parts if name != "final")
    return Separated(answer.lstrip(), reasoning if parts else text)


def _marked(text: str, marks: list[re.Match[str]]) -> Separated:
    last_close = max((mark.start() for mark in marks if not mark["opens"]), default=-1)
    text_ends = len(text.rstrip())
    answer: list[str] = []
    reasoning: list[str] = []
    place, inside = 0, False
    for mark in marks:
        piece = text[place : mark.start()]
        if mark["opens"]:
            if inside or not _begins_reasoning(text, mark.start(), last_close):
                continue
            answer.append(piece)
        elif inside:
            reasoning.append(piece)
        elif reasoning and mark.end() >= text_ends:
            answer.append(piece)  # closed once more after the answer
        else:
            reasoning += [*answer, piece]
            answer.clear()
        inside = bool(mark["opens"])
        place = mark.end()
    (reasoning if inside else answer).append(text[place:])
    if place == 0:
        return Separated(text, "")
    plain = _WRAPPING.sub("", "".join(answer)).strip()
    wrapped = _WRAPPED.fullmatch(plain)
    return Separated(wrapped["answer"].strip() if wrapped else plain, "".join(reasoning))


def _begins_reasoning(text: str, start: int, last_close: int) -> bool:
    """Say whether a mark is more than a mention: it is closed later, or stands at the beginning of a line."""
    before = text[max(0, start - _INDENT_LIMIT) : start].rpartition("\n")[2]
    return start < last_close or not before.strip()
