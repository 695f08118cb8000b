"""Makes vLLM believe in an NVIDIA GPU of any compute capability, to ask it what it would do there.

Imported before vLLM, in its own environment. Its platform is replaced. Compiled libraries that are not in the
environment have stand-ins, and what is asked of them is there. Nothing is computed.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import MagicMock

import torch

T = TypeVar("T")
# Of the GPUs that there are, from Volta to Blackwell: 89 is 8.9.
CAPABILITIES = (70, 72, 75, 80, 86, 87, 89, 90, 100, 103, 110, 120, 121)
_COMPILED = (
    "flashinfer", "deep_gemm", "vllm._C_stable_libtorch", "vllm._moe_C_stable_libtorch", "vllm._qutlass_C",
    "vllm._flashmla_C", "vllm._flashmla_extension_C", "vllm.third_party.flashmla", "vllm.vllm_flash_attn",
)  # fmt: skip
# Modules that vLLM reads for the platform that it is imported on.
_BY_PLATFORM = ("vllm.v1.attention.backends.fa_utils",)


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for each module of the compiled libraries."""

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        wanted = any(name == each or name.startswith(f"{each}.") for each in _COMPILED)
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if wanted else None

    def create_module(self, spec: Any) -> Any:
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        module.fa_version_unsupported_reason = lambda *_: None
        return module

    def exec_module(self, _module: Any) -> None:
        """Do nothing: what is asked of a stand-in is there."""


class _Platform:
    """Stands where vLLM keeps its platform: modules keep what they once imported."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def _gpu_class() -> Any:
    cuda, interface = (importlib.import_module(f"vllm.platforms.{each}") for each in ("cuda", "interface"))

    class Gpu(cuda.CudaPlatformBase):  # type: ignore[misc] # its base is known only here
        """An NVIDIA GPU."""

        capability = 90

        @classmethod
        def get_device_capability(cls, device_id: int = 0) -> Any:
            del device_id
            return interface.DeviceCapability(*divmod(cls.capability, 10))

        @classmethod
        def get_device_name(cls, device_id: int = 0) -> str:
            return f"GPU {device_id}"

    return Gpu


class PretendedGpus:
    """The GPU that vLLM sees; there is one for a process."""

    def __init__(self) -> None:
        """Take the place of vLLM's platform, which is a CPU while most of its modules are imported."""
        sys.meta_path.insert(0, _StandIns())
        platforms = importlib.import_module("vllm.platforms")
        self._platform = _Platform(importlib.import_module("vllm.platforms.interface").Platform())
        vars(platforms)["_current_platform"] = self._platform
        self._gpu = _gpu_class()
        self._cpu = importlib.import_module("vllm.platforms.cpu").CpuPlatform()
        self._platform.real = self._cpu
        importlib.import_module("vllm.model_executor.model_loader.weight_utils")
        self._platform.real = self._gpu()
        _stand_in_for_kernels()
        for name in _BY_PLATFORM:
            importlib.reload(importlib.import_module(name))

    @property
    def platform(self) -> Any:
        """The GPU as vLLM's platforms are."""
        return self._gpu

    @contextmanager
    def none(self) -> Iterator[None]:
        """Let vLLM see a CPU in the block."""
        self._platform.real = self._cpu
        try:
            yield
        finally:
            self._platform.real = self._gpu()

    def where(self, question: Callable[[], bool]) -> list[int]:
        """Return the compute capabilities at which the answer to `question` is yes."""
        return [each for each in CAPABILITIES if self.at(each, question)]

    def at(self, capability: int, question: Callable[[], T]) -> T:
        """Return the answer to `question` on a GPU of the compute capability."""
        self._gpu.capability = capability
        return question()


def _stand_in_for_kernels() -> None:
    namespace = torch._ops._OpNamespace  # noqa: SLF001 - where operators are looked for
    operator, empty = namespace.__getattr__, torch.empty

    def found(own: Any, name: str) -> Any:
        try:
            return operator(own, name)
        except AttributeError:
            return MagicMock(name=name)

    namespace.__getattr__ = found
    torch.empty = lambda *sizes, **how: empty(*sizes, **{**how, "device": "meta"})
    torch.cuda.get_device_properties = lambda *_: MagicMock(multi_processor_count=1)
    flashinfer = importlib.import_module("vllm.utils.flashinfer")
    for name in vars(flashinfer):
        if name.startswith(("has_", "supports_")):
            vars(flashinfer)[name] = lambda *_, **__: True
