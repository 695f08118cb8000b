"""Numbers, durations and parameter values as people read them, the same wherever a result is shown.

A status in a cluster keeps six digits. Numbers are rounded to these first, so that a local study, which has
all digits, is shown in the same words.
"""

from collections.abc import Mapping

from llmopt_core.resources.status import decimal, scalar

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_THOUSAND, _LARGE, _MIDDLE = 1000, 100, 10


def duration(seconds: float) -> str:
    """Return `seconds` as a person says it, such as `2 min 05 s`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR:02d} h"


def compact_duration(seconds: float) -> str:
    """Return `seconds` as a table shows it, in its two largest units, such as `1h5m` or `40s`."""
    parts: list[tuple[int, str]] = []
    left = max(0, round(seconds))
    for unit, length in (("d", _DAY), ("h", _HOUR), ("m", _MINUTE), ("s", 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append((count, unit))
    return "".join(f"{count}{unit}" for count, unit in parts[:2] if count) or "0s"


def rounded(value: float) -> float:
    """Return `value` with the six digits that a status keeps."""
    return float(decimal(value))


def number(value: float) -> str:
    """Return `value` with three digits that count."""
    value = rounded(value)
    if abs(value) >= _LARGE:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= _MIDDLE else f"{value:.3g}"


def precise(value: float) -> str:
    """Return `value` with four digits that count, so that a change shown beside it agrees with it."""
    value = rounded(value)
    return f"{value:,.0f}" if abs(value) >= _THOUSAND else f"{value:.4g}"


def value_text(value: object) -> str:
    """Return a parameter's value as a manifest writes it, without the noise of binary fractions."""
    return str(scalar(value) if isinstance(value, bool | float) else value)


def value_texts(values: Mapping[str, object], between: str) -> str:
    """Return parameters in one line, such as `n_parallel = 8, n_batch = 512`."""
    return ", ".join(f"{name}{between}{value_text(value)}" for name, value in values.items())
