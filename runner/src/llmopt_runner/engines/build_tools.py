"""Which compilers an engine's start would find, looked for where torch and FlashInfer look for them."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_USUAL_CUDA = Path("/usr/local/cuda")
_HOMES = ("CUDA_HOME", "CUDA_PATH")


@dataclass(frozen=True)
class BuildTools:
    """The compilers for CUDA and for C++; None: there is none."""

    nvcc: Path | None
    cpp: Path | None

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of those that are not there."""
        return tuple(name for name, path in (("nvcc", self.nvcc), ("g++", self.cpp)) if path is None)


def build_tools(environment: Mapping[str, str], *, usual_cuda: Path = _USUAL_CUDA) -> BuildTools:
    """Return what a program with this environment would find.

    nvcc: in CUDA_HOME or CUDA_PATH, which alone counts where it is set, then in PATH, then in `usual_cuda`.
    """
    path = environment.get("PATH", "")
    cpp = next((found for name in (environment.get("CXX"), "g++", "c++") if (found := _in(path, name))), None)
    return BuildTools(_nvcc(environment, path, usual_cuda), cpp)


def _nvcc(environment: Mapping[str, str], path: str, usual_cuda: Path) -> Path | None:
    home = next((value for name in _HOMES if (value := environment.get(name))), None)
    if home is not None:
        return _program(Path(home) / "bin" / "nvcc")
    return _in(path, "nvcc") or _program(usual_cuda / "bin" / "nvcc")


def _in(path: str, name: str | None) -> Path | None:
    found = shutil.which(name, path=path) if name else None
    return None if found is None else Path(found)


def _program(path: Path) -> Path | None:
    return path if os.access(path, os.X_OK) else None
