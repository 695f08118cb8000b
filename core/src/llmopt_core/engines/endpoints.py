"""Servers that are no engines of ours, but that the engine `openai` can ask: where each usually listens."""

import re
from collections.abc import Mapping
from types import MappingProxyType

_ADDRESSES: Mapping[str, str] = MappingProxyType(
    {
        "lmdeploy": "http://localhost:23333/v1",
        "lmstudio": "http://localhost:1234/v1",
        "localai": "http://localhost:8080/v1",
        "ollama": "http://localhost:11434/v1",
        "tensorrtllm": "http://localhost:8000/v1",
        "tgi": "http://localhost:3000/v1",
    }
)


def usual_endpoint(name: str) -> str | None:
    """Return the usual address of the OpenAI-compatible API of the server `name`; None: not known."""
    return _ADDRESSES.get(re.sub(r"[^a-z0-9]", "", name.lower()))
