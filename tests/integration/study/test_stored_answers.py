"""Answers lie beside the outcomes, on every database."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from fakes.studies import definition, measured

from llmopt_core.storage.answers import Question
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.keys import ANSWERS_KEY
from llmopt_core.storage.records import Answer

ANSWERS = (Answer("a", "<b>\x1b[31m가\x00", 1.0), Answer("b", "", None, cut=True))


@pytest.fixture
def study(storage):
    return storage.create_study(definition())


def finished(study, answers=ANSWERS):
    """Finish a trial with `answers` and return its claim."""
    claim = study.claim("runner", budget=9)
    study.finish(claim, replace(measured(claim), answers=answers))
    return claim


def test_answers_are_read_back_as_they_were(study):
    """Control characters, NUL among them, and text of any script come back."""
    assert study.answers.of(finished(study).number) == ANSWERS


def test_answers_are_not_read_with_the_trials(storage, study):
    """A user who looks at a study is not sent them, and its outcomes are as if there were none."""
    finished(study, (Answer("a", "x" * 2000),))
    with storage.engine.connect() as connection:
        sent = connection.execute(sa.text("SELECT value_json FROM trial_user_attributes")).scalars().all()
    assert sum("xxxx" in text for text in sent) == 1
    (trial,) = storage.open_study("study").trials()
    assert trial.outcome.answers == ()


def test_finishing_twice_with_answers_changes_nothing(study):
    """The answer to the first call may have been lost."""
    claim = finished(study)
    study.finish(claim, replace(measured(claim), answers=ANSWERS))
    assert study.answers.of(claim.number) == ANSWERS


def test_a_trial_without_answers_has_none(study):
    """So it is in a study of release 0.1.0; nor has one that is not there."""
    claim = finished(study, ())
    assert study.answers.of(claim.number) == study.answers.of(99) == ()
    assert study.answers.questions() == {}


def test_questions_are_kept_once(study):
    """Every runner brings them, and the first ones count."""
    study.answers.keep_questions([Question("a", "1 + 1?", "2")], [Question("b", "2 + 2?", "4")])
    study.answers.keep_questions([Question("c", "other", "x")])
    assert study.answers.questions() == {"a": Question("a", "1 + 1?", "2"), "b": Question("b", "2 + 2?", "4")}


@pytest.mark.parametrize(
    ("document", "says"),
    [("[" + "0," * 600_000 + "0]", "more bytes than are read"), ('[{"item":7}]', "cannot be read")],
)
def test_what_others_wrote_is_limited_and_checked(storage, study, document, says):
    """A tenant can write any row: it is refused with a sentence, not loaded."""
    claim = finished(study)
    with storage.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE trial_user_attributes SET value_json = :text WHERE key = :key"),
            {"text": document, "key": ANSWERS_KEY},
        )
    with pytest.raises(StudyUnreadable, match=says):
        study.answers.of(claim.number)


def test_answers_go_with_their_study(storage, study):
    """Dropping a study leaves no row of them."""
    finished(study)
    storage.drop_study("study")
    with storage.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM trial_user_attributes")).scalar() == 0
