r"""The layouts that public data sets have, each read as an item's parts.

| layout | columns | answer |
|---|---|---|
| MMLU, MMLU-Pro, ARC, KMMLU, MedQA | question with choices, options or the columns A, B, ... | a choice |
| HellaSwag, WinoGrande, PIQA, ... | see `benchmarks` | a choice |
| GSM8K, HRM8K | question, answer | what follows `####`, else all of it |
| ASDiv | body, question, answer | its number, without the unit in brackets behind it |
| MATH | problem with answer or solution | the answer, else what is in `\boxed{}` |
| SQuAD, KorQuAD, NaturalQuestions, TriviaQA | question; answers, answer with aliases | any of the answers |
| TruthfulQA | question; best_answer with correct_answers | any of the answers |
| MGSM, OlympiadBench | question; answer_number or final_answer | it; answer is how it is reached |
| BoolQ, KoBEST BoolQ | passage or paragraph, question; answer, or label 1 | yes or no |
| Alpaca, Dolly | instruction with input or context; output or response | output |
| ShareGPT, chat messages | conversations; messages | what the assistant says |
| MT-Bench, LogicKor | turns, questions or a list as prompt; reference or references | the references |
| any other | question, prompt or input; answer, output or target | it |

What a question is about, such as passage, article or context, is asked before it. Of a conversation the first
question is the item's, those that follow are its later turns.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from typing import Any

from llmopt_runner.datasets.base import LaterTurn
from llmopt_runner.datasets.benchmarks import asked_in
from llmopt_runner.datasets.cells import (
    RowInvalid,
    about_in,
    by_usual_names,
    listed,
    named,
    present,
    shown,
    sound,
    text_in,
    text_of,
    texts_in,
)
from llmopt_runner.datasets.multiple_choice import Choices, choices_in

QUESTIONS = ("question", "prompt", "input", "question_stem", "query", "질문", "문제")
ANSWERS = (
    "answer", "output", "target", "answerkey", "answer_key", "expected", "reference", "response",
    "completion", "correct_answer", "correct", "expected_answer", "final_answer", "answer_number",
    "final_ans", "final_decision", "정답", "답변",
)  # fmt: skip
SEVERAL = ("answers", "possible_answers")
# What a question is about, or how it is to be answered.
CONTEXTS = ("system_prompt", "context", "passage", "article", "paragraph", "story", "body")
# What is the answer even where a column called answer shows the working.
_FINALS = ("answer_number", "final_answer", "final_ans")
_PLACES = ("answer_index", "answer_idx")
CHOICES = ("choices", "options")
CONVERSATIONS = ("conversations", "conversation", "messages")
_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant", "bing": "assistant"}
_ROLES |= {"assistant": "assistant", "model": "assistant", "bard": "assistant", "system": "system"}
_ROLES |= {"tool": "tool", "function": "tool", "observation": "tool", "function_response": "tool"}
_FINAL = re.compile(r"^[ \t]*####[ \t]*(?P<answer>\S[^\n]*)$", re.MULTILINE)
# ASDiv's `9 (apples)`.
_WITH_UNIT = re.compile(r"\s*(?P<number>-?\d[\d,./]*)\s*\([^()]{1,60}\)\s*")
_BOXED = re.compile(r"\\(?:boxed|fbox)(?:\s*\{|\s+(?P<bare>[-\w.]+))")


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
    row = by_usual_names(row)
    for name in CONVERSATIONS:
        if row.get(name) is not None:
            return _conversation(name, row[name])
    if (asked := asked_in(row)) is not None:
        return Parts(*asked)
    for columns, read in _LAYOUTS:
        if all(row.get(name) is not None for name in columns):
            return read(row)
    if isinstance(row.get("prompt"), list):
        return _mt_bench(row, "prompt")
    return _in_context(row, _questioned(row))


def _questioned(row: Mapping[str, Any]) -> Parts:
    """Return the parts of a row that asks a question, without what it is about."""
    answer, choices = named(row, ANSWERS), named(row, CHOICES)
    if row.get("best_answer") is not None:
        return _truthful(row)
    several = named(row, SEVERAL)
    if answer is None and several is not None:
        return _with_answers(row, several, listed(row[several]))
    if answer is None and choices is None and row.get("label") in (0, 1) and named(row, CONTEXTS):
        return plain({**row, "label": bool(row["label"])}, None, "label", None)
    if answer is not None and choices is None and isinstance(row[answer], list):
        return _with_answers(row, answer, row[answer])
    if answer is not None and isinstance(row[answer], Mapping) and "value" in row[answer]:
        aliases = row[answer].get("aliases")
        known = aliases if isinstance(aliases, list) else []
        return _with_answers(row, answer, [row[answer]["value"], *known])
    return plain(row, named(row, QUESTIONS), answer, choices)


def _in_context(row: Mapping[str, Any], parts: Parts) -> Parts:
    about = [text for name in CONTEXTS if (text := about_in(row, name))]
    return replace(parts, question=sound("question", "\n\n".join((*about, parts.question))))


def plain(row: Mapping[str, Any], question: str | None, answer: str | None, choices: str | None) -> Parts:
    """Return the parts of a row whose columns are called as said; None: as usual, or not there."""
    stem = row.get(question or "question")
    if isinstance(stem, Mapping) and "stem" in stem:  # ARC as its authors publish it
        inner = {"question": stem.get("stem"), "choices": stem.get("choices")}
        return plain({**row, **inner}, "question", answer, "choices")
    text = text_in(row, question or present(row, QUESTIONS, "question"))
    found = choices_in(row, choices)
    if found is not None:
        return Parts(text, _right_choice(row, answer, found), found.texts)
    name = (answer in ANSWERS and named(row, _FINALS)) or answer or present(row, ANSWERS, "answer")
    if isinstance(row[name], bool):
        return Parts(text, "yes" if row[name] else "no")
    parts = _worked(Parts(text, text_in(row, name)))
    working = row.get(answer or name)
    return replace(parts, solution=working) if name != answer and isinstance(working, str) else parts


def _right_choice(row: Mapping[str, Any], answer: str | None, found: Choices) -> str:
    place = named(row, _PLACES)
    if place is None:
        label = row.get("label")
        lettered = answer is None and isinstance(label, str) and label.strip().isalpha()  # AGIEval
        name = "label" if lettered else answer or present(row, ANSWERS, "answer")
        return found.chosen(name, row[name])
    right = found.chosen(place, row[place])
    if answer is not None and not found.may_mean(answer, row[answer], right):
        raise RowInvalid(
            f"{answer} is {shown(row[answer])}, but {place} is {shown(row[place])}, another choice: "
            "correct one of them"
        )
    return right


def _with_answers(row: Mapping[str, Any], name: str, answers: Any) -> Parts:
    """Return the parts of a row with several right answers; raises RowInvalid where there is none."""
    question = text_in(row, present(row, QUESTIONS, "question"))
    if not isinstance(answers, list):
        raise RowInvalid(f"{name} is {shown(answers)}: write a list of texts")
    texts = dict.fromkeys(text_of(name, each) for each in answers)
    if not texts:
        raise RowInvalid(f"{name} is empty: write a text or remove the item")
    first, *others = texts
    return Parts(question, first, alternatives=tuple(others))


def _truthful(row: Mapping[str, Any]) -> Parts:
    known = row.get("correct_answers")
    if isinstance(known, str):  # as its authors publish it: one; two
        known = [each.strip() for each in known.split(";") if each.strip()]
    return _with_answers(row, "best_answer", [row["best_answer"], *(known or ())])


def _worked(parts: Parts) -> Parts:
    r"""Take the final answer out of one that shows its working: GSM8K's `#### 42`, MATH's `\boxed{42}`."""
    *_, final = (None, *_FINAL.finditer(parts.answer))
    answer = final["answer"].strip() if final else _boxed(parts.answer)
    return parts if answer is None else replace(parts, answer=answer, solution=parts.answer)


def _boxed(text: str) -> str | None:
    *_, last = (None, *_BOXED.finditer(text))
    if last is not None and last["bare"]:
        return last["bare"].rstrip(".")
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


def _asdiv(row: Mapping[str, Any]) -> Parts:
    parts = _in_context(row, _questioned(row))
    number = _WITH_UNIT.fullmatch(parts.answer)
    return parts if number is None else replace(parts, answer=number["number"])


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
    first, *later = zip_longest(texts, _references(row)[: len(texts)], fillvalue="")
    return Parts(*first, later=tuple(LaterTurn(*turn) for turn in later))


def _references(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the reference of each turn, empty where there is none."""
    known = row.get(named(row, ("reference", "references")) or "")
    texts = ["" if each is None else each for each in known] if isinstance(known, list) else []
    if not all(isinstance(each, str) for each in texts):
        raise RowInvalid(f"references is {shown(known)}: write a list of texts")
    return tuple(sound("references", each) for each in texts)


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
    """Yield what the user says, each with the answer that follows it; the first of `spoken` is one.

    It is the first text of the assistant; where tools were called, what it says after they have answered.
    """
    asked = [place for place, (role, _) in enumerate(spoken) if role == "user"]
    for place, end in pairwise((*asked, len(spoken))):
        after = max((at for at in range(place, end) if spoken[at][0] == "tool"), default=place)
        answers = (text for role, text in spoken[after:end] if role == "assistant" and text.strip())
        yield Parts(sound(name, spoken[place][1]), sound(name, next(answers, "")))


def _turn(name: str, turn: Any) -> tuple[str, str]:
    if not isinstance(turn, Mapping):
        raise RowInvalid(f"{name} holds {shown(turn)}: write turns with role and content")
    role = _ROLES.get(str(turn.get("role", turn.get("from"))).casefold(), "")
    content = turn.get("content", turn.get("value"))
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    if content is None and role in {"assistant", "tool"}:
        content = ""
    if not isinstance(content, str):
        raise RowInvalid(f"{name} holds {shown(turn)}: write turns with role and content")
    return role, content


_Layout = tuple[Sequence[str], Callable[[Mapping[str, Any]], Parts]]
_LAYOUTS: tuple[_Layout, ...] = (
    (("turns",), lambda row: _mt_bench(row, "turns")),
    (("questions",), lambda row: _mt_bench(row, "questions")),
    (("body", "question", "answer"), _asdiv),
    (("context", "question", "answers"), _squad),
    (("instruction",), _alpaca),
    (("problem",), _math),
)
