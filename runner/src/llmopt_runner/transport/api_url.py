"""Where OpenAI's API is at a URL that a person wrote: most servers put it at `/v1`, some elsewhere."""

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

# `v1`, `v4`, `v1beta`, `v1-openai`: a path with such a part, as `/api/paas/v4`, says itself where the API is.
_VERSION = re.compile(r"^v\d+(?:\.\d+)*(?:alpha|beta)?\d*(?:-\w+)?$")
_USUAL = "/v1"
_CHAT = "/chat/completions"
# What a person may have copied with the base, besides the chat.
_OTHER_OPERATIONS = ("/completions", "/responses", "/models")


def api_url(url: str, operation: str) -> str:
    """Return where `operation`, such as `/chat/completions`, of the API at `url` is asked.

    A path without a version is followed by `/v1`, but not where it ends with `/chat/completions`, which says
    where the API is, nor where a query follows, which has the version of an API such as Azure's. The query
    stays at the end.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that is not closed: who asks there says so
        return url + operation
    return urlunsplit(parts._replace(path=_base(parts) + operation, fragment=""))


def _base(parts: SplitResult) -> str:
    path = parts.path.rstrip("/")
    if path.endswith(_CHAT):
        return path.removesuffix(_CHAT)
    if not any(map(_VERSION.match, path.split("/"))):
        return path if parts.query else path + _USUAL
    for operation in _OTHER_OPERATIONS:
        path = path.removesuffix(operation)
    return path
