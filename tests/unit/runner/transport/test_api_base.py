"""Where OpenAI's API begins at a URL that a person wrote."""

import pytest

from llmopt_runner.transport.api_base import api_base


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("http://h:1/v1", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("http://h:1/team/a", "http://h:1/team/a/v1"),
        ("https://h/api/paas/v4", "https://h/api/paas/v4"),
        ("https://h/api/paas/v4/", "https://h/api/paas/v4"),
        ("https://h/v1beta/openai", "https://h/v1beta/openai"),
        ("https://h/openai/v1/", "https://h/openai/v1"),
        ("https://v1.h/", "https://v1.h/v1"),
        ("https://h/v1x", "https://h/v1x/v1"),
    ],
)
def test_a_version_in_the_path_says_where_the_api_is(url, base):
    """Without one it is at /v1, below whatever path is given."""
    assert api_base(url) == base
