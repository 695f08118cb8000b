import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.datasets.korean.words import native_numeral, person, with_particle


@pytest.mark.parametrize(
    ("word", "particle", "expected"),
    [
        ("사과", "은", "사과는"),
        ("연필", "은", "연필은"),
        ("민수", "이", "민수가"),
        ("지영", "이", "지영이"),
        ("버스", "을", "버스를"),
        ("책", "을", "책을"),
        ("토끼", "과", "토끼와"),
        ("양", "과", "양과"),
        ("서울", "으로", "서울로"),
        ("부산", "으로", "부산으로"),
        ("대구", "으로", "대구로"),
        ("3", "을", "3을"),
        ("2", "을", "2를"),
        ("10", "으로", "10으로"),
        ("7", "으로", "7로"),
        ("16", "으로", "16으로"),
        ("100", "이", "100이"),
        ("3.5", "을", "3.5를"),
        ("'사과'", "을", "'사과'를"),
        ("킬로그램(kg, 킬로)", "을", "킬로그램(kg, 킬로)를"),
    ],
)
def test_particle_follows_the_last_sound(word, particle, expected):
    """The particle has the form that the final consonant, or its absence, asks for."""
    assert with_particle(word, particle) == expected


def test_word_without_a_known_sound_is_refused():
    """A Latin word is an error, not a guess."""
    with pytest.raises(ValueError, match="end it in Hangul or a digit"):
        with_particle("kg", "을")


@given(st.integers(0xAC00, 0xD7A3).map(chr))
def test_every_syllable_has_one_of_both_forms(syllable):
    """A syllable takes 를 exactly when its decomposed form has no third letter."""

    open_syllable = len(unicodedata.normalize("NFD", syllable)) == 2
    assert with_particle(syllable, "을")[1:] == ("를" if open_syllable else "을")


@pytest.mark.parametrize(
    ("number", "numeral"),
    [
        (1, "한"),
        (4, "네"),
        (10, "열"),
        (12, "열두"),
        (20, "스무"),
        (21, "스물한"),
        (50, "쉰"),
        (99, "아흔아홉"),
    ],
)
def test_native_numerals_before_a_counter(number, numeral):
    """Numbers read natively have the short form that stands before a counter."""
    assert native_numeral(number) == numeral


def test_native_numerals_are_distinct():
    """No two numbers from 1 to 99 are read the same."""
    assert len({native_numeral(number) for number in range(1, 100)}) == 99


@pytest.mark.parametrize(
    ("name", "person_", "topic"),
    [("태현", "태현이", "태현이는"), ("민수", "민수", "민수는"), ("지영", "지영이", "지영이는")],
)
def test_names_that_end_in_a_consonant_get_an_ending(name, person_, topic):
    """A given name that ends in a consonant is used with 이, and takes the particles of a vowel."""
    assert person(name) == person_
    assert with_particle(person(name), "은") == topic
