"""Answers in the protocol of Postgres as a server of a tenant's own may send them: well formed, any size."""

import struct
import time
from collections.abc import Iterator

_PART = 2**16


def many_rows(total_bytes: int, row_bytes: int = 1_000) -> Iterator[bytes]:
    """Give an answer of `total_bytes` in rows of one text each."""
    yield _BEGIN
    row = _row(row_bytes)
    rows = row * (_PART // len(row))
    for _ in range(total_bytes // len(rows)):
        yield rows
    yield _END


def one_row(total_bytes: int) -> Iterator[bytes]:
    """Give an answer of one row with one text of `total_bytes`, at the speed of an ordinary network."""
    yield _BEGIN
    yield _message(b"D", struct.pack("!hi", 1, total_bytes), more_bytes=total_bytes)
    for _ in range(total_bytes // _PART):
        time.sleep(0.001)
        yield b"x" * _PART
    yield _END


def many_notices(total_bytes: int) -> Iterator[bytes]:
    """Give notices of `total_bytes`, and then an answer without a row."""
    notice = _message(b"N", b"SNOTICE\0C00000\0M" + b"x" * 1_000 + b"\0\0")
    notices = notice * (_PART // len(notice))
    for _ in range(total_bytes // len(notices)):
        yield notices
    yield _BEGIN + _END


def _message(kind: bytes, body: bytes, *, more_bytes: int = 0) -> bytes:
    return kind + struct.pack("!i", 4 + len(body) + more_bytes) + body


def _row(size: int) -> bytes:
    return _message(b"D", struct.pack("!hi", 1, size) + b"x" * size)


# One column of text.
_COLUMN = b"text\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
_BEGIN = _message(b"1", b"") + _message(b"2", b"") + _message(b"T", struct.pack("!h", 1) + _COLUMN)
_END = _message(b"C", b"SELECT 1\0") + _message(b"Z", b"T")
