"""Times of day and dates, however they are written: 15시, 오후 3시, 15:00 and 3 pm are one."""

import re
from typing import NamedTuple

from llmopt_runner.quality.reading.number_words import words_as_digits
from llmopt_runner.quality.reading.typography import small_letters

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = r"(?P<name>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s?(?P<year>\d{4}))?"
_HALF = r"(?P<half>오전|오후|아침|새벽|낮|저녁|밤|a\.?m\.?|p\.?m\.?)"
_AFTER_NOON = frozenset({"오후", "낮", "저녁", "밤", "pm"})
_TIMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:{_HALF}\s?)?(?P<hour>\d{{1,2}})\s?시\s?(?:(?P<minute>\d{{1,2}})\s?분|(?P<thirty>반)|정각)?",
        rf"(?:{_HALF}\s?)?(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?::00)?",
        rf"(?P<hour>\d{{1,2}})(?::(?P<minute>\d{{2}}))?\s?{_HALF}",
        r"(?P<hour>\d{1,2})\s?o'clock",
    )
)
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:(?P<year>\d{4})년\s?)?(?P<month>\d{1,2})월\s?(?P<day>\d{1,2})일",
        r"(?:(?P<year>\d{4})[-/.]\s?)?(?P<month>\d{1,2})[-/.]\s?(?P<day>\d{1,2})\.?",
        rf"{_MONTH}\s?{_DAY}{_YEAR}",
        rf"{_DAY}\s?(?:of\s)?{_MONTH}{_YEAR}",
    )
)
_LONGEST = 40


class Moment(NamedTuple):
    """A time of day in minutes, or a day; what is not said is None.

    `bare`: it may also be a fraction or a decimal, such as 1/2 and 6.20.
    """

    minutes: int | None = None
    month: int | None = None
    day: int | None = None
    year: int | None = None
    bare: bool = False

    def is_same(self, other: "Moment") -> bool:
        """Say whether both are one time or one day; a year counts where both have it."""
        years = self.year is None or other.year is None or self.year == other.year
        return years and self[:3] == other[:3]


def moment(text: str) -> Moment | None:
    """Return the time or the day that all of `text` is; None where it is neither."""
    if len(text) > _LONGEST:
        return None
    plain = words_as_digits(text).strip(" ,\"'").removesuffix("입니다")
    for candidate in (plain, plain.rstrip(".")):
        for pattern in _TIMES:
            if found := pattern.fullmatch(candidate):
                return _time(found)
        for pattern in _DATES:
            if found := pattern.fullmatch(candidate):
                return _date(found)
    return None


def _time(found: re.Match[str]) -> Moment | None:
    parts = found.groupdict()
    hour = int(parts["hour"])
    minute = 30 if parts.get("thirty") else int(parts.get("minute") or 0)
    half = small_letters(parts.get("half") or "").replace(".", "")
    if hour > 24 or minute > 59 or (half and hour > 12):  # noqa: PLR2004 - a clock
        return None
    if half:
        hour = hour % 12 + 12 * (half in _AFTER_NOON)
    return Moment(minutes=hour * 60 + minute)


def _date(found: re.Match[str]) -> Moment | None:
    parts = found.groupdict()
    name = parts.get("name")
    month = _MONTHS.index(small_letters(name[:3])) + 1 if name else int(parts["month"])
    day = int(parts["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):  # noqa: PLR2004 - a calendar
        return None
    year = int(parts["year"]) if parts.get("year") else None
    return Moment(month=month, day=day, year=year, bare=year is None and found[0].isascii() and not name)
