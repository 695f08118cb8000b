"""How every message calls an option that was given: as it was typed, with its value."""

from pathlib import PurePath

_SHOWN_CHARACTERS = 80
_HALF = _SHOWN_CHARACTERS // 2


def labelled(option: str, value: object) -> str:
    """Return `option` with its value, such as `--model 'o/n'` or `--samples 8`; text is quoted.

    Of a long value the middle is left out: a path says most at its end.
    """
    shown = _written(str(value) if isinstance(value, str | PurePath) else value)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = f"{shown[: _HALF - 1]}…{shown[-_HALF:]}"
    return f"{option} {shown}"


def _written(value: object) -> str:
    try:
        return repr(value)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "(a number of too many digits)"
