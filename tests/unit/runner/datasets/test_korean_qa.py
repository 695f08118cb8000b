import asyncio
import re
from datetime import date, timedelta

import pytest

from llmopt_runner.datasets.korean.lexicon import NAMES, THINGS, WEEKDAYS
from llmopt_runner.datasets.korean.words import with_particle
from llmopt_runner.datasets.korean_qa import korean_qa
from llmopt_runner.quality.choice import Choice


@pytest.fixture(scope="module")
def items():
    return korean_qa().items(5000, seed=7)


def _name(word):
    """Return the name in what a text calls its person: 태현 in 태현이."""
    return word if word in NAMES else word.removesuffix("이")


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


def test_a_day_is_named_by_a_noun(items):
    """`소연이의 이삿날`, and not `소연이의 이사하는 날`, whose subject would take 가."""
    days = [re.search(r"(\S+)의 (.+?)[은는] ", item.question)[2] for item in _of(items, "weekday_after")]
    assert len(set(days)) > 3
    assert [day for day in days if re.search(r"[하가]는 날", day)] == []


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
        pairs = [tuple(map(_name, pair)) for pair in re.findall(r"(\w+)[은는] (\w+)보다", item.question)]
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
        visited = [re.search(r"(\w요일)에 (\w+)에 갔습니다", choice).groups() for choice in item.choices]
        assert [visits.get(day) == place for day, place in visited].count(True) == 1, item
        assert (
            visits[visited[item.choices.index(item.answer)][0]] == visited[item.choices.index(item.answer)][1]
        )


def test_words_by_counting(items):
    """Counting the listed words gives the answer."""
    for item in _of(items, "word_count"):
        wanted = re.search("'(.+?)'", item.question)[1]
        listed = item.question.partition(": ")[2].rstrip(".").split(", ")
        assert listed.count(wanted) == int(item.answer), item


def test_more_than_any_manifest_asks_for():
    """Ten thousand search, ten thousand held-out and all few-shot items can be made."""
    assert sum(map(len, korean_qa().split(10_000, 10_000, 0))) == 20_032


def test_particles_and_names_read_naturally(items):
    """A name that ends in a consonant has its 이 before every particle, and no other word has a wrong one."""
    for item in items:
        for name in NAMES:
            closed = (ord(name[-1]) - 0xAC00) % 28 > 0
            for after in re.findall(
                rf"(?<![가-힣]){name}(이?(?:은|는|을|를|과|와|의|에게|보다|가))(?= )", item.question
            ):
                assert after.startswith("이") is closed, item


_IN_OTHER_WORDS = [
    ("general_rule", "예", ("네", "네, 들어 있습니다.", "예, 맞습니다.", "그렇습니다.", "정답은 예입니다.")),
    ("general_rule", "아니요", ("아니오", "아뇨", "아니요, 들어 있지 않습니다.", "아닙니다.")),
    ("true_or_false", "예", ("네", "맞습니다.")),
    ("true_or_false", "아니요", ("아니오.", "틀립니다.")),
    ("price_list", None, ("{}입니다.", "가장 싼 물건은 {}입니다", "**{}**", "정답: {}")),
    ("owners", None, ("{}입니다.", "답은 {}입니다.")),
    ("comparison", None, ("{}입니다.", "키를 견주어 보면 정답은 {}입니다.")),
    ("date_after", None, ("{}입니다.", "편지가 도착한 날은 {}입니다.", "{}에 도착했습니다.")),
    ("weekday_after", None, ("{}입니다", "무슨 요일인지 세어 보면 정답은 {}입니다.")),
    ("native_to_digits", None, ("{}", "{}개", "정답은 {}입니다.")),
]


@pytest.mark.parametrize(("kind", "expected", "answers"), _IN_OTHER_WORDS)
def test_right_answers_in_other_words_score(items, kind, expected, answers):
    """What a person would say instead of the expected words scores as they do."""
    item = next(each for each in _of(items, kind) if expected in (None, each.answer))
    for answer in answers:
        assert asyncio.run(Choice().score(item, answer.format(item.answer))) == 1, answer


def test_times_and_destinations_in_other_words(items):
    """A time of the timetable may be given by the half day, and a city by its train."""
    for item in _of(items, "timetable"):
        found = re.fullmatch(r"(\d+)시 (\d+)분", item.answer)
        if found is None:
            answers = (f"{item.answer}행", f"{item.answer}행 기차입니다.", f"{item.answer}로 갑니다.")
        else:
            hour, minute = map(int, found.groups())
            half = "오전" if hour < 12 else "오후"
            answers = (
                f"{half} {(hour - 1) % 12 + 1}시 {minute}분",
                f"{hour}:{minute:02d}",
                f"{hour}시 {minute}분입니다",
            )
            answers += (f"{hour}시",) if minute == 0 else ()
        for answer in answers:
            assert asyncio.run(Choice().score(item, answer)) == 1, (item, answer)


def test_colours_in_other_words(items):
    """빨강 is as right as 빨간색, another colour is not."""
    item = next(each for each in _of(items, "owners") if each.answer == "빨간색")
    assert asyncio.run(Choice().score(item, "빨강입니다.")) == 1
    assert asyncio.run(Choice().score(item, "파랑")) == 0


def test_containers_fit_what_they_hold(items):
    """Stamps lie in envelopes and boxes, never in a basket."""
    for item in _of(items, "general_rule"):
        thing = next(
            thing for thing in THINGS if f"에는 모두 {with_particle(thing.name, '이')} " in item.question
        )
        assert any(f" {container}에는 모두" in item.question for container in thing.containers), item
