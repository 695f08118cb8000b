"""What is sent, and how a server's words are shown."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.transport.messages import readable, request_message, shown_address


def test_a_request_asks_for_no_compression():
    """The head names the host without credentials, and the key stands in its own header."""
    message = request_message("POST", urlsplit("http://u:p@h:1/a b?c=d"), {"Accept": "x"}, b"{}", "key")
    head, _, body = message.partition(b"\r\n\r\n")
    assert head.decode().split("\r\n") == [
        "POST /a%20b?c=d HTTP/1.1",
        "Host: h:1",
        "Content-Length: 2",
        "Accept-Encoding: identity",
        "Connection: close",
        "Accept: x",
        "Authorization: Bearer key",
    ]
    assert body == b"{}"


def test_a_key_cannot_write_headers():
    """A line break in a key would end its header."""
    with pytest.raises(ValueError, match="line break"):
        request_message("GET", urlsplit("http://h"), {}, b"", "key\r\nX: y")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h:1/v1", "http://h:1/v1"),
        ("https://user:secret@h/v1?key=secret#secret", "https://h/v1"),
        ("/elsewhere?key=secret", "/elsewhere"),
        ("http://h/\x1b[31m", "http://h/?[31m"),
        ("http://[::1", "an address that cannot be read"),
    ],
)
def test_an_address_is_shown_without_secrets(url, shown):
    """User, password and query are never part of a message, nor are control characters."""
    assert shown_address(url) == shown


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_text_that_can_be_written_stays_as_it_is(text):
    """Only what UTF-8 cannot hold is replaced, and then it can be written."""
    assert readable(text) == text
    readable(text + "\ud800").encode()
