from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.quality.numbers import answered_number, numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        ("7 + 5 = 12", 12),
        ("The answer is 12, because 7 + 4 = 11 and one more.", 12),
        ("2 + 3 = 5, so 5 x 2 = 10 apples", 10),
        ("First 3, then 4, so 7.", 7),
        ("정답은 35명입니다. 20 + 15 = 35", 35),
        ("#### 1,234", 1234),
        (r"so \boxed{-3}", -3),
        ("$1,234.50", Fraction("1234.5")),
        ("\u22124", -4),
        ("it is -5 degrees", -5),
        (".5", Fraction(1, 2)),
        ("3/4 of it", Fraction(3, 4)),
        ("1e3", 1000),
        ("20%", 20),
        ("\uff11\uff12", 12),
        ("1, 2, 3", 3),
        ("12,34", Fraction("12.34")),
        ("3만 5천 원", 35_000),
        ("3만5천원", 35_000),
        ("1억 2,000만 원", 120_000_000),
        ("35만 2천 500원", 352_500),
        ("2조 5000억", 2_500_000_000_000),
        ("1.5만", 15_000),
        ("피자 3조각", 3),
        ("7만 8개", 70_008),
        ("5천 2백 3십 1", 5_231),
    ],
)
def test_reads_the_answer(text, expected):
    """The number that a person would take for the answer is the one that is read."""
    assert answered_number(text) == expected


@pytest.mark.parametrize("text", ["", "no idea", "3/0", "9" * 5000, "만 원", "="])
def test_no_number(text):
    """A text without a usable number gives None, never an exception or a guess."""
    assert answered_number(text) is None


def test_marker_without_a_number_behind_it_is_no_marker():
    """When nothing follows the announcement, the last number of the text counts."""
    assert answered_number("It is 42, that answer is final.") == 42


@given(st.integers(-(10**12), 10**12))
def test_every_way_to_write_a_whole_number(number):
    """Plain, with thousands separators, in a sentence, in full-width digits: the same number."""
    wide = str(number).translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    forms = (str(number), f"{number:,}", f"The answer is {number:,}.", f"정답은 {number}입니다", wide)
    assert {answered_number(form) for form in forms} == {number}


@given(st.decimals(-(10**6), 10**6, places=3, allow_nan=False))
def test_decimals_are_exact(number):
    """A decimal is read without rounding."""
    assert answered_number(f"= {number:f} kg") == Fraction(number)


@given(st.integers(1, 9999), st.integers(1, 9999), st.booleans())
def test_korean_units(high, low, spaced):
    """N만 M is ten thousand times N and M."""
    assert answered_number(f"{high}만{' ' * spaced}{low}원") == high * 10_000 + low


@given(st.text())
def test_any_text_is_read_without_an_exception(text):
    """Whatever a model writes, reading it gives a list of numbers."""
    assert all(isinstance(number, Fraction) for number in numbers(text))
    answered_number(text)
