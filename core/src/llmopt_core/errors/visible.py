"""Text of others as a terminal may be given it: names, messages of servers, lines of logs."""

import logging

_KEPT = "\n\t"
# C0 and C1 controls with DEL: a terminal obeys them. Bidirectional overrides: they show a text in another
# order. Halves of surrogate pairs: they cannot be written at all.
_CODES = (
    *range(0x20),
    *range(0x7F, 0xA0),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),
)
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - as Python writes them
    for code in _CODES
    if chr(code) not in _KEPT
}


def visible(text: str) -> str:
    """Return `text` with what a terminal would obey written as an escape, as Python writes them.

    Line breaks and tabs stay; so does everything that is only shown.
    """
    return text if text.isprintable() else text.translate(_ESCAPES)


class VisibleFormatter(logging.Formatter):
    """Formats lines of a log, whatever texts of others they hold."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or several where it holds a traceback."""
        return visible(super().format(record))
