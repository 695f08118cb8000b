"""Reads an engine's log without ever holding more of it than a report needs."""

from pathlib import Path

_HEAD_BYTES = 64 * 1024
_TAIL_BYTES = 256 * 1024


def bounded_text(
    path: Path, head_bytes: int = _HEAD_BYTES, tail_bytes: int = _TAIL_BYTES, *, begin: int = 0
) -> str:
    """Return the log at `path` from byte `begin` on; "" if absent.

    Its middle is left out where it is longer than head and tail.
    """
    try:
        size = path.stat().st_size - begin
        with path.open("rb") as file:
            file.seek(begin)
            if size <= head_bytes + tail_bytes:
                return file.read().decode("utf-8", "replace")
            head = file.read(head_bytes)
            file.seek(begin + size - tail_bytes)
            tail = file.read(tail_bytes)
    except FileNotFoundError:
        return ""
    omitted = f"\n[… {size - head_bytes - tail_bytes} bytes left out …]\n"
    return head.decode("utf-8", "replace") + omitted + tail.decode("utf-8", "replace")
