"""Where OpenAI's API begins at a URL that a person wrote."""

import pytest

from llmopt_runner.transport.api_url import api_url


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
        ("https://h/v1-openai", "https://h/v1-openai"),
        ("https://h/v1.1/chat", "https://h/v1.1/chat"),
        ("https://h/client/v4/accounts/a/ai/v1", "https://h/client/v4/accounts/a/ai/v1"),
        # Without a version anywhere, the whole address says where the API is.
        ("https://h/chat/completions", "https://h"),
        ("https://h/inference/chat/completions/", "https://h/inference"),
        ("http://h/v1/chat/completions", "http://h/v1"),
        ("http://h/v1/models", "http://h/v1"),
        ("http://h/v1/completions", "http://h/v1"),
        ("http://h/models", "http://h/models/v1"),
        ("http://h/v1/#top", "http://h/v1"),
    ],
)
def test_the_path_says_where_the_api_is(url, base):
    """At its version, or where its chat is; without either at /v1, below whatever path is given."""
    assert api_url(url, "/chat/completions") == f"{base}/chat/completions"
    assert api_url(url, "/models") == f"{base}/models"


@pytest.mark.parametrize(
    ("url", "chat"),
    [
        (
            "https://h/openai/deployments/d?api-version=2024-10-21",
            "https://h/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
        (
            "https://h/openai/deployments/d/chat/completions?api-version=2024-10-21",
            "https://h/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
        ("https://h/models?api-version=1", "https://h/models/chat/completions?api-version=1"),
        ("https://h/v1?tenant=a", "https://h/v1/chat/completions?tenant=a"),
    ],
)
def test_a_query_stays_at_the_end(url, chat):
    """It is no part of the path, and with it the version of the API may be said."""
    assert api_url(url, "/chat/completions") == chat


def test_what_is_no_url_is_left_to_who_asks():
    """A bracket that is not closed is an error of the request, not of its address."""
    assert api_url("http://[", "/models") == "http://[/models"
