"""Questions of `korean_qa` that ask for a step of reasoning: order, position, conditions, days and dates."""

from itertools import pairwise

from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import Kind, Problem
from llmopt_runner.datasets.korean.lexicon import (
    ANIMALS,
    CITIES,
    COLOURS,
    NAMES,
    THINGS,
    WEEKDAYS,
)
from llmopt_runner.datasets.korean.words import person
from llmopt_runner.datasets.korean.words import with_particle as p

_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_COMPARISONS = (
    ("키가 큽니다", "키가 가장 큰", "키가 가장 작은"),
    ("나이가 많습니다", "나이가 가장 많은", "나이가 가장 적은"),
    ("몸무게가 무겁습니다", "몸무게가 가장 무거운", "몸무게가 가장 가벼운"),
    ("달리기가 빠릅니다", "달리기가 가장 빠른", "달리기가 가장 느린"),
)


def _comparison(draw: Draw) -> Problem:
    ranked = draw.some(NAMES, 4)
    verb, most, least = draw.one(_COMPARISONS)
    facts = draw.shuffled(
        [f"{p(person(higher), '은')} {person(lower)}보다 {verb}." for higher, lower in pairwise(ranked)]
    )
    which, answer = draw.one(((most, ranked[0]), (least, ranked[-1])))
    return Problem(f"{' '.join(facts)} 네 사람 가운데 {which} 사람은 누구입니까?", answer)


def _finishing_order(draw: Draw) -> Problem:
    names = draw.some(NAMES, 4)
    facts = draw.shuffled(
        [
            f"{p(person(first), '은')} {person(second)} 바로 앞에 들어왔습니다."
            for first, second in pairwise(names)
        ]
    )
    place = draw.integer(1, 4)
    return Problem(
        f"달리기에서 네 사람이 차례로 결승선에 들어왔습니다. {' '.join(facts)} {place}등은 누구입니까?",
        names[place - 1],
    )


def _row_position(draw: Draw) -> Problem:
    names = draw.some(NAMES, 5)
    at = draw.integer(0, 3)
    line = ", ".join(names)
    side, asked, answer = draw.one((("오른쪽", names[at], names[at + 1]), ("왼쪽", names[at + 1], names[at])))
    return Problem(
        f"다섯 사람이 왼쪽부터 {line} 순서로 한 줄로 앉아 있습니다. {person(asked)}의 바로 "
        f"{side}에 앉은 사람은 누구입니까?",
        answer,
    )


def _handed_on(draw: Draw) -> Problem:
    thing = draw.one(THINGS)
    people = draw.some(NAMES, draw.integer(3, 5))
    steps = " ".join(
        f"{p(person(giver), '은')} {p(thing.name, '을')} {person(taker)}에게 주었습니다."
        for giver, taker in pairwise(people)
    )
    return Problem(
        f"처음에 {p(person(people[0]), '이')} {p(thing.name, '을')} 한 {thing.counter} 가지고 있었습니다. "
        f"{steps} 지금 {p(thing.name, '을')} 가지고 있는 사람은 누구입니까?",
        people[-1],
    )


def _general_rule(draw: Draw) -> Problem:
    name, other = map(person, draw.some(NAMES, 2))
    colour, another = draw.some(COLOURS, 2)
    thing = draw.one(THINGS)
    container = draw.one(thing.containers)
    rule = (
        f"{colour} {container}에는 모두 {p(thing.name, '이')} 들어 있고, 다른 색 {container}에는 "
        f"{p(thing.name, '이')} 없습니다."
    )
    owner, answer = draw.one(((name, "예"), (other, "아니요")))
    return Problem(
        f"{rule} {name}의 {p(container, '은')} {colour}이고, {other}의 {p(container, '은')} {another}입니다. "
        f"{owner}의 {container}에 {p(thing.name, '이')} 들어 있습니까? '예' 또는 '아니요'로 답하세요.",
        answer,
    )


def _exclusion(draw: Draw) -> Problem:
    names, pets = draw.some(NAMES, 3), draw.some(ANIMALS, 3)
    first, second, third = map(person, names)
    return Problem(
        f"{first}, {second}, {p(third, '이')} {pets[0]}, {pets[1]}, {pets[2]} 가운데 서로 다른 동물을 한 "
        "마리씩 기릅니다. "
        f"{p(first, '은')} {p(pets[0], '을')} 기르고, {p(second, '은')} {p(pets[2], '을')} 기르지 않습니다. "
        f"{p(third, '이')} 기르는 동물은 무엇입니까?",
        pets[2],
    )


def _travel_order(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    cities = draw.some(CITIES, 4)
    at = draw.integer(0, 2)
    route = (
        f"{p(name, '은')} {cities[0]}에서 출발하여 {cities[1]}, {p(cities[2], '을')} 차례로 들러 "
        f"{cities[3]}에 도착했습니다."
    )
    question, answer = draw.one(
        (
            (f"{cities[at]} 바로 다음에 간 도시는 어디입니까?", cities[at + 1]),
            (f"{cities[at + 1]}에 가기 바로 전에 있던 도시는 어디입니까?", cities[at]),
        )
    )
    return Problem(f"{route} {question}", answer)


def _weekday_after(draw: Draw) -> Problem:
    today, days = draw.integer(0, 6), draw.integer(2, 60)
    ahead = bool(draw.integer(0, 1))
    shift, word = (days, "뒤는") if ahead else (-days, "전은")
    event = draw.one(("소풍날", "생일", "시험 날", "대청소 날", "이삿날", "방학식 날"))
    return Problem(
        f"{person(draw.one(NAMES))}의 {p(event, '은')} {WEEKDAYS[today]}입니다. 그날부터 {days}일 {word} "
        "무슨 요일입니까?",
        WEEKDAYS[(today + shift) % 7],
    )


def _date_after(draw: Draw) -> Problem:
    month, days = draw.integer(1, 12), draw.integer(2, 25)
    # Only within 28 days: no leap year decides the answer, and a date may roll over one month end at most.
    day = draw.integer(1, 28)
    length = _MONTH_DAYS[month - 1]
    if month == 2 and day + days > length:  # noqa: PLR2004 - February, whose length the year decides
        month, length = 3, 31
    rolled = day + days > length
    answer = f"{month % 12 + 1}월 {day + days - length}일" if rolled else f"{month}월 {day + days}일"
    name = person(draw.one(NAMES))
    return Problem(
        f"{p(name, '은')} {month}월 {day}일에 편지를 보냈고, 편지는 그날부터 {days}일 뒤에 도착했습니다. "
        "편지가 도착한 날은 몇 월 며칠입니까?",
        answer,
    )


KINDS = (
    Kind("comparison", _comparison),
    Kind("finishing_order", _finishing_order),
    Kind("row_position", _row_position),
    Kind("handed_on", _handed_on),
    Kind("general_rule", _general_rule),
    Kind("exclusion", _exclusion),
    Kind("travel_order", _travel_order),
    Kind("weekday_after", _weekday_after),
    Kind("date_after", _date_after),
)
