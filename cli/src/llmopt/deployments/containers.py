"""How an engine's own server runs in its project's image."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EngineContainer:
    """The image of an engine's project, and how its server is started there so that others reach it.

    `gpu_image` is the one for GPUs, where it is another. Without an `image` the project has none.
    `released` is the image of a version of the engine's package, which {version} stands for. `cache` is where
    a downloaded model is kept.
    """

    program: str
    port: int
    listening: tuple[str, ...]
    cache: str
    image: str | None = None
    gpu_image: str | None = None
    released: str | None = None

    def image_for(self, gpus: int, measured: str) -> str | None:
        """Return the project's image for so many GPUs, of the version `measured` where it has one."""
        package, _, version = measured.partition(" ")
        if self.released and package == self.program and _RELEASE.fullmatch(version):
            return self.released.format(version=version)
        return (self.gpu_image if gpus else None) or self.image


# A version with a part such as +cpu was built elsewhere: no image has it.
_RELEASE = re.compile(r"\d+(\.\d+){1,3}(\.post\d+)?")

CONTAINERS: Mapping[str, EngineContainer] = {
    "llamacpp": EngineContainer(
        "/app/llama-server",
        8080,
        ("--host", "0.0.0.0", "--port", "8080"),  # noqa: S104 - in a container others must reach it
        "/root/.cache/llama.cpp",
        "ghcr.io/ggml-org/llama.cpp:server",
        "ghcr.io/ggml-org/llama.cpp:server-cuda",
    ),
    "transformers": EngineContainer(
        "transformers",
        8000,
        ("--host", "0.0.0.0", "--port", "8000"),  # noqa: S104
        "/root/.cache/huggingface",
    ),
    "vllm": EngineContainer(
        "vllm",
        8000,
        ("--host", "0.0.0.0", "--port", "8000"),  # noqa: S104
        "/root/.cache/huggingface",
        "vllm/vllm-openai:latest",
        released="vllm/vllm-openai:v{version}",
    ),
}
