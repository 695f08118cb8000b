"""The bytes of a request, and texts of servers as they may stand in a message."""

from collections.abc import Mapping
from urllib.parse import SplitResult, quote, urlsplit

_LONGEST_SHOWN = 200
_UNQUOTED = "/%:@!$&'()*+,;=~-._?"


def request_message(
    method: str, url: SplitResult, headers: Mapping[str, str], body: bytes, api_key: str | None
) -> bytes:
    """Return the bytes of one request over a connection of its own.

    Raises ValueError where the key cannot stand in a header.
    """
    if api_key is not None and not api_key.isprintable():
        raise ValueError("the API key holds a line break or another control character; remove it")
    query = f"?{url.query}" if url.query else ""
    lines = [
        f"{method} {quote((url.path or '/') + query, safe=_UNQUOTED)} HTTP/1.1",
        f"Host: {url.netloc.rpartition('@')[2]}",
        f"Content-Length: {len(body)}",
        # A compressed answer could be a thousand times as long, and is held back until a block is full.
        "Accept-Encoding: identity",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if api_key:
        lines.append(f"Authorization: Bearer {api_key}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def shown_address(url: str) -> str:
    """Return `url` as a message may name it: without user, password and query, and never long."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed
        return "an address that cannot be read"
    place = parts.netloc.rpartition("@")[2] + parts.path
    text = f"{parts.scheme}://{place}" if parts.scheme else place
    return "".join(each if each.isprintable() else "?" for each in text[:_LONGEST_SHOWN])


def readable(text: str) -> str:
    """Return `text` as it can be stored and shown: halves of surrogate pairs are joined, or replaced.

    JSON may escape one half alone, and a server may send the halves of one character in two chunks.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
