"""Questions of `korean_qa` whose answer stands in a short text or table: reading, look-up, true or false."""

from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import Kind, Problem
from llmopt_runner.datasets.korean.lexicon import (
    ACTIVITIES,
    CITIES,
    COLOUR_WORDS,
    COLOURS,
    DEAR_GOODS,
    NAMES,
    PLACES,
    RIDES,
    SUBJECTS,
    THINGS,
    WEEKDAYS,
)
from llmopt_runner.datasets.korean.words import person
from llmopt_runner.datasets.korean.words import with_particle as p

_YES, _NO = "예", "아니요"


def _weekly_schedule(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    days, activities = WEEKDAYS[:5], draw.some(ACTIVITIES, 5)
    table = ", ".join(f"{day} - {activity}" for day, activity in zip(days, activities, strict=True))
    at = draw.integer(0, 4)
    if draw.integer(0, 1):
        return Problem(
            f"{name}의 주간 계획표: {table}. {p(name, '이')} {days[at]}에 하는 활동은 무엇입니까?",
            activities[at],
        )
    return Problem(
        f"{name}의 주간 계획표: {table}. {p(activities[at], '이')} 있는 날은 무슨 요일입니까?",
        days[at],
    )


def _price_list(draw: Draw) -> Problem:
    goods = draw.some(DEAR_GOODS, 4)
    prices = draw.some(range(5_000, 60_000, 500), 4)
    table = ", ".join(f"{name} {price:,}원" for name, price in zip(goods, prices, strict=True))
    ranked = [name for _, name in sorted(zip(prices, goods, strict=True))]
    which, answer = draw.one(
        (
            ("가장 싼", ranked[0]),
            ("가장 비싼", ranked[-1]),
            ("두 번째로 싼", ranked[1]),
            ("두 번째로 비싼", ranked[-2]),
        )
    )
    return Problem(f"가게의 가격표입니다: {table}. 이 가운데 {which} 물건은 무엇입니까?", answer)


def _timetable(draw: Draw) -> Problem:
    cities = draw.some(CITIES, 4)
    starts = sorted(draw.some(range(7 * 60, 20 * 60, 10), 4))
    table = ", ".join(f"{city}행 {_clock(start)}" for city, start in zip(cities, starts, strict=True))
    at = draw.integer(0, 3)
    if draw.integer(0, 1):
        return Problem(
            f"기차 시간표: {table}. {cities[at]}행 기차는 몇 시 몇 분에 출발합니까?", _clock(starts[at])
        )
    earliest = starts[at] - draw.integer(1, 9)
    return Problem(
        f"기차 시간표: {table}. {_clock(earliest)}에 역에 도착한 사람이 가장 먼저 탈 수 있는 기차는 "
        "어느 도시로 갑니까?",
        cities[at],
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60}시 {minutes % 60:02d}분"


def _day_out(draw: Draw) -> Problem:
    owner, friend = draw.some(NAMES, 2)
    name = person(owner)
    first, second = draw.some(PLACES, 2)
    thing, vehicle = draw.one(THINGS), draw.one(RIDES)
    text = (
        f"{p(name, '은')} 토요일 아침에 {p(vehicle, '을')} 타고 {first}에 갔습니다. 점심을 먹은 뒤에는 "
        f"걸어서 {second}에 갔고, "
        f"그곳에서 {p(person(friend), '을')} 만나 {p(thing.name, '을')} 선물로 받았습니다."
    )
    question, answer = draw.one(
        (
            (f"{p(name, '이')} 아침에 간 곳은 어디입니까?", first),
            (f"{p(name, '이')} 점심을 먹은 뒤에 간 곳은 어디입니까?", second),
            (f"{p(name, '이')} 만난 사람은 누구입니까?", friend),
            (f"{p(name, '이')} 선물로 받은 것은 무엇입니까?", thing.name),
            (f"{p(name, '이')} 아침에 타고 간 것은 무엇입니까?", vehicle),
        )
    )
    return Problem(f"{text} {question}", answer)


def _owners(draw: Draw) -> Problem:
    names, colours = draw.some(NAMES, 4), draw.some(COLOURS, 4)
    goods = draw.one(DEAR_GOODS)
    listed = ", ".join(
        f"{p(person(name), '은')} {colour} {goods}" for name, colour in zip(names, colours, strict=True)
    )
    at = draw.integer(0, 3)
    text = f"네 사람이 저마다 물건을 하나씩 가지고 있습니다: {listed}."
    if draw.integer(0, 1):
        return Problem(f"{text} {colours[at]} {p(goods, '을')} 가진 사람은 누구입니까?", names[at])
    return Problem(
        f"{text} {p(person(names[at]), '이')} 가진 {p(goods, '은')} 무슨 색입니까?",
        colours[at],
        alternatives=COLOUR_WORDS[colours[at]],
    )


def _best_score(draw: Draw) -> Problem:
    names, scores = draw.some(NAMES, 4), draw.some(range(55, 100), 4)
    subject = draw.one(SUBJECTS)
    table = ", ".join(f"{name} {score}점" for name, score in zip(names, scores, strict=True))
    which, pick = draw.one((("가장 높은", max), ("가장 낮은", min)))
    return Problem(
        f"{subject} 시험 점수: {table}. 점수가 {which} 사람은 누구입니까?",
        names[scores.index(pick(scores))],
    )


def _true_or_false(draw: Draw) -> Problem:
    name, other = map(person, draw.some(NAMES, 2))
    thing = draw.one(THINGS)
    count, other_count = draw.some(range(3, 60), 2)
    unit = thing.counter
    claim, holds = draw.one(
        (
            (
                f"{p(name, '은')} {other}보다 {p(thing.name, '을')} 더 많이 가지고 있습니다.",
                count > other_count,
            ),
            (
                f"{p(other, '은')} {name}보다 {p(thing.name, '을')} 더 많이 가지고 있습니다.",
                other_count > count,
            ),
            (
                f"두 사람이 가진 {p(thing.name, '은')} 모두 {count + other_count}{unit}입니다.",
                True,
            ),
            (f"두 사람이 가진 {p(thing.name, '은')} 모두 {count + other_count + 1}{unit}입니다.", False),
        )
    )
    return Problem(
        f"글: {p(name, '은')} {p(thing.name, '을')} {count}{unit}, {p(other, '은')} {other_count}{unit} "
        "가지고 있습니다. "
        f"다음 문장이 글과 맞으면 '{_YES}', 틀리면 '{_NO}'라고 답하세요. 문장: {claim}",
        _YES if holds else _NO,
    )


def _matching_statement(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    places = draw.some(PLACES, 4)
    days = draw.some(WEEKDAYS, 4)
    visits = list(zip(sorted(days[:3], key=WEEKDAYS.index), places[:3], strict=True))
    listed = ", ".join(f"{day}에는 {place}" for day, place in visits)
    day, place = visits[draw.integer(0, 2)]
    # A place where nobody went, a day spent at home, the place of another day.
    other_place = next(where for when, where in visits if when != day)
    wrong = [_went(name, day, places[3]), _went(name, days[3], place), _went(name, day, other_place)]
    choices = draw.shuffled([_went(name, day, place), *wrong])
    return Problem(
        f"글: {p(name, '은')} 지난주 {listed}에 갔고, 다른 날에는 집에 있었습니다. 글의 내용과 같은 것을 "
        "고르세요.",
        _went(name, day, place),
        tuple(choices),
    )


def _went(name: str, day: str, place: str) -> str:
    return f"{p(name, '은')} {day}에 {place}에 갔습니다"


KINDS = (
    Kind("weekly_schedule", _weekly_schedule),
    Kind("price_list", _price_list),
    Kind("timetable", _timetable),
    Kind("day_out", _day_out),
    Kind("owners", _owners),
    Kind("best_score", _best_score),
    Kind("true_or_false", _true_or_false),
    Kind("matching_statement", _matching_statement),
)
