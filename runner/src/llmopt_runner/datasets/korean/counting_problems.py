"""Word problems of `korean_math` about how many: owning, sharing, packing, comparing."""

from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import Kind, Problem
from llmopt_runner.datasets.korean.lexicon import ANIMALS, NAMES, THINGS
from llmopt_runner.datasets.korean.words import person
from llmopt_runner.datasets.korean.words import with_particle as p


def _gains_and_gifts(draw: Draw) -> Problem:
    owner, friend, other = map(person, draw.some(NAMES, 3))
    thing = draw.one(THINGS)
    had, got = draw.integer(10, 60), draw.integer(2, 30)
    gave = draw.integer(1, had - 1)
    unit = thing.counter
    return Problem(
        f"{p(owner, '은')} {p(thing.name, '을')} {had}{unit} 가지고 있었습니다. {friend}에게 "
        f"{gave}{p(unit, '을')} 주고, "
        f"{other}에게서 {got}{p(unit, '을')} 받았습니다. {p(owner, '이')} 지금 가지고 있는 "
        f"{p(thing.name, '은')} 몇 {unit}입니까?",
        str(had - gave + got),
    )


def _boxes_and_singles(draw: Draw) -> Problem:
    thing = draw.one(THINGS)
    container = draw.one(thing.containers)
    each, boxes, single = draw.integer(3, 24), draw.integer(2, 15), draw.integer(1, 20)
    unit = thing.counter
    return Problem(
        f"{container} 하나에 {p(thing.name, '이')} {each}{unit}씩 들어 있습니다. {container} {boxes}개에 든 "
        f"{p(thing.name, '과')} {container} 밖에 있는 {thing.name} {single}{p(unit, '을')} 합하면 모두 몇 "
        f"{unit}입니까?",
        str(each * boxes + single),
    )


def _equal_shares(draw: Draw) -> Problem:
    thing = draw.one(THINGS)
    people, share = draw.integer(2, 15), draw.integer(2, 30)
    unit = thing.counter
    return Problem(
        f"{thing.name} {people * share}{p(unit, '을')} 학생 {people}명이 똑같이 나누어 가지려고 합니다. "
        f"한 명이 가지게 되는 {p(thing.name, '은')} 몇 {unit}입니까?",
        str(share),
    )


def _left_over(draw: Draw) -> Problem:
    thing = draw.one(THINGS)
    container = draw.one(thing.containers)
    each, full = draw.integer(3, 12), draw.integer(3, 20)
    rest = draw.integer(1, each - 1)
    unit = thing.counter
    return Problem(
        f"{thing.name} {each * full + rest}{p(unit, '을')} {container} 하나에 {each}{unit}씩 가득 "
        f"채워 담았습니다. {container}에 담지 못하고 남은 {p(thing.name, '은')} 몇 {unit}입니까?",
        str(rest),
    )


def _containers_needed(draw: Draw) -> Problem:
    thing = draw.one(THINGS)
    container = draw.one(thing.containers)
    each, total = draw.integer(4, 12), draw.integer(30, 150)
    unit = thing.counter
    return Problem(
        f"{container} 하나에 {p(thing.name, '을')} {each}{unit}까지 담을 수 있습니다. {thing.name} "
        f"{total}{p(unit, '을')} "
        f"모두 담으려면 {p(container, '은')} 적어도 몇 개 필요합니까?",
        str(-(-total // each)),
    )


def _more_than_another(draw: Draw) -> Problem:
    first, second = map(person, draw.some(NAMES, 2))
    thing = draw.one(THINGS)
    count, more = draw.integer(5, 50), draw.integer(2, 20)
    unit = thing.counter
    return Problem(
        f"{p(first, '은')} {p(thing.name, '을')} {count}{unit} 가지고 있고, {p(second, '은')} {first}보다 "
        f"{more}{unit} 더 많이 "
        f"가지고 있습니다. 두 사람이 가진 {p(thing.name, '은')} 모두 몇 {unit}입니까?",
        str(2 * count + more),
    )


def _times_as_many(draw: Draw) -> Problem:
    first, second = map(person, draw.some(NAMES, 2))
    thing = draw.one(THINGS)
    count, times = draw.integer(3, 25), draw.integer(2, 6)
    unit = thing.counter
    return Problem(
        f"{p(first, '은')} {p(thing.name, '을')} {count}{unit} 모았고, {p(second, '은')} {first}의 "
        f"{times}배를 모았습니다. "
        f"{p(second, '은')} {first}보다 {p(thing.name, '을')} 몇 {unit} 더 모았습니까?",
        str(count * (times - 1)),
    )


def _farm_sum(draw: Draw) -> Problem:
    first, second, third = draw.some(ANIMALS, 3)
    a, b, total = draw.integer(5, 40), draw.integer(5, 40), draw.integer(90, 160)
    return Problem(
        f"농장에 {first}, {second}, {p(third, '이')} 모두 {total}마리 있습니다. {p(first, '이')} {a}마리이고 "
        f"{p(second, '이')} {b}마리일 때, {p(third, '은')} 몇 마리입니까?",
        str(total - a - b),
    )


def _legs(draw: Draw) -> Problem:
    birds, beasts = draw.integer(3, 40), draw.integer(3, 40)
    bird = draw.one(("닭", "오리", "거위"))
    beast = draw.one(("토끼", "염소", "돼지", "양"))
    return Problem(
        f"다리가 2개인 {p(bird, '과')} 다리가 4개인 {p(beast, '이')} 모두 {birds + beasts}마리 있습니다. "
        "다리의 수를 모두 세어 보니 "
        f"{2 * birds + 4 * beasts}개였습니다. {p(beast, '은')} 몇 마리입니까?",
        str(beasts),
    )


def _reading_pages(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    daily, days, left = draw.integer(8, 40), draw.integer(3, 12), draw.integer(5, 80)
    return Problem(
        f"{p(name, '은')} 전체 {daily * days + left}쪽인 책을 하루에 {daily}쪽씩 {days}일 동안 읽었습니다. "
        "남은 쪽수는 몇 쪽입니까?",
        str(left),
    )


def _trees_along_a_road(draw: Draw) -> Problem:
    gap, gaps = draw.integer(2, 15), draw.integer(4, 40)
    return Problem(
        f"길이가 {gap * gaps:,}m인 곧은 길의 한쪽에 처음부터 끝까지 {gap}m 간격으로 나무를 심으려고 합니다. "
        "길의 양 끝에도 나무를 "
        "심는다면 나무는 모두 몇 그루 필요합니까?",
        str(gaps + 1),
    )


KINDS = (
    Kind("gains_and_gifts", _gains_and_gifts),
    Kind("boxes_and_singles", _boxes_and_singles),
    Kind("equal_shares", _equal_shares),
    Kind("left_over", _left_over),
    Kind("containers_needed", _containers_needed),
    Kind("more_than_another", _more_than_another),
    Kind("times_as_many", _times_as_many),
    Kind("farm_sum", _farm_sum),
    Kind("legs", _legs),
    Kind("reading_pages", _reading_pages),
    Kind("trees_along_a_road", _trees_along_a_road),
)
