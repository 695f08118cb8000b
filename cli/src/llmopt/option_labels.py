"""How every message calls an option that was given: as it was typed, with its value."""

from pathlib import PurePath

_SHOWN_CHARACTERS = 80


def labelled(option: str, value: object) -> str:
    """Return `option` with its value, such as `--model 'o/n'` or `--samples 8`; text is quoted, and cut."""
    shown = repr(str(value) if isinstance(value, str | PurePath) else value)
    return f"{option} {shown if len(shown) <= _SHOWN_CHARACTERS else f'{shown[:_SHOWN_CHARACTERS]}…'}"
