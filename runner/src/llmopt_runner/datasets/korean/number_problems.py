"""Word problems of `korean_math` about numbers themselves: averages, ages, sequences, sums, remainders."""

from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import Kind, Problem
from llmopt_runner.datasets.korean.lexicon import NAMES, SUBJECTS
from llmopt_runner.datasets.korean.words import person
from llmopt_runner.datasets.korean.words import with_particle as p

_TIMES = "\u00d7"


def _average(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    subjects = draw.some(SUBJECTS, draw.integer(3, 4))
    average = draw.integer(65, 88)
    scores = _around(draw, average, len(subjects))
    listed = ", ".join(f"{subject} {score}점" for subject, score in zip(subjects, scores, strict=True))
    return Problem(
        f"{name}의 시험 점수는 {listed}입니다. {name}의 평균 점수는 몇 점입니까?",
        str(average),
    )


def _around(draw: Draw, average: int, count: int) -> list[int]:
    """Return `count` numbers with the mean `average`."""
    shifts = [draw.integer(-4, 4) for _ in range(count - 1)]
    return [average + shift for shift in (*shifts, -sum(shifts))]


def _missing_score(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    average = draw.integer(65, 88)
    *known, missing = _around(draw, average, 4)
    listed = ", ".join(f"{score}점" for score in known)
    return Problem(
        f"{p(name, '이')} 시험을 네 번 보았습니다. 처음 세 번의 점수는 {listed}이고, 네 번의 평균은 "
        f"{average}점입니다. "
        "네 번째 시험의 점수는 몇 점입니까?",
        str(missing),
    )


def _age_multiple(draw: Draw) -> Problem:
    name = person(draw.one(NAMES))
    times = draw.integer(2, 4)
    # The elder is 20 to 36 years older.
    later = draw.integer(-(-20 // (times - 1)), 36 // (times - 1))
    years = draw.integer(1, later - 5)
    parent = draw.one(("어머니", "아버지", "고모", "삼촌"))
    return Problem(
        f"올해 {name}의 나이는 {later - years}살이고 {parent}의 나이는 {times * later - years}살입니다. "
        f"{parent}의 나이가 "
        f"{name} 나이의 {times}배가 되는 것은 몇 년 뒤입니까?",
        str(years),
    )


def _age_sum(draw: Draw) -> Problem:
    older, younger = map(person, draw.some(NAMES, 2))
    age, gap = draw.integer(5, 40), draw.integer(2, 20)
    return Problem(
        f"{p(older, '은')} {younger}보다 {gap}살 많고, 두 사람의 나이를 더하면 {2 * age + gap}살입니다. "
        f"{p(younger, '은')} 몇 살입니까?",
        str(age),
    )


def _next_in_sequence(draw: Draw) -> Problem:
    start, step = draw.integer(1, 80), draw.integer(2, 15)
    terms = [start + step * place for place in range(6)]
    if draw.integer(0, 1):
        terms.reverse()
    *shown, following = terms
    return Problem(
        f"다음 수들은 일정한 크기로 커지거나 작아집니다: {', '.join(map(str, shown))}. 바로 다음에 올 수는 "
        "무엇입니까?",
        str(following),
    )


def _multiplied_sequence(draw: Draw) -> Problem:
    start, factor, place = draw.integer(1, 40), draw.integer(2, 5), draw.integer(4, 6)
    return Problem(
        f"첫 번째 수는 {start}입니다. 앞의 수에 {p(str(factor), '을')} 곱하여 다음 수를 만들 때 "
        f"{place}번째 수는 무엇입니까?",
        str(start * factor ** (place - 1)),
    )


def _nth_term(draw: Draw) -> Problem:
    start, step, place = draw.integer(1, 50), draw.integer(2, 12), draw.integer(8, 40)
    return Problem(
        f"첫 번째 수는 {start}, 두 번째 수는 {start + step}, 세 번째 수는 {start + 2 * step}입니다. 같은 "
        "크기로 계속 커질 때 "
        f"{place}번째 수는 무엇입니까?",
        str(start + step * (place - 1)),
    )


def _remainder(draw: Draw) -> Problem:
    number, divisor = draw.integer(50, 999), draw.integer(3, 19)
    return Problem(
        f"{p(str(number), '을')} {p(str(divisor), '으로')} 나누었을 때의 나머지는 얼마입니까?",
        str(number % divisor),
    )


def _divided_back(draw: Draw) -> Problem:
    divisor, quotient = draw.integer(4, 25), draw.integer(5, 60)
    rest = draw.integer(1, divisor - 1)
    return Problem(
        f"어떤 수를 {p(str(divisor), '으로')} 나누었더니 몫은 {quotient}, 나머지는 {p(str(rest), '이')} "
        "되었습니다. 어떤 수는 얼마입니까?",
        str(divisor * quotient + rest),
    )


def _sum_and_difference(draw: Draw) -> Problem:
    small, gap = draw.integer(5, 90), draw.integer(2, 60)
    which, answer = draw.one((("큰", small + gap), ("작은", small)))
    return Problem(
        f"합이 {2 * small + gap}, 차가 {gap}인 두 자연수가 있습니다. 두 수 가운데 더 {which} 수는 "
        "얼마입니까?",
        str(answer),
    )


def _consecutive(draw: Draw) -> Problem:
    first, count = draw.integer(3, 300), draw.one((3, 5))
    numbers = range(first, first + count)
    which, answer = draw.one((("큰", numbers[-1]), ("작은", numbers[0])))
    word = {3: "세", 5: "다섯"}[count]
    return Problem(
        f"연속하는 {word} 자연수의 합이 {sum(numbers)}입니다. 이 가운데 가장 {which} 수는 얼마입니까?",
        str(answer),
    )


def _mixed_operations(draw: Draw) -> Problem:
    a, b, c = draw.integer(2, 30), draw.integer(2, 30), draw.integer(2, 9)
    d = draw.integer(1, 40)
    shapes = (
        (f"({a} + {b}) {_TIMES} {c} - {d}", (a + b) * c - d),
        (f"{a} + {b} {_TIMES} {c} - {d}", a + b * c - d),
        (f"{a} {_TIMES} {c} - {b} + {d}", a * c - b + d),
        (f"{a} {_TIMES} {b} + {c} {_TIMES} {d}", a * b + c * d),
    )
    text, value = draw.one(shapes)
    return Problem(f"{text}의 값은 얼마입니까?", str(value))


def _mistaken_operation(draw: Draw) -> Problem:
    number, added = draw.integer(30, 400), draw.integer(3, 29)
    return Problem(
        f"어떤 수에서 {p(str(added), '을')} 빼야 할 것을 잘못하여 더했더니 {p(str(number + added), '이')} "
        "되었습니다. "
        "바르게 계산하면 얼마입니까?",
        str(number - added),
    )


KINDS = (
    Kind("average", _average),
    Kind("missing_score", _missing_score),
    Kind("age_multiple", _age_multiple),
    Kind("age_sum", _age_sum),
    Kind("next_in_sequence", _next_in_sequence),
    Kind("multiplied_sequence", _multiplied_sequence),
    Kind("nth_term", _nth_term),
    Kind("remainder", _remainder),
    Kind("divided_back", _divided_back),
    Kind("sum_and_difference", _sum_and_difference),
    Kind("consecutive", _consecutive),
    Kind("mixed_operations", _mixed_operations),
    Kind("mistaken_operation", _mistaken_operation),
)
