"""Benchmarks whose rows call question, choices and answer by names of their own.

| layout | question | choices | answer |
|---|---|---|---|
| HellaSwag, KoBEST HellaSwag | ctx; context | endings; ending_1, ... | label, from 0 |
| WinoGrande | sentence | option1, option2 | answer, from 1 |
| PIQA | goal | sol1, sol2 | label, from 0 |
| COPA, KoBEST COPA | premise, question | choice1, ...; alternative_1, ... | label, from 0 |
| Social IQa | context, question | answerA, ... | label, from 1 |
| MedMCQA | question | opa, opb, opc, opd | cop, from 0 |
| ANLI, KLUE NLI | premise, hypothesis | three words | label: entailment, neutral, contradiction |
| LogiQA | context, query | options | correct_option, from 0 |
| ReClor | context, question | answers | label, from 0 |
| QuALITY | article, question | options | gold_label, from 1 |
| KMMLU-Redux, KMMLU-Pro | question | options | solution, from 1 |
| Belebele | flores_passage, question | mc_answer1, ... | correct_answer_num, from 1 |
| TruthfulQA with choices | question | mc1_targets | the one whose label is 1 |
| GPQA, SciQ | question | the right one, then the wrong ones | the right one |

In the last two the right choice comes first: they are shown in an order that the question decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from typing import Any, NamedTuple

from llmopt_runner.datasets.cells import RowInvalid, listed, shown, text_in, text_of
from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.multiple_choice import Choices, checked


class Asked(NamedTuple):
    """A question with its choices, and the text of the right one."""

    question: str
    answer: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class _Layout:
    """What a benchmark calls its parts, in small letters.

    `choices` is one column with a list, or those of the first choices; columns that go on counting are taken
    as well. `first_number` is what the answer calls the first choice.
    """

    question: tuple[str, ...]
    choices: tuple[str, ...]
    answer: str
    first_number: int


_LAYOUTS = (
    _Layout(("ctx",), ("endings",), "label", 0),
    _Layout(("context",), ("ending_1", "ending_2"), "label", 0),
    _Layout(("sentence",), ("option1", "option2"), "answer", 1),
    _Layout(("goal",), ("sol1", "sol2"), "label", 0),
    _Layout(("premise", "question"), ("choice1", "choice2"), "label", 0),
    _Layout(("premise", "question"), ("alternative_1", "alternative_2"), "label", 0),
    _Layout(("context", "question"), ("answera", "answerb", "answerc"), "label", 1),
    _Layout(("context", "query"), ("options",), "correct_option", 0),
    _Layout(("question",), ("opa", "opb", "opc", "opd"), "cop", 0),
    _Layout(("flores_passage", "question"), ("mc_answer1", "mc_answer2"), "correct_answer_num", 1),
)
# Known by the column with the place of the right choice: without it, a list of answers are all right, and
# a solution of several words shows how the answer is reached.
_BY_PLACE = (
    _Layout(("context", "question"), ("answers",), "label", 0),
    _Layout(("article", "question"), ("options",), "gold_label", 1),
    _Layout(("question",), ("options",), "solution", 1),
)
# The labels of ANLI and of KLUE NLI, which such columns show: those of other sets with a premise and a
# hypothesis (CB, RTE) mean something else.
_INFERENCES = ("entailment", "neutral", "contradiction")
_INFERENCE_COLUMNS = (("uid", "reason"), ("guid", "source"))
_INFERENCE_QUESTION = "Does the text entail the statement, contradict it, or neither (neutral)?"
_WRONG = ("incorrect_answer_1", "distractor1")


def asked_in(row: Mapping[str, Any]) -> Asked | None:
    """Return what `row` asks where it is one of these benchmarks'; else None. Raises RowInvalid."""
    for layout in _LAYOUTS:
        if all(row.get(name) is not None for name in (*layout.question, *layout.choices)):
            return _chosen(layout, row)
    for layout in _BY_PLACE:
        if _has_place(layout, row):
            return _chosen(layout, row)
    if row.get("hypothesis") is not None and any(
        all(map(row.__contains__, own)) for own in _INFERENCE_COLUMNS
    ):
        return _inferred(row)
    targets = row.get("mc1_targets")
    if isinstance(targets, Mapping):
        return _mixed(row, *_targets(targets))
    wrong = next((name for name in _WRONG if row.get(name) is not None), None)
    if wrong is None or row.get("correct_answer") is None:
        return None
    return _mixed(row, text_in(row, "correct_answer"), _counted(row, wrong))


def _has_place(layout: _Layout, row: Mapping[str, Any]) -> bool:
    if row.get("answer") is not None or not isinstance(listed(row.get(layout.choices[0])), list):
        return False
    place = row.get(layout.answer)
    return all(row.get(name) is not None for name in layout.question) and (
        isinstance(place, int | float) or (isinstance(place, str) and place.strip().isdecimal())
    )


def _chosen(layout: _Layout, row: Mapping[str, Any]) -> Asked:
    question = "\n\n".join(text_in(row, name) for name in layout.question)
    given = listed(row[layout.choices[0]])
    if len(layout.choices) > 1:
        texts = [text_in(row, name) for name in layout.choices[:-1]] + _counted(row, layout.choices[-1])
    elif isinstance(given, list):
        texts = [text_of(layout.choices[0], each) for each in given]
    else:
        raise RowInvalid(f"{layout.choices[0]} is {shown(given)}: write a list of two or more texts")
    choices = Choices(checked("choices", texts), first_number=layout.first_number)
    if row.get(layout.answer) is None:
        raise RowInvalid(f"no answer: write {layout.answer}, the place of the right choice")
    return Asked(question, choices.at(layout.answer, row[layout.answer]), choices.texts)


def _inferred(row: Mapping[str, Any]) -> Asked:
    premise, hypothesis = text_in(row, "premise"), text_in(row, "hypothesis")
    if row.get("label") is None:
        raise RowInvalid(f"no label: write 0 to 2, for {', '.join(_INFERENCES)}")
    answer = Choices(_INFERENCES).at("label", row["label"])
    return Asked(f"{premise}\n\nStatement: {hypothesis}\n\n{_INFERENCE_QUESTION}", answer, _INFERENCES)


def _counted(row: Mapping[str, Any], first: str) -> list[str]:
    """Return the texts of the column `first` and of those that go on counting: distractor1, distractor2."""
    stem, start = first[:-1], first[-1]
    if not start.isdecimal():
        return [text_in(row, first)]
    names = (f"{stem}{number}" for number in count(int(start)))
    return [text_in(row, name) for name in takewhile(lambda name: row.get(name) is not None, names)]


def _targets(targets: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the right one and the wrong ones of TruthfulQA's targets."""
    texts, labels = targets.get("choices"), targets.get("labels")
    if not isinstance(texts, list) or not isinstance(labels, list) or len(texts) != len(labels):
        raise RowInvalid("mc1_targets has not one label for each choice: write lists of choices and labels")
    if labels.count(1) != 1:
        raise RowInvalid(f"mc1_targets has {labels.count(1)} choices with the label 1: mark one of them")
    checked_texts = [text_of("mc1_targets", each) for each in texts]
    right = labels.index(1)
    return checked_texts[right], checked_texts[:right] + checked_texts[right + 1 :]


def _mixed(row: Mapping[str, Any], right: str, wrong: Sequence[str]) -> Asked:
    question = text_in(row, "question")
    return Asked(question, right, checked("choices", Draw(question).shuffled([right, *wrong])))
