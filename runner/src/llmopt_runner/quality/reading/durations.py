"""How long something takes, however it is written: 2시간 30분, two and a half hours and 150분 are one."""

import re
from fractions import Fraction

from llmopt_runner.quality.reading.number_words import words_as_digits

_HOURS = r"(?P<hours>\d{1,6}(?:\.\d{1,4})?)\s?(?:시간|hours?|hrs?\.?|h)"
_MINUTES = r"(?P<minutes>\d{1,6}(?:\.\d{1,4})?)\s?(?:분|minutes?|mins?\.?|m)"
_DURATION = re.compile(
    rf"(?:{_HOURS}(?:\s?,?\s?(?:and\s)?{_MINUTES}|\s?(?P<half>반))?|(?P<alone>\d{{1,6}})\s?(?:분|minutes?|mins?))"
    r"\s?(?:입니다|이에요|예요|이다)?",
    re.IGNORECASE,
)
_LONGEST = 60


def minutes(text: str) -> Fraction | None:
    """Return the minutes that all of `text` counts; None where it is no duration in hours and minutes."""
    if len(text) > _LONGEST:
        return None
    found = _DURATION.fullmatch(words_as_digits(text).strip(" .,!"))
    if found is None:
        return None
    if found["alone"]:
        return Fraction(found["alone"])
    return 60 * Fraction(found["hours"]) + Fraction(found["minutes"] or 0) + (30 if found["half"] else 0)
