import re
from fractions import Fraction
from statistics import mean

import pytest

from llmopt_runner.datasets.korean_math import korean_math
from llmopt_runner.quality.numbers import answered_number


@pytest.fixture(scope="module")
def items():
    return korean_math().items(5000, seed=11)


# Each kind's answer once more, from nothing but the numbers in its text, by a way the generator does not go.
_AGAIN = {
    "gains_and_gifts": lambda had, gave, got: had + got - gave,
    "boxes_and_singles": lambda each, boxes, single: sum([each] * boxes, single),
    "equal_shares": Fraction,
    "left_over": lambda total, each: total % each,
    "containers_needed": lambda each, total: len(range(0, total, each)),
    "more_than_another": lambda count, more: count + (count + more),
    "times_as_many": lambda count, times: count * times - count,
    "farm_sum": lambda total, a, b: total - (a + b),
    "legs": lambda _, __, heads, legs: next(n for n in range(heads + 1) if n * 4 + (heads - n) * 2 == legs),
    "reading_pages": lambda pages, daily, days: pages - daily * days,
    "trees_along_a_road": lambda length, gap: len(range(0, length + 1, gap)),
    "change": lambda price, count, other, other_count, paid: paid - price * count - other * other_count,
    "savings": lambda start, weekly, weeks: start + sum([weekly] * weeks),
    "discount": lambda price, percent: price - Fraction(price * percent, 100),
    "percent_of_students": lambda total, percent: Fraction(percent, 100) * total,
    "shared_by_ratio": lambda total, a, b: total * Fraction(a, a + b),
    "fraction_left": lambda length, under, over: length - length * Fraction(over, under),
    "distance": lambda speed, hours, minutes: speed * (hours + Fraction(minutes, 60)),
    "travel_hours": lambda speed, distance: Fraction(distance, speed),
    "meeting": lambda apart, _, a, __, b: Fraction(apart, a + b),
    "machines": lambda each, machines, hours: each * machines * hours,
    "average": lambda *scores: mean(map(Fraction, scores)),
    "missing_score": lambda a, b, c, average: 4 * average - a - b - c,
    "age_sum": lambda gap, total: Fraction(total - gap, 2),
    "multiplied_sequence": lambda start, factor, place: start * factor ** (place - 1),
    "remainder": lambda number, divisor: number - number // divisor * divisor,
    "divided_back": lambda divisor, quotient, rest: next(
        n for n in range(10_000) if divmod(n, divisor) == (quotient, rest)
    ),
    "mistaken_operation": lambda added, wrong: wrong - 2 * added,
}


def _numbers(text):
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?<!,)", text)]


@pytest.mark.parametrize("kind", sorted(_AGAIN))
def test_answers_follow_from_the_text(items, kind):
    """Solving the problem again from its text alone gives the generator's answer."""
    ours = [item for item in items if item.kind == kind]
    assert len(ours) > 100
    for item in ours:
        assert _AGAIN[kind](*_numbers(item.question)) == int(item.answer), item


def test_elapsed_minutes(items):
    """The minutes between two clock readings, on a 24-hour clock, are the answer."""
    for item in items:
        if item.kind == "elapsed_minutes":
            (a, b) = (
                (int(hour) % 12 + 12 * (half == "오후")) * 60 + int(minute or 0)
                for half, hour, minute in re.findall(r"(오전|오후) (\d+)시(?: (\d+)분)?", item.question)
            )
            assert b - a == int(item.answer), item


def test_ages_come_true(items):
    """In the year of the answer one age is that multiple of the other, by elders of a plausible age."""
    for item in items:
        if item.kind == "age_multiple":
            young, old, times = _numbers(item.question)
            assert (young + int(item.answer)) * times == old + int(item.answer), item
            assert 18 <= old - young <= 40, item


def test_expressions_evaluate(items):
    """Python's own arithmetic agrees with the answers to written expressions."""
    for item in items:
        if item.kind == "mixed_operations":
            expression = item.question.partition("의 값")[0].replace("\u00d7", "*")
            assert re.fullmatch(r"[-+*() \d]+", expression), item
            assert eval(expression) == int(item.answer), item  # noqa: S307 - digits and signs, as asserted


def test_items_are_distinct(items):
    """Five thousand items are five thousand questions with as many ids."""
    assert len({item.question for item in items}) == len({item.id for item in items}) == 5000


def test_answers_are_whole_numbers_that_numeric_reads(items):
    """Each answer is written in digits and is the number that the evaluator reads."""
    for item in items:
        assert re.fullmatch(r"-?\d+", item.answer), item
        assert answered_number(item.answer) == int(item.answer)


def test_particles_after_numbers_are_right(items):
    """After a number stands the particle that goes with how its last digit is read."""
    closed = set("013678")
    forms = {"은": True, "는": False, "을": True, "를": False, "과": True, "와": False}
    seen = 0
    for item in items:
        for digit, particle in re.findall(r"(\d)(은|는|을|를|과|와)(?= )", item.question):
            seen += 1
            assert (digit in closed) == forms[particle], item
    assert seen > 100


def test_texts_have_no_holes(items):
    """No question holds a brace, a doubled space or a missing end."""
    for item in items:
        assert not re.search(r"[{}]|None|  ", item.question), item
        assert item.question.endswith(("?", ".")), item


def test_more_than_any_manifest_asks_for():
    """Ten thousand search, ten thousand held-out and all few-shot items can be made."""
    assert sum(map(len, korean_math().split(10_000, 10_000, 0))) == 20_032


def test_distances_of_four_digits_have_their_comma(items):
    """A distance in metres is written as prices are: 1,620m."""
    metres = [found for item in items for found in re.findall(r"([\d,]+)m(?![a-z])", item.question)]
    assert any("," in each for each in metres)
    assert all(each == f"{int(each.replace(',', '')):,}" for each in metres)


def test_what_one_container_holds_is_said_as_people_say_it(items):
    """`필통 하나에 ... 23개씩`, and a share of students did something, instead of being students who did."""
    assert not [
        item
        for item in items
        if re.search(r"(?:^|을 |를 )한 (?:상자|필통|봉투|바구니|꽃병)에", item.question)
    ]
    assert not [item for item in items if re.search(r"%가 .* 학생입니다", item.question)]
