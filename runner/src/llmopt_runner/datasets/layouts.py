r"""The layouts that public data sets have, each read as an item's parts.

| layout | columns | answer |
|---|---|---|
| MMLU, MMLU-Pro, ARC, KMMLU | question with choices, options or the columns A, B, ... | a choice |
| GSM8K, HRM8K | question, answer | what follows `####`, else all of it |
| MATH | problem with answer or solution | the answer, else what is in `\boxed{}` |
| SQuAD, KorQuAD | context, question, answers | any of the answers |
| Alpaca, Dolly | instruction with input or context; output or response | output |
| ShareGPT, chat messages | conversations; messages | what the assistant says |
| MT-Bench | turns or a list as prompt; reference | the references |
| any other | question, prompt or input; answer, output or target | it |

Of a conversation the first question is the item's, those that follow are its later turns.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from typing import Any

from llmopt_runner.datasets.base import LaterTurn
from llmopt_runner.datasets.cells import RowInvalid, named, present, shown, sound, text_in, texts_in
from llmopt_runner.datasets.multiple_choice import choices_in

QUESTIONS = ("question", "prompt", "input", "question_stem", "query")
ANSWERS = ("answer", "output", "target", "answerkey", "answer_key", "expected", "reference")
CHOICES = ("choices", "options")
CONVERSATIONS = ("conversations", "conversation", "messages")
_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant"}
_ROLES |= {"assistant": "assistant", "model": "assistant", "bard": "assistant", "system": "system"}
_FINAL = re.compile(r"^[ \t]*####[ \t]*(?P<answer>\S[^\n]*)$", re.MULTILINE)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")


@dataclass(frozen=True)
class Parts:
    """What a row says of an item. `answer` is empty where the row, such as a bare prompt, has none."""

    question: str
    answer: str
    choices: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    solution: str = ""
    later: tuple[LaterTurn, ...] = ()


def parts_of(row: Mapping[str, Any]) -> Parts:
    """Return the parts of `row` in the layout that its columns show; raises RowInvalid."""
    for name in CONVERSATIONS:
        if row.get(name) is not None:
            return _conversation(name, row[name])
    for columns, read in _LAYOUTS:
        if all(row.get(name) is not None for name in columns):
            return read(row)
    if isinstance(row.get("prompt"), list):
        return _mt_bench(row, "prompt")
    return plain(row, named(row, QUESTIONS), named(row, ANSWERS), named(row, CHOICES))


def plain(row: Mapping[str, Any], question: str | None, answer: str | None, choices: str | None) -> Parts:
    """Return the parts of a row whose columns are called as said; None: as usual, or not there."""
    stem = row.get(question or "question")
    if isinstance(stem, Mapping):  # ARC as its authors publish it
        inner = {"question": stem.get("stem"), "choices": stem.get("choices")}
        return plain({**row, **inner}, "question", answer, "choices")
    text = text_in(row, question or present(row, QUESTIONS, "question"))
    found = choices_in(row, choices)
    if found is not None and answer is None and row.get("answer_index") is not None:
        return Parts(text, found.chosen("answer_index", row["answer_index"]), found.texts)
    name = answer or present(row, ANSWERS, "answer")
    if found is not None:
        return Parts(text, found.chosen(name, row[name]), found.texts)
    return _worked(Parts(text, text_in(row, name)))


def _worked(parts: Parts) -> Parts:
    r"""Take the final answer out of one that shows its working: GSM8K's `#### 42`, MATH's `\boxed{42}`."""
    *_, final = (None, *_FINAL.finditer(parts.answer))
    answer = final["answer"].strip() if final else _boxed(parts.answer)
    return parts if answer is None else replace(parts, answer=answer, solution=parts.answer)


def _boxed(text: str) -> str | None:
    *_, last = (None, *_BOXED.finditer(text))
    depth = 1
    for at in range(last.end() if last else len(text), len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if last is not None and depth == 0:
            return text[last.end() : at].strip() or None
    return None


def _math(row: Mapping[str, Any]) -> Parts:
    question, solution = text_in(row, "problem"), row.get("solution")
    if row.get("answer") is not None:
        parts = _worked(Parts(question, text_in(row, "answer")))
        return replace(parts, solution=text_in(row, "solution")) if solution is not None else parts
    if solution is None:
        raise RowInvalid(
            f"no answer: it has {', '.join(map(shown, row))}; write answer, or solution with \\boxed{{}}"
        )
    parts = _worked(Parts(question, text_in(row, "solution")))
    if not parts.solution:
        raise RowInvalid("solution has no \\boxed{} answer: add one, or the column answer")
    return parts


def _squad(row: Mapping[str, Any]) -> Parts:
    answers = row["answers"]
    value = answers.get("text") if isinstance(answers, Mapping) else answers
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        value = [each.get("text") for each in value]
    texts = tuple(dict.fromkeys(texts_in({"answers": value}, "answers")))
    if not texts:
        raise RowInvalid(
            "answers is empty: the context does not answer the question; remove such rows (SQuAD 2)"
        )
    question = f"{text_in(row, 'context')}\n\n{text_in(row, 'question')}"
    return Parts(sound("context", question), texts[0], alternatives=texts[1:])


def _alpaca(row: Mapping[str, Any]) -> Parts:
    question = text_in(row, "instruction")
    name = named(row, ("input", "context"))
    if name is not None and str(row[name]).strip():
        question = sound(name, f"{question}\n\n{text_in(row, name)}")
    return _worked(Parts(question, text_in(row, present(row, ("output", "response", "answer"), "answer"))))


def _mt_bench(row: Mapping[str, Any], name: str) -> Parts:
    turns = row[name]
    if isinstance(turns, list) and turns and isinstance(turns[0], Mapping):
        completion = row.get("completion")
        return _conversation(name, [*turns, *(completion if isinstance(completion, list) else ())])
    texts = texts_in(row, name)
    if not texts:
        raise RowInvalid(f"{name} is empty: write a text or remove the item")
    references = texts_in(row, "reference") if isinstance(row.get("reference"), list) else ()
    first, *later = zip_longest(texts, references[: len(texts)], fillvalue="")
    return Parts(*first, later=tuple(LaterTurn(*turn) for turn in later))


def _conversation(name: str, turns: Any) -> Parts:
    """Return the turns of a conversation and what was answered; what the system says begins the first."""
    spoken = [_turn(name, turn) for turn in turns] if isinstance(turns, list) else []
    asked = next((at for at, (role, _) in enumerate(spoken) if role == "user"), None)
    if asked is None:
        raise RowInvalid(f"{name} has no turn of a user: write one with the role user (ShareGPT: from human)")
    system = [text for role, text in spoken[:asked] if role == "system"]
    first, *later = _questions_and_answers(name, spoken[asked:])
    question = "\n\n".join((*system, first.question))
    if not question.strip():
        raise RowInvalid(f"{name}: the first turn of the user is empty: write a text or remove the item")
    others = (_worked(each) for each in later if each.question.strip())
    return replace(
        _worked(replace(first, question=sound(name, question))),
        later=tuple(LaterTurn(each.question, each.answer, each.solution) for each in others),
    )


def _questions_and_answers(name: str, spoken: Sequence[tuple[str, str]]) -> Iterator[Parts]:
    """Yield what the user says, each with the first answer that follows it; the first of `spoken` is one."""
    asked = [place for place, (role, _) in enumerate(spoken) if role == "user"]
    for place, end in pairwise((*asked, len(spoken))):
        answers = (text for role, text in spoken[place:end] if role == "assistant")
        yield Parts(sound(name, spoken[place][1]), sound(name, next(answers, "")))


def _turn(name: str, turn: Any) -> tuple[str, str]:
    if not isinstance(turn, Mapping):
        raise RowInvalid(f"{name} holds {shown(turn)}: write turns with role and content")
    role = _ROLES.get(str(turn.get("role", turn.get("from"))).casefold(), "")
    content = turn.get("content", turn.get("value"))
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    if content is None and role == "assistant":
        content = ""
    if not isinstance(content, str):
        raise RowInvalid(f"{name} holds {shown(turn)}: write turns with role and content")
    return role, content


_Layout = tuple[Sequence[str], Callable[[Mapping[str, Any]], Parts]]
_LAYOUTS: tuple[_Layout, ...] = (
    (("turns",), lambda row: _mt_bench(row, "turns")),
    (("context", "question", "answers"), _squad),
    (("instruction",), _alpaca),
    (("problem",), _math),
)
