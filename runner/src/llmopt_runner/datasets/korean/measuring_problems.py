"""Word problems of `korean_math` about money, shares, time, distance, lengths and weights."""

from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import Kind, Problem
from llmopt_runner.datasets.korean.lexicon import DEAR_GOODS, GOODS, NAMES, THINGS, VEHICLES
from llmopt_runner.datasets.korean.words import person
from llmopt_runner.datasets.korean.words import with_particle as p

_NOTES = (5_000, 10_000, 20_000, 50_000)
# Large unit, small unit, small units in a large one.
_UNITS = (
    ("킬로그램", "그램", 1_000),
    ("킬로미터", "미터", 1_000),
    ("리터", "밀리리터", 1_000),
    ("미터", "센티미터", 100),
    ("센티미터", "밀리미터", 10),
    ("시간", "분", 60),
    ("분", "초", 60),
)


def _won(amount: int) -> str:
    return f"{amount:,}원"


def _clock(minutes: int) -> str:
    half = "오전" if minutes < 12 * 60 else "오후"
    hour, minute = (minutes // 60 - 1) % 12 + 1, minutes % 60
    return f"{half} {hour}시 {minute}분" if minute else f"{half} {hour}시"


def _change(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    (first, first_prices), (second, second_prices) = draw.some(GOODS, 2)
    price, other_price = draw.one(first_prices), draw.one(second_prices)
    count, other_count = draw.integer(1, 6), draw.integer(1, 6)
    cost = price * count + other_price * other_count
    paid = draw.one([note for note in _NOTES if note > cost])
    return Problem(
        f"{p(name, '은')} 한 {first.counter}에 {_won(price)}인 {first.name} "
        f"{count}{p(first.counter, '과')} 한 {second.counter}에 "
        f"{_won(other_price)}인 {second.name} {other_count}{p(second.counter, '을')} 사고 {_won(paid)}을 "
        "냈습니다. "
        "거스름돈은 몇 원입니까?",
        str(paid - cost),
    )


def _savings(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    start, weekly, weeks = (
        draw.integer(1_000, 20_000, 500),
        draw.integer(500, 5_000, 500),
        draw.integer(3, 20),
    )
    return Problem(
        f"{p(name, '은')} 저금통에 {_won(start)}을 가지고 있습니다. 매주 {_won(weekly)}씩 {weeks}주 동안 "
        "저금하면 "
        "저금통에 든 돈은 모두 몇 원이 됩니까?",
        str(start + weekly * weeks),
    )


def _discount(draw: Draw) -> Problem:
    goods = draw.one(DEAR_GOODS)
    price, percent = draw.integer(10_000, 90_000, 1_000), draw.integer(5, 60, 5)
    return Problem(
        f"정가가 {_won(price)}인 {p(goods, '을')} {percent}% 할인하여 판매합니다. 할인된 가격은 몇 원입니까?",
        str(price * (100 - percent) // 100),
    )


def _percent_of_students(draw: Draw) -> Problem:
    step, total = draw.integer(1, 19), draw.integer(40, 800, 20)
    said, what = draw.one(
        (
            ("안경을 썼습니다", "안경을 쓴"),
            ("자전거로 등교합니다", "자전거로 등교하는"),
            ("동생이 있습니다", "동생이 있는"),
            ("수영을 할 수 있습니다", "수영을 할 수 있는"),
            ("아침을 먹었습니다", "아침을 먹은"),
        )
    )
    return Problem(
        f"어느 학교의 학생 {total}명 가운데 {5 * step}%가 {said}. {what} 학생은 몇 명입니까?",
        str(total * step // 20),
    )


def _shared_by_ratio(draw: Draw) -> Problem:
    first, second = map(person, draw.some(NAMES, 2))
    thing = draw.one(THINGS)
    a, b = draw.some(range(1, 8), 2)
    part = draw.integer(2, 15)
    unit = thing.counter
    return Problem(
        f"{thing.name} {(a + b) * part}{p(unit, '을')} {p(first, '과')} {p(second, '이')} {a} : {b}의 비로 "
        "나누어 가졌습니다. "
        f"{p(first, '이')} 가진 {p(thing.name, '은')} 몇 {unit}입니까?",
        str(a * part),
    )


def _fraction_left(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    under = draw.integer(3, 9)
    over, part = draw.integer(1, under - 1), draw.integer(4, 40)
    return Problem(
        f"{p(name, '은')} 길이가 {under * part}cm인 리본의 {p(f'{under}분의 {over}', '을')} 사용했습니다. "
        "남은 리본의 길이는 몇 cm입니까?",
        str((under - over) * part),
    )


def _elapsed_minutes(draw: Draw) -> Problem:
    start, length = draw.integer(7 * 60, 16 * 60, 5), draw.integer(25, 220, 5)
    what = draw.one(("영화가", "공연이", "축구 경기가", "수업이", "체험 활동이", "음악회가"))
    return Problem(
        f"{what} {_clock(start)}에 시작하여 같은 날 {_clock(start + length)}에 끝났습니다. 시작부터 끝까지 "
        "몇 분이 걸렸습니까?",
        str(length),
    )


def _distance(draw: Draw) -> Problem:
    vehicle = draw.one(VEHICLES)
    speed, hours = draw.integer(30, 120, 2), draw.integer(2, 9)
    return Problem(
        f"{p(vehicle, '이')} 한 시간에 {speed}km씩 일정한 빠르기로 달립니다. {hours}시간 30분 동안 달린 "
        "거리는 몇 km입니까?",
        str(speed * hours + speed // 2),
    )


def _travel_hours(draw: Draw) -> Problem:
    vehicle = draw.one(VEHICLES)
    speed, hours = draw.integer(40, 120, 5), draw.integer(2, 12)
    return Problem(
        f"{p(vehicle, '이')} 한 시간에 {speed}km씩 일정한 빠르기로 {speed * hours}km를 달렸습니다. 걸린 "
        "시간은 몇 시간입니까?",
        str(hours),
    )


def _meeting(draw: Draw) -> Problem:
    first, second = map(person, draw.some(NAMES, 2))
    a, b, minutes = draw.integer(40, 90, 5), draw.integer(40, 90, 5), draw.integer(4, 40)
    return Problem(
        f"{(a + b) * minutes:,}m 떨어진 두 곳에서 {p(first, '과')} {p(second, '이')} 서로를 향해 동시에 "
        f"출발했습니다. {p(first, '은')} "
        f"1분에 {a}m씩, {p(second, '은')} 1분에 {b}m씩 걷습니다. 두 사람은 출발한 지 몇 분 뒤에 만납니까?",
        str(minutes),
    )


def _unit_conversion(draw: Draw) -> Problem:
    large, small, size = draw.one(_UNITS)
    whole, rest = draw.integer(1, 60), draw.integer(1, size - 1)
    return Problem(
        f"{whole}{large} {p(f'{rest}{small}', '을')} {small} 단위로만 나타내면 몇 {small}입니까?",
        str(whole * size + rest),
    )


def _rectangle(draw: Draw) -> Problem:
    width, height = draw.integer(3, 40), draw.integer(3, 40)
    shape = f"가로가 {width}cm, 세로가 {height}cm인 직사각형"
    if draw.integer(0, 1):
        return Problem(f"{shape}의 둘레는 몇 cm입니까?", str(2 * (width + height)))
    return Problem(f"{shape}의 넓이는 몇 제곱센티미터입니까?", str(width * height))


def _machines(draw: Draw) -> Problem:
    each, machines, hours = draw.integer(5, 60), draw.integer(2, 12), draw.integer(2, 10)
    goods = draw.one(("장난감", "의자", "단추", "인형", "상자"))
    return Problem(
        f"기계 한 대가 한 시간에 {p(goods, '을')} {each}개 만듭니다. 같은 기계 {machines}대로 {hours}시간 "
        "동안 만드는 "
        f"{p(goods, '은')} 모두 몇 개입니까?",
        str(each * machines * hours),
    )


KINDS = (
    Kind("change", _change),
    Kind("savings", _savings),
    Kind("discount", _discount),
    Kind("percent_of_students", _percent_of_students),
    Kind("shared_by_ratio", _shared_by_ratio),
    Kind("fraction_left", _fraction_left),
    Kind("elapsed_minutes", _elapsed_minutes),
    Kind("distance", _distance),
    Kind("travel_hours", _travel_hours),
    Kind("meeting", _meeting),
    Kind("unit_conversion", _unit_conversion),
    Kind("rectangle", _rectangle),
    Kind("machines", _machines),
)
