"""`llmopt answers`: what two configurations answered to the same questions, side by side."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from llmopt.cluster.commands.exits import say
from llmopt.cluster.commands.studies import OpenStudy, Places, with_studies
from llmopt.json_output import print_json
from llmopt.options import Target
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.visible import visible
from llmopt_core.results.answers import (
    AnswerComparison,
    AnswerPair,
    Side,
    chosen_sides,
    compare_answers,
    compared_sides,
)
from llmopt_core.results.numbers import number
from llmopt_core.results.reading import result_of
from llmopt_core.storage.records import Answer

# On a terminal long texts would hide the differences; JSON has them whole.
_SHOWN_CHARACTERS = 400


def show_answers(
    name: str, trials: tuple[int, int] | None, places: Places, target: Target, *, as_json: bool
) -> Exit:
    """Print what two `trials` of the study called `name` answered: by default the baseline and the best."""

    def read(found: OpenStudy) -> AnswerComparison:
        picture = found.study.picture()
        if trials is None:
            sides = compared_sides(picture, result_of(picture, found.resource.spec).status)
        else:
            sides = chosen_sides(picture, *trials)
        return compare_answers(found.study, sides)

    def show(read: Sequence[AnswerComparison]) -> None:
        if as_json:
            print_json(document_of(read[0]))
        else:
            _print(read[0], Console())

    return with_studies([name], places, target, read, show)


def document_of(compared: AnswerComparison) -> dict[str, Any]:
    """Return the comparison for programs, in the order of the items."""
    return {
        **{
            key: {"title": side.title, "trial": side.trial, "mean_score": compared.mean_score(side)}
            for key, side in (("first", compared.first), ("second", compared.second))
        },
        "items": [
            {
                "item": pair.question.item,
                "question": pair.question.text,
                "expected": pair.question.expected,
                "first": _answer(pair.first),
                "second": _answer(pair.second),
            }
            for pair in compared.pairs
        ],
    }


def _answer(answer: Answer | None) -> dict[str, Any] | None:
    return None if answer is None else {"text": answer.text, "score": answer.score, "cut": answer.cut}


def _print(compared: AnswerComparison, console: Console) -> None:
    for pair in compared.changed_first():
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for label, score, text in _rows(pair, compared):
            table.add_row(Text(label), Text(score), Text(text))
        console.print(table)
        console.print()
    for line in _summary(compared):
        say(console, line)


def _rows(pair: AnswerPair, compared: AnswerComparison) -> Iterator[tuple[str, str, str]]:
    yield "question", "", _short(pair.question.text) or pair.question.item
    if pair.question.expected:
        yield "expected", "", _short(pair.question.expected)
    for side, answer in ((compared.first, pair.first), (compared.second, pair.second)):
        if answer is None:
            yield side.title, "", "not stored"
        else:
            score = "" if answer.score is None else number(answer.score)
            yield side.title, score, _short(answer.text, cut=answer.cut) or "(no text)"


def _short(text: str, *, cut: bool = False) -> str:
    """Return the start of a text; it is escaped before a table is laid out by its width."""
    text = visible(text.strip())
    return f"{text[:_SHOWN_CHARACTERS]} …" if cut or len(text) > _SHOWN_CHARACTERS else text


def _summary(compared: AnswerComparison) -> Iterator[str]:
    better = sum(pair.change > 0 for pair in compared.pairs)
    worse = sum(pair.change < 0 for pair in compared.pairs)
    counts = f"{better} better, {worse} worse, {len(compared.pairs) - better - worse} with the same score"
    yield f"{len(compared.pairs)} items: {counts} (changed ones first)"
    for side in (compared.first, compared.second):
        yield f"{side.title}: answers of trial {side.trial}{_mean(compared, side)}"
    yield "--trials A B compares other trials, --json prints long texts whole."


def _mean(compared: AnswerComparison, side: Side) -> str:
    mean = compared.mean_score(side)
    return "" if mean is None else f", mean score {number(mean)}"
