import pytest

from llmopt_core.results.numbers import compact_duration, duration, number, precise, value_text, value_texts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.7, "1 min 00 s"), (125, "2 min 05 s"), (3700, "1 h 01 min"), (90_000, "1 d 01 h")],
)
def test_a_duration_is_said_as_people_say_it(seconds, text):
    """Seconds become minutes, hours and days; rounding never gives 60 s."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0.2, "0s"),
        (59.7, "1m"),
        (40, "40s"),
        (125, "2m5s"),
        (3600, "1h"),
        (3605, "1h"),
        (3900, "1h5m"),
        (90_000, "1d1h"),
        (8_640_000, "100d"),
    ],
)
def test_a_duration_fits_into_a_table(seconds, text):
    """The two largest units, without those that are zero."""
    assert compact_duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(12345.6, "12,346"), (45.67, "45.7"), (0.12345, "0.123"), (0, "0")]
)
def test_a_number_has_the_digits_that_count(value, text):
    """Large numbers have no decimals, small ones three digits."""
    assert number(value) == text


def test_a_number_is_the_same_with_six_digits():
    """What a status in a cluster has rounded is shown as what a local study holds."""
    assert number(0.12349996) == number(0.1235) == "0.123"


def test_a_value_has_no_binary_noise():
    """A float parameter is shown as it was meant, a boolean as a manifest writes it; others as they are."""
    assert [value_text(v) for v in (0.7000000000000001, 4, True, "q8_0")] == ["0.7", "4", "true", "q8_0"]


def test_values_stand_in_one_line():
    """Names and values, in their order."""
    assert value_texts({"n_parallel": 8, "flash_attn": False}, " = ") == "n_parallel = 8, flash_attn = false"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345.6, "12,346"),
        (1234.4, "1,234"),
        (123.456, "123.5"),
        (45.678, "45.68"),
        (0.123456, "0.1235"),
        (60.0, "60"),
    ],
)
def test_a_mean_has_four_digits(value, text):
    """So a change of a tenth of a percent can be read from two of them."""
    assert precise(value) == text
