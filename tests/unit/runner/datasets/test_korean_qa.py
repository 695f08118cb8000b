import asyncio
import re
from datetime import date, timedelta

import pytest

from llmopt_runner.datasets.korean.lexicon import WEEKDAYS
from llmopt_runner.datasets.korean_qa import korean_qa
from llmopt_runner.quality.choice import Choice


@pytest.fixture(scope="module")
def items():
    return korean_qa().items(5000, seed=7)


def _of(items, kind):
    found = [item for item in items if item.kind == kind]
    assert len(found) > 100
    return found


def test_items_are_distinct(items):
    """Five thousand items are five thousand questions with as many ids."""
    assert len({item.question for item in items}) == len({item.id for item in items}) == 5000


def test_each_answer_scores_itself(items):
    """The data set's own evaluator gives every expected answer 1, and another kind's answer 0."""
    evaluator = Choice()
    evaluator.check(items)

    async def scores():
        return [
            (await evaluator.score(item, item.answer), await evaluator.score(item, "모름")) for item in items
        ]

    assert set(asyncio.run(scores())) == {(1.0, 0.0)}


def test_answers_are_short_and_from_the_text(items):
    """Where nothing is computed, the answer is a word of the question or one of its choices."""
    computed = {"weekday_after", "date_after", "native_to_digits", "reversed_word", "word_count"}
    for item in items:
        assert len(item.answer) <= 30, item
        if item.kind not in computed:
            assert item.answer in item.question or item.answer in item.choices, item


def test_choices_hold_the_answer_once(items):
    """The choices of an item are distinct and one of them is the answer."""
    for item in items:
        if item.choices:
            assert len(set(item.choices)) == len(item.choices)
            assert item.choices.count(item.answer) == 1, item


def test_dates_by_the_calendar(items):
    """Python's calendar gives the same date, in a leap year and in another one."""
    for item in _of(items, "date_after"):
        month, day, days = map(int, re.findall(r"\d+", item.question))
        for year in (2023, 2024):
            there = date(year, month, day) + timedelta(days=days)
            assert item.answer == f"{there.month}월 {there.day}일", item


def test_weekdays_by_the_calendar(items):
    """Python's calendar gives the same day of the week."""
    for item in _of(items, "weekday_after"):
        today = next(day for day in WEEKDAYS if day in item.question)
        days = int(re.search(r"(\d+)일 (뒤|전)", item.question)[1])
        monday = date(2024, 1, 1) + timedelta(days=WEEKDAYS.index(today))
        there = monday + timedelta(days=days if "일 뒤" in item.question else -days)
        assert item.answer == WEEKDAYS[there.weekday()], item


def test_prices_by_sorting(items):
    """The thing of the asked rank is found by sorting what the text says."""
    ranks = {"가장 싼": 0, "가장 비싼": -1, "두 번째로 싼": 1, "두 번째로 비싼": -2}
    for item in _of(items, "price_list"):
        pairs = re.findall(r"(\w+) ([\d,]+)원", item.question)
        rank = next(rank for words, rank in ranks.items() if words in item.question)
        assert item.answer == sorted(pairs, key=lambda pair: int(pair[1].replace(",", "")))[rank][0], item


def test_comparisons_have_one_end(items):
    """The answer is the one person of the text who never stands on the other side of a comparison."""
    for item in _of(items, "comparison"):
        pairs = re.findall(r"(\w+)[은는] (\w+)보다", item.question)
        highest = {pair[0] for pair in pairs} - {pair[1] for pair in pairs}
        lowest = {pair[1] for pair in pairs} - {pair[0] for pair in pairs}
        assert {item.answer} in (highest, lowest), item


def test_true_or_false_by_counting(items):
    """The statement holds exactly when the numbers say so, and both answers come up."""
    answers = set()
    for item in _of(items, "true_or_false"):
        first, second = map(int, re.findall(r"\d+", item.question)[:2])
        text, _, claim = item.question.partition("문장: ")
        total = re.search(r"\d+", claim)
        if total:
            holds = int(total[0]) == first + second
        else:
            owner = re.match(r"글: (\w+?)[은는] ", text)[1]
            holds = (first > second) == claim.startswith(owner)
        assert item.answer == ("예" if holds else "아니요"), item
        answers.add(item.answer)
    assert answers == {"예", "아니요"}


def test_exactly_one_choice_matches_the_text(items):
    """Of the statements to choose from, one names a day with the place the text gives it."""
    for item in _of(items, "matching_statement"):
        visits = dict(re.findall(r"(\w요일)에는 (\w+?)(?=,|에 갔고)", item.question))
        told = [re.search(r"(\w요일)에 (\w+)에 갔습니다", choice).groups() for choice in item.choices]
        assert [visits.get(day) == place for day, place in told].count(True) == 1, item
        assert visits[told[item.choices.index(item.answer)][0]] == told[item.choices.index(item.answer)][1]


def test_words_by_counting(items):
    """Counting the listed words gives the answer."""
    for item in _of(items, "word_count"):
        wanted = re.search("'(.+?)'", item.question)[1]
        listed = item.question.partition(": ")[2].rstrip(".").split(", ")
        assert listed.count(wanted) == int(item.answer), item


def test_more_than_any_manifest_asks_for():
    """Ten thousand search, ten thousand held-out and all few-shot items can be made."""
    assert sum(map(len, korean_qa().split(10_000, 10_000, 0))) == 20_032
