"""Questions of `korean_qa` about the language: particles, counting words, letters, dictionary order."""

from llmopt_runner.datasets.draws import Draw
from llmopt_runner.datasets.generated import Kind, Problem
from llmopt_runner.datasets.korean.lexicon import ANIMALS, CITIES, DEAR_GOODS, NAMES, PLACES, THINGS
from llmopt_runner.datasets.korean.words import native_numeral, particle_of, person
from llmopt_runner.datasets.korean.words import with_particle as p

# Counters that take native numerals up to 99.
_NATIVE_COUNTERS = (
    ("사과", "개"), ("강아지", "마리"), ("책", "권"), ("장미", "송이"), ("연필", "자루"), ("자동차", "대"),
    ("나무", "그루"), ("신발", "켤레"), ("물", "병"), ("손님", "명"),
)  # fmt: skip
_WORDS = (*CITIES, *DEAR_GOODS, *ANIMALS, *PLACES, *(thing.name for thing in THINGS))
# Sentences with a gap for a particle after the word, and the particle's two forms.
_GAPS = (
    ("은", "는", "{word}( ) 어제보다 오늘 더 비쌉니다."),
    ("이", "가", "저기에 {word}( ) 있습니다."),
    ("을", "를", "{name}에게 {word}( ) 주었습니다."),
    ("과", "와", "{word}( ) 다른 것을 함께 샀습니다."),
    ("으로", "로", "{name}의 선물은 {word}( ) 정했습니다."),
)


def _right_particle(draw: Draw) -> Problem:
    word = draw.one([*DEAR_GOODS, *(thing.name for thing in THINGS), *ANIMALS])
    closed, open_, sentence = draw.one(_GAPS)
    filled = sentence.format(word=word, name=person(draw.one(NAMES)))
    return Problem(
        f"다음 문장의 빈칸에 들어갈 알맞은 조사를 고르세요. {filled}",
        particle_of(word, closed),
        (closed, open_) if draw.integer(0, 1) else (open_, closed),
    )


def _native_count(draw: Draw) -> Problem:
    thing, counter = draw.one(_NATIVE_COUNTERS)
    count = draw.integer(1, 99)
    others = draw.some(
        [other for other in range(max(1, count - 12), min(99, count + 12)) if other != count], 3
    )
    choices = draw.shuffled([f"{native_numeral(number)} {counter}" for number in (count, *others)])
    return Problem(
        f"'{thing} {count}{counter}'에서 '{count}{counter}'{particle_of(counter, '을')} 바르게 읽은 것을 "
        "고르세요.",
        f"{native_numeral(count)} {counter}",
        tuple(choices),
    )


def _native_to_digits(draw: Draw) -> Problem:
    thing, counter = draw.one(_NATIVE_COUNTERS)
    count = draw.integer(11, 99)
    return Problem(
        f"'{thing} {native_numeral(count)} {counter}'에서 {p(thing, '은')} 몇 {counter}인지 숫자로 쓰세요.",
        str(count),
    )


def _letter_at(draw: Draw) -> Problem:
    words = draw.some([word for word in _WORDS if len(word) > 1], 3)
    joined = "".join(words)
    place = draw.integer(1, len(joined))
    return Problem(
        f"낱말 {p(', '.join(words), '을')} 차례로 붙여 쓰면 '{joined}'입니다. 이 글자들 가운데 앞에서 "
        f"{place}번째 글자는 무엇입니까?",
        joined[place - 1],
    )


def _reversed_word(draw: Draw) -> Problem:
    first, second = draw.some([word for word in _WORDS if len(word) > 1], 2)
    word = first + second
    return Problem(f"'{word}'의 글자를 뒤에서부터 거꾸로 쓰면 무엇입니까?", word[::-1])


def _dictionary_order(draw: Draw) -> Problem:
    words = draw.some([word for word in _WORDS if len(word) > 1], 4)
    ranked = sorted(words)
    which, answer = draw.one((("가장 먼저", ranked[0]), ("가장 나중에", ranked[-1])))
    return Problem(
        f"{p(', '.join(words), '을')} 국어사전에 실린 차례로 놓으면 {which} 나오는 낱말은 무엇입니까?", answer
    )


def _odd_length(draw: Draw) -> Problem:
    length = draw.one((2, 3))
    same = [word for word in _WORDS if len(word) == length]
    other = draw.one([word for word in _WORDS if len(word) == 5 - length])
    words = draw.shuffled([*draw.some(same, 3), other])
    return Problem(
        f"다음 가운데 글자 수가 나머지와 다른 낱말을 고르세요: {', '.join(words)}.", other, tuple(words)
    )


def _word_count(draw: Draw) -> Problem:
    wanted, *others = draw.some(_WORDS, 4)
    times = draw.integer(2, 5)
    rest = [draw.one(others) for _ in range(draw.integer(3, 6))]
    words = draw.shuffled([*[wanted] * times, *rest])
    return Problem(
        f"다음 목록에 '{wanted}'{particle_of(wanted, '이')} 몇 번 나오는지 숫자로 쓰세요: "
        f"{', '.join(words)}.",
        str(times),
    )


KINDS = (
    Kind("right_particle", _right_particle),
    Kind("native_count", _native_count),
    Kind("native_to_digits", _native_to_digits),
    Kind("letter_at", _letter_at),
    Kind("reversed_word", _reversed_word),
    Kind("dictionary_order", _dictionary_order),
    Kind("odd_length", _odd_length),
    Kind("word_count", _word_count),
)
