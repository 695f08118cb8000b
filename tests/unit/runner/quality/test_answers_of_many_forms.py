"""Answers in the forms that models give them, right ones beside wrong ones that look alike."""

import asyncio

import pytest

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.choice import Choice
from llmopt_runner.quality.exact import is_exact
from llmopt_runner.quality.numeric import Numeric

# Expected, answers that a person accepts, answers that a person does not.
_EXACT = [
    (
        r"\sin x",
        ["sin x", r"$\sin(x)$", r"\boxed{\sin x}"],
        [r"\cos x", "x", r"\ln x", r"-\sin x", r"\sin^2 x"],
    ),
    # The order of terms and factors is free; what is to be expanded, factored or reduced is not done.
    ("x+1", ["1+x", "$1 + x$", "The answer is 1 + x."], ["x-1", "x+2", "x*1", "1x", "x"]),
    ("x-1", ["-1+x"], ["1-x", "x+1"]),
    ("(x-1)(x+1)", ["(x+1)(x-1)", "(1+x)(-1+x)"], ["x^2-1", "(x-1)(x-1)", "x-1x+1"]),
    ("x^2+2x+1", ["1+2x+x^2", "2x + x^2 + 1"], ["(x+1)^2", "x^2+x+x+1", "2x^2+x+1"]),
    ("5x", ["x·5"], ["2x+3x", "10x/2", "x^5", "5+x"]),
    (r"\sqrt{12}", [r"2\sqrt{3}"], [r"3\sqrt{2}", r"\sqrt{3}", "12"]),
    (r"2\sqrt{3}", [r"\sqrt{3}\cdot 2"], [r"\sqrt{12}", r"\sqrt{6}", "23"]),
    (r"\frac{\sqrt{3}}{3}", [r"\sqrt{3}/3"], [r"\frac{1}{\sqrt{3}}", r"\sqrt{3}"]),
    (
        r"4/3\pi",
        [r"\frac{4\pi}{3}", r"\frac{4}{3}\pi", r"4\pi/3"],
        [r"\frac{3\pi}{4}", r"\frac{4}{3\pi}", "4/3"],
    ),
    (r"\frac{x}{2}", ["x/2"], ["1/2x", "2/x", "x^2", "2x/4"]),
    ("1/(2x)", [r"\frac{1}{2x}"], ["1/2x", "x/2"]),
    ("y=2x+3", ["y = 3 + 2x", "$y=3+2x$"], ["y = 3x + 2", "x = 2y + 3", "y = 2x - 3"]),
    ("rat", ["Rat"], ["tar", "art"]),
    ("A-B-C", ["A - B - C"], ["A-C-B", "C-B-A", "-C-B+A"]),
    ("B C A", ["B, C, A"], ["A B C", "A·B·C"]),
    ("A/B/C", ["A/B/C"], ["A/C/B"]),
    ("f(x)", ["$f(x)$"], ["x(f)"]),
    ("x^0", ["x^{0}"], ["0^-1", "0x", "1/0"]),
    ("(3, 4)", ["(3,4)"], ["(4,3)", "(3+4)"]),
    (r"\log 2", ["log 2", r"\log(2)"], [r"\ln 2", "2", r"\log 3"]),
    (r"\alpha", ["\N{GREEK SMALL LETTER ALPHA}", r"$\alpha$"], [r"\beta", "a", r"\gamma"]),
    (r"\theta", ["θ"], [r"\phi", "0"]),
    (r"A \cup B", ["A \N{UNION} B"], [r"A \cap B", "A B", "B"]),
    (r"p \land q", ["p ∧ q", r"p \wedge q"], [r"p \lor q", "p q"]),
    ("O(n log n)", [r"$O(n \log n)$", r"\boxed{O(n\log n)}"], ["O(n)", r"O(n \sin n)", "O(log n)"]),
    (r"-\infty", ["-∞"], [r"\infty", "∞"]),
    ("-x", ["$-x$", r"\boxed{-x}"], ["x", "+x", "-y"]),
    ("x+1", ["$x + 1$", "f(x) = x+1", "y = x+1"], ["-(x+1)", "x-1", "x1"]),
    ("x = 5", ["5", "x=5", r"\boxed{5}"], ["y = 5", "x = -5", "x ≠ 5", "x > 5"]),
    ("x^2", ["x**2", "x²", "x^{2}"], ["x2", "2x", "x^3"]),
    (r"x \le 5", ["x <= 5", "x ≤ 5"], ["x < 5", "x >= 5", "5"]),
    ("a_1", ["a₁", "$a_{1}$"], ["a_2", "a", "1"]),
    ("CO2", ["CO₂", "$CO_2$", r"\mathrm{CO_2}"], ["CO", "CO3", "C2O"]),
    ("1/2", ["0.5", r"\frac{1}{2}", "2분의 1"], ["1.2", "1 2", "1:2", "2/1"]),
    ("1:2", ["1 : 2"], ["2:1", "1.2", "12", "1/2"]),
    ("(3, 4)", ["The point is (3, 4).", "(3,4)"], ["3/4", "3.4", "(4, 3)"]),
    (r"90^\circ", ["90°", "90 degrees", "90도", "$90^{\\circ}$"], ["90%", "45°", "-90°"]),
    (
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
        [r"\begin{bmatrix}1&2\\3&4\end{bmatrix}"],
        [r"\begin{pmatrix} 1 & 3 \\ 2 & 4 \end{pmatrix}", "1"],
    ),
    (
        "Paris",
        ["<b>Paris</b>", "1. Paris", "The capital: Paris"],
        ["Wrong: Paris", "1. London", "<b>Lyon</b>"],
    ),
    ("1945", ["In 1945.", "in the year 1945"], ["before 1945", "not in 1945"]),
    ("Monday", ["On Monday", "on Monday."], ["in on", "not on Monday", "on Monday or Tuesday"]),
    ("B", ["Option B", "option (b)", "보기 B"], ["Option A", "B or C", "Option B or C"]),
    ("Napoleon", ["It was won by Napoleon."], ["It was not won by Napoleon.", "Napoleon III"]),
    (
        "축구공",
        [
            "축구공이 가장 싼 물건입니다.",
            "축구공이라고 생각합니다.",
            "축구공이죠.",
            "축구공이었습니다.",
            "가장 싼 물건: 축구공",
            "결과적으로 축구공입니다.",
            "정답은 바로 축구공입니다!",
            "정답은 축구공이고 가격은 5,000원이다.",
        ],
        [
            "축구공은 비싸고 야구공이 쌉니다.",
            "오답: 축구공",
            "축구공이 아니고 야구공이다.",
            "축구공이나 야구공입니다.",
        ],
    ),
    (
        "민수",
        ["민수다.", "민수가 가장 빨리 도착했습니다."],
        ["민수네", "민수가 지고 영희가 이겼습니다.", "민수가 아닌 사람", "민수의 형입니다."],
    ),
    ("서울", ["서울로 갑니다."], ["서울에서 부산으로 갑니다.", "서울보다 부산"]),
    (
        "2시간 30분",
        ["두 시간 반", "150분", "2.5시간", "2 hours and 30 minutes", "2h 30m", "총 2시간 30분이 걸립니다."],
        ["2시 30분", "150시간", "2시간", "2시간 20분", "230분"],
    ),
    ("3시간", ["세 시간", "180분", "three hours"], ["3시", "3분", "3일", "오후 3시"]),
    ("예", ["네", "네. 그렇습니다."], ["네 개", "네 명입니다.", "네, 아니요"]),
    ("아니요", ["답: 아니오", "아닙니다."], ["네, 아니요", "예"]),
    ("yes", ["That is true.", "This is correct."], ["yes? no.", "It is untrue.", "It is not true."]),
    (
        "거짓",
        ["틀렸다", "틀렸습니다.", "거짓입니다"],
        ["틀림없다", "틀린 것이 없다", "틀렸다고 할 수 없다", "맞았다", "참"],
    ),
    ("참", ["맞았다", "맞습니다"], ["틀렸다", "맞았다고 할 수 없다"]),
    ("Mount Everest", ["Mt. Everest", "It is Mt Everest."], ["Mt. Fuji", "Everest Mt.", "Mount", "Everest"]),
    ("St. Petersburg", ["Saint Petersburg", "St Petersburg"], ["Petersburg", "Street Petersburg"]),
    ("Dr. Seuss", ["Doctor Seuss"], ["Seuss Doctor", "Dr. Zeus"]),
    (
        "no",
        ["It is false.", "That is incorrect.", "The statement is false."],
        ["No idea", "Yes, no doubt.", "No doubt, yes", "It is true."],
    ),
]
# A word that stands above the working announces the whole response, and not the first number in it.
_WORKED = [
    "Solution:\nShe has 16 - 7 = 9 eggs.\nShe makes 9 * 2 = $18.",
    "Here is the step-by-step solution:\n\n1. She has 16 - 7 = 9 eggs.\n2. She makes 9 * 2 = $18.",
    "**Solution:**\n\n1. Eggs: 16 - 7 = 9\n2. Money: 9 * 2 = 18\n\nSo she makes $18.",
    "Let's find the answer:\n9 eggs\n9 * 2 = 18",
    "To find the answer:\n1. 16 eggs\n2. 7 eaten\n\nTherefore, she makes **$18** every day.",
    "Response: We start with 16 eggs. 16 - 7 = 9. 9 * 2 = 18.",
    "Answer: She has 16 - 7 = 9 eggs. So she makes 9 * 2 = 18 dollars.",
    "Answer: She has 16 eggs. She eats 3 and bakes 4. She sells each for $2, so she makes $18.",
    "Answer:\n\nStep 1: 16 - 7 = 9\nStep 2: 9 * 2 = 18",
    "답: 16 - 7 = 9개, 9 × 2 = 18달러",
    "답변: 16개에서 7개를 뺀 9개를 팝니다. 따라서 18달러를 법니다.",
    "해답:\n1. 16 - 7 = 9\n2. 9 × 2 = 18",
    "### Answer\nShe has 16 - 7 = 9 eggs.\nShe makes 9 * 2 = 18 dollars.",
]
# But one above an answer announces it, whatever follows.
_ANSWERED_FIRST = [
    "Answer: 18. She has 16 - 7 = 9 eggs, so each brings 2.",
    "Answer: 18 dollars.\n\nExplanation: 16 - 7 = 9",
    "Answer: 9 * 2 = 18",
    "The answer is 18. She has 16 - 7 = 9 eggs.",
    "Answer: she makes 18 dollars for her 9 eggs.",
    "Answer: She makes 18 dollars a day. Here is why: 16 - 7 = 9 are left.",
    "**Answer: She makes $18 every day.**\n\n**Explanation:**\n16 - 7 = 9 eggs are left.",
    "정답: 하루에 모두 18달러를 법니다. 왜냐하면 16 - 7 = 9이기 때문입니다.",
    "정답: 하루에 모두 18달러를 법니다.\n\n풀이: 16 - 7 = 9",
    "정답: 18달러. 16 - 7 = 9이기 때문입니다.",
    "1. Answer: 18\n2. Working: 16 - 7 = 9",
]
_NUMBERS = [
    ("18", [*_WORKED, *_ANSWERED_FIRST], ["Solution: 18 eggs are 9 too many. So the answer is 9."]),
    (
        "42",
        ["The total is 42 (21 + 21).", "42 apples remain after 3 days."],
        ["±42", r"x = \pm 42", "42 < x", "42보다 크다"],
    ),
    ("7", ["7 (3 + 4)", "7 of the 10 remain.", "<b>7</b>"], ["7+7", "7*7", "7 - 5", "8 (not 7)"]),
    ("3", ["3 out of 5", "3 of the 5"], ["5 (2 + 3)", "5 out of 3"]),
    (
        "5",
        ["5\n\nExplanation: 2 + 3.", "5\n풀이: 2와 3을 더한다."],
        ["5\n6", ".5", "7\n\nExplanation: 2 + 5."],
    ),
    ("90", ["90분(1시간 30분)", "90 (1.5 hours)"], ["1.5 (90 minutes)"]),
    ("72", ["In total she sold 72 clips over 2 months."], ["She sold 24 clips over 72 months."]),
    (
        "1234",
        ["1'234", "1_234", "1 234", "one thousand, two hundred and thirty-four"],
        ["1,23", "12 34", "1.234"],
    ),
    ("70000", ["70'000", "70 000 €", "70.000,00"], ["70 00", "7'000"]),
    ("0.5", ["0,5", r"5·10⁻¹", ".5"], ["5", r"\frac{1}{2}x", "1,2", "(0,5)"]),
    ("6.02e23", ["6.02 · 10^23"], ["6.02", "10^23"]),
    ("125", ["백스물다섯", "백스물다섯 개"], ["스물다섯", "이백스물다섯", "백"]),
    ("320", ["삼백 이십", "삼백스무 개"], ["삼백", "이십", "삼천 이백"]),
    ("100", ["백 점", "백 명"], ["이백 점", "백오 점"]),
    ("0", ["영입니다", "0"], ["영화입니다"]),
    ("366", ["366 days in 2024", "There are 366 days in 2024."], ["365 days in 2024", "2024 has 365 days"]),
    ("1945", ["It ended after 6 years in 1945."], ["6 months in 1945"]),
    ("2024", ["In 2024"], ["366 days in 2024"]),
    (
        "350",
        ["$350 per month for 12 months", "She pays 350 dollars a month for 12 months."],
        ["$12 per month for 350 months", "$350 per month for 12 months, 4200 in all"],
    ),
    ("12", ["12 months"], ["$350 per month for 12 months", "350 every month for 12 months"]),
    ("10", ["She earns $10 per 50 minutes."], ["$50 per 10 minutes", "10 or 50"]),
    ("8", ["One dose is taken every 8 hours.", "2 pills every 8 hours"], ["8 pills per 2 hours and 3"]),
    (
        "1.25",
        ["1 and a quarter", "one and a quarter", "1 and a quarter hours"],
        ["1 and a third", "1", "1/4"],
    ),
    ("3", ["3 are left and a third of them is red."], ["3 and a third"]),
    ("0.5", ["절반", "절반입니다."], ["절반은 아니다", "절반 이상", "반장"]),
    ("0.3", ["3할", "3할입니다.", "30%"], ["3", "3할 2푼", "4할", "3할 일이 있다"]),
    ("0.325", ["3할 2푼 5리"], ["3할", "32.5"]),
    ("1999", ["nineteen ninety-nine"], ["nineteen and ninety-nine", "nineteen", "ninety-nine"]),
    ("118", [], ["nineteen ninety-nine"]),
    ("16", [], [r"\sqrt{16}", "4!"]),
    ("1", ["There is only one."], ["The only one left is 2."]),
]
_CITIES = ("Paris", "London", "Berlin", "Madrid")
_PLACES = ("4", "3", "2", "1")
_FORMULAS = ("$O(n)$", r"$O(\log n)$", r"$O(n \log n)$", "$1$")
_CHOICES = [
    (
        _CITIES,
        "London",
        [
            "Ans: b",
            "Ans. (B)",
            "Solution:\nA is Paris, C is Berlin, D is Madrid.\nSo B.",
            "To find the answer: A is in France. B is in the United Kingdom. So B is the answer.",
            "A라고 볼 수 없으므로 B이다.",
            "London. Paris is the capital of France.",
            "Option two",
            "the second option",
            "Second.",
            "두 번째",
            "두 번째입니다.",
            "ㄴ",
            "정답은 ㄴ입니다.",
            "答案是B",
            "正确答案是 B。",
            "答案\N{FULLWIDTH COLON}B",
            "答案是B\N{FULLWIDTH COMMA}不是A",
            "正解はB",
            "正解はBです。",
            "The answer is C? Wait, no, B.",
            "Is it C? No. The answer is B.",
            "B is the only one that isn't wrong.",
            "A, C and D are wrong.",
            "Paris, Berlin and Madrid are incorrect.",
        ],
        [
            "B는 정답이 될 수 없다.",
            "B일 리 없다.",
            "London. No, Paris.",
            "Option one",
            "option two or three",
            "Two",
            "The second half",
            "second to none",
            "두 번째가 아닙니다.",
            "ㄱ",
            "ㄱ과 ㄴ",
            "ㄴ, ㄷ",
            "答案不是B",
            "答案是A\N{FULLWIDTH COMMA}不是B",
            "答案是B或A",
            "答案是B还是A?",
            "正解はBではありません。",
            "正解はBではない。",
            "正解はAかB",
            "The answer is B? Wait, no, C.",
            "The answer is C? Wait, no, it is not B.",
            "B is the only one that isn't right.",
            "B is the only one that is wrong.",
            "B isn't right.",
            "London. It is wrong.",
            "London. But Paris is right.",
            "London. Paris is better.",
            "London. Berlin. Paris.",
            "A and C are wrong.",
            "A, B and C are wrong.",
            "It is not Paris.",
        ],
    ),
    (
        _CITIES,
        "Paris",
        ["Paris. London lies on the Thames."],
        ["Paris. The answer is London.", "London. Paris is wrong."],
    ),
    # Statements of the question, which its choices name.
    (("ㄱ, ㄴ", "ㄴ, ㄷ", "ㄷ", "ㄱ"), "ㄴ, ㄷ", ["ㄴ, ㄷ", "2번"], ["ㄴ", "ㄷ", "ㄱ, ㄴ"]),
    (("first", "second", "third"), "third", ["third", "The third one", "C"], ["second", "세 개", "three"]),
    (("Paris", "London"), "London", ["B"], ["It is not Paris or London."]),
    (
        _PLACES,
        "3",
        ["The answer is (2).", "The answer is ②.", "The answer is 3.", "B"],
        ["The answer is 2.", "(3)"],
    ),
    (_FORMULAS, _FORMULAS[2], [r"\boxed{O(n \log n)}", "O(n log n)", "C"], ["O(n)", "O(log n)"]),
    (_FORMULAS, _FORMULAS[3], ["1", "$1$", "D"], ["A", "O(1)"]),
]


def _flat(cases):
    return [
        (*given, answer, score)
        for *given, right, wrong in cases
        for score, answers in ((1, right), (0, wrong))
        for answer in answers
    ]


@pytest.mark.parametrize(("expected", "answer", "score"), _flat(_EXACT))
def test_exact_answers(expected, answer, score):
    """What differs in form only is right; another function, sign, unit or noun is not."""
    assert is_exact(expected, answer) == bool(score)


@pytest.mark.parametrize(("expected", "answer", "score"), _flat(_NUMBERS))
def test_numbers(expected, answer, score):
    """The number that states the answer counts, not what restates it or what it is a part of."""
    assert asyncio.run(Numeric().score(Item("i", "?", expected, "k"), answer)) == score


@pytest.mark.parametrize(("choices", "expected", "answer", "score"), _flat(_CHOICES))
def test_choices(choices, expected, answer, score):
    """A choice is picked by what is stated first, or by what is left; one that is taken back is not."""
    assert asyncio.run(Choice().score(Item("i", "?", expected, "k", choices), answer)) == score
