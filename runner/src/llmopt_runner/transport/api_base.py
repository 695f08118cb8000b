"""Where OpenAI's API begins at a URL that a person wrote: most servers put it at `/v1`, some elsewhere."""

import re
from urllib.parse import urlsplit

# `v1`, `v4`, `v1beta`: a path with such a part says itself where the API is, as `/api/paas/v4` does.
_VERSION = re.compile(r"^v\d+(?:alpha|beta)?\d*$")
_USUAL = "/v1"


def api_base(url: str) -> str:
    """Return what `/chat/completions` is appended to, for an address with or without its path."""
    plain = url.rstrip("/")
    parts = urlsplit(plain).path.split("/")
    return plain if any(map(_VERSION.match, parts)) else plain + _USUAL
