"""How an engine's own server runs in its project's image, as data."""

import re
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
