"""Servers that are no engines of ours, but that the engine `openai` can ask: where each usually listens.

Public services are among them: they have one address.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

_ADDRESSES: Mapping[str, str] = MappingProxyType(
    {
        "aphrodite": "http://localhost:2242/v1",
        "cerebras": "https://api.cerebras.ai/v1",
        "deepinfra": "https://api.deepinfra.com/v1/openai",
        "deepseek": "https://api.deepseek.com/v1",
        "fireworks": "https://api.fireworks.ai/inference/v1",
        "gemini": "https://generativelanguage.googleapis.com/v1beta/openai",
        "gpt4all": "http://localhost:4891/v1",
        "groq": "https://api.groq.com/openai/v1",
        "jan": "http://localhost:1337/v1",
        "koboldcpp": "http://localhost:5001/v1",
        "litellm": "http://localhost:4000/v1",
        "llamafile": "http://localhost:8080/v1",
        "lmdeploy": "http://localhost:23333/v1",
        "lmstudio": "http://localhost:1234/v1",
        "localai": "http://localhost:8080/v1",
        "mistral": "https://api.mistral.ai/v1",
        "mlx": "http://localhost:8080/v1",
        "nim": "http://localhost:8000/v1",
        "ollama": "http://localhost:11434/v1",
        "oobabooga": "http://localhost:5000/v1",
        "openrouter": "https://openrouter.ai/api/v1",
        "ovms": "http://localhost:8000/v3",
        "ramalama": "http://localhost:8080/v1",
        "tabbyapi": "http://localhost:5000/v1",
        "tensorrtllm": "http://localhost:8000/v1",
        "tgi": "http://localhost:3000/v1",
        "together": "https://api.together.xyz/v1",
        "xai": "https://api.x.ai/v1",
        "xinference": "http://localhost:9997/v1",
    }
)
# Other names of these.
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "googleai": "gemini",
        "mlxlm": "mlx",
        "openvino": "ovms",
        "textgenerationinference": "tgi",
        "textgenerationwebui": "oobabooga",
        "togetherai": "together",
        "trtllm": "tensorrtllm",
    }
)


def usual_endpoint(name: str) -> str | None:
    """Return the usual address of the OpenAI-compatible API of the server `name`; None: not known."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return _ADDRESSES.get(_ALIASES.get(plain, plain))
