import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.quality.normalisation import normalise, normalise_answer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Paris!  ", "paris"),
        ("NEW\tYork,\nUSA", "new york usa"),
        ("\uff11\uff12\uff0e\uff15", "12.5"),
        ("1,234.50", "1234.50"),
        ("a, b", "a b"),
        ("-5", "-5"),
        ("7-5", "7 5"),
        ("Stra\u00dfe", "strasse"),
        ("\u00e9", "e\u0301"),
        ("'사과'", "사과"),
        ("", ""),
    ],
)
def test_form_does_not_count(text, expected):
    """Unicode form, case, space and punctuation go; what numbers mean stays."""
    assert normalise(text) == normalise(expected)
    assert normalise(expected) == expected or expected == "e\u0301"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("정답은 민수입니다.", "민수"),
        ("답: 3번", "3번"),
        ("The answer is Paris.", "paris"),
        ("Final answer: 12", "12"),
        ("answerable", "answerable"),
        ("답장", "답장"),
        ("입니다", "입니다"),
        ("Answer:", "answer"),
    ],
)
def test_frame_of_an_answer_does_not_count(text, expected):
    """What announces an answer and the copula go, but never the whole answer."""
    assert normalise_answer(text) == expected


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    """A normalised text is its own normal form, without edges or doubled spaces."""
    once = normalise(text)
    assert normalise(once) == once
    assert once == " ".join(once.split())


@given(st.text())
def test_case_and_space_never_matter(text):
    """Surrounding white space and a doubled space do not change the normal form."""
    assert normalise(f"  {text}\n") == normalise(text)
    assert normalise(text.replace(" ", "  ")) == normalise(text)
