"""Where requests go."""

import pytest

from llmopt_runner.load.requests import Endpoint


@pytest.mark.parametrize("base", ["http://h:8000", "http://h:8000/", "http://h:8000/v1", "http://h:8000/v1/"])
def test_the_path_is_the_same_with_and_without_v1(base):
    """Users give either form of a base URL."""
    assert Endpoint(base, "m").chat_url == "http://h:8000/v1/chat/completions"


def test_a_prefix_of_a_gateway_stays():
    """An API behind a path prefix is reached there."""
    assert Endpoint("https://h/openai/v1", "m").chat_url == "https://h/openai/v1/chat/completions"


@pytest.mark.parametrize("base", ["h:8000", "ftp://h", "http://", "http://h:eighty", ""])
def test_what_is_no_url_is_refused(base):
    """The error names the field, the value and the right form."""
    with pytest.raises(ValueError, match=r"base_url is .*; write it like http://"):
        Endpoint(base, "m")


def test_a_key_with_a_line_break_is_refused_without_showing_it():
    """A key file's trailing line feed would forge a header; the key itself is never shown."""
    with pytest.raises(ValueError, match="line break") as caught:
        Endpoint("http://h", "m", "s3cret\n")
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(Endpoint("http://h", "m", "s3cret"))
