"""Answers of trials and the questions of a study, as far as they are stored: for people to read.

They lie beside the outcomes, in rows that no program reads while a study runs, so they cost a write for each
trial and nothing for each look at the study. Everything is limited when it is written and when it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from pydantic import TypeAdapter

from llmopt_core.storage.adapters import first_fault
from llmopt_core.storage.database import Database
from llmopt_core.storage.documents import dump, load
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.keys import ANSWERS_KEY, QUESTIONS_KEY
from llmopt_core.storage.records import Answer, Phase
from llmopt_core.storage.rows import get_attribute, put_first_attribute
from llmopt_core.storage.tables import TRIAL_ATTRIBUTES, TRIALS, limited

# Items whose questions and answers are stored, of those that a trial asks.
MOST_ITEMS = 100
_ANSWER_BYTES, _QUESTION_BYTES, _EXPECTED_BYTES, _ITEM_BYTES = 2_048, 2_048, 512, 256
# Of the texts of one trial. There may be thousands of trials of a search, but few repeats.
_TRIAL_BYTES: Mapping[Phase, int] = {
    Phase.BASELINE: 64 * 1024,
    Phase.SEARCH: 16 * 1024,
    Phase.CONFIRM: 64 * 1024,
}
# JSON writes a byte in six characters at most; the rest is for names and numbers.
_MOST_DOCUMENT_BYTES = 6 * max(_TRIAL_BYTES.values()) + MOST_ITEMS * (6 * _ITEM_BYTES + 200)


@dataclass(frozen=True)
class Question:
    """What an item asks and which answer is expected; empty where only a judge or a service knows."""

    item: str
    text: str
    expected: str = ""


_ANSWERS = first_fault(TypeAdapter(tuple[Answer, ...]))
_QUESTIONS = first_fault(TypeAdapter(tuple[Question, ...]))


def kept_answers(texts: Mapping[str, str], scores: Mapping[str, float], phase: Phase) -> tuple[Answer, ...]:
    """Return what is stored of the answers `texts` of a trial, by item in the order of the items.

    Of `MOST_ITEMS` items at most, until their texts have 64 KiB (a trial of the search: 16 KiB) together.
    """
    kept: list[Answer] = []
    left = _TRIAL_BYTES[phase]
    for item, text in list(texts.items())[:MOST_ITEMS]:
        shown = _start_of(text, _ANSWER_BYTES)
        left -= len(shown.encode())
        if left < 0:
            break
        kept.append(Answer(_start_of(item, _ITEM_BYTES), shown, scores.get(item), cut=shown != _clean(text)))
    return tuple(kept)


def kept_question(item: str, text: str, expected: str) -> Question:
    """Return what is stored of a question; long ones are cut, as their answers are."""
    return Question(
        _start_of(item, _ITEM_BYTES), _start_of(text, _QUESTION_BYTES), _start_of(expected, _EXPECTED_BYTES)
    )


def _clean(text: str) -> str:
    """Return `text` as it can be stored: without halves of surrogate pairs."""
    return text.encode(errors="replace").decode()


def _start_of(text: str, most_bytes: int) -> str:
    return _clean(text).encode()[:most_bytes].decode(errors="ignore")


class Answers:
    """The questions and answers of study `study_id`. Every method may raise StorageUnavailable."""

    def __init__(self, database: Database, study_id: int) -> None:
        self._database = database
        self._study_id = study_id

    def keep_questions(self, *parts: Sequence[Question]) -> None:
        """Store the first questions of each part of the data set; only the first time counts."""
        kept = tuple(question for part in parts for question in part[:MOST_ITEMS])
        with self._database.writing() as connection:
            put_first_attribute(connection, self._study_id, QUESTIONS_KEY, dump(kept))

    def questions(self) -> Mapping[str, Question]:
        """Return the stored questions by item; raises StudyUnreadable."""
        with self._database.reading() as connection:
            text = get_attribute(connection, self._study_id, QUESTIONS_KEY)
        found = () if text is None else load(_QUESTIONS, text, "the study's questions")
        return {question.item: question for question in found}

    def of(self, number: int) -> tuple[Answer, ...]:
        """Return the stored answers of trial `number`, none where none are; raises StudyUnreadable."""
        with self._database.reading() as connection:
            row = connection.execute(_OF_TRIAL, {"study_id": self._study_id, "number": number}).one_or_none()
        if row is None:
            return ()
        if row[0] is None:
            raise StudyUnreadable(f"the answers of trial {number} have more bytes than are read")
        return load(_ANSWERS, row[0], f"the answers of trial {number}")


_OF_TRIAL = (
    sa.select(limited(TRIAL_ATTRIBUTES.c.value_json, _MOST_DOCUMENT_BYTES))
    .join(TRIALS, TRIALS.c.trial_id == TRIAL_ATTRIBUTES.c.trial_id)
    .where(
        TRIALS.c.study_id == sa.bindparam("study_id"),
        TRIALS.c.number == sa.bindparam("number"),
        TRIAL_ATTRIBUTES.c.key == ANSWERS_KEY,
    )
    .limit(1)
)
