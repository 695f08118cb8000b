"""Whether vLLM's default sampler can start: FlashInfer's compiles a kernel in the start's warm-up.

It needs nvcc and a C++ compiler unless its compiled kernels are installed; without them the server dies
("Could not find nvcc"). Sources: vLLM 0.32 (`v1/sample/ops/topk_topp_sampler.py`) and FlashInfer 0.7
(`jit/core.py`).
"""

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from llmopt_runner.engines.build_tools import build_tools
from llmopt_runner.engines.programs import package_version

log = logging.getLogger(__name__)

SAMPLER = "VLLM_USE_FLASHINFER_SAMPLER"
_LIBRARY, _COMPILED = "flashinfer-python", "flashinfer-jit-cache"


def sampler_variables(program: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that switches FlashInfer's sampler off where it could not be compiled.

    `environment` is what the server of `program` gets. A sampler that the user chose stays.
    """
    if SAMPLER in environment or not _compiles(program):
        return {}
    missing = build_tools(environment).missing
    if not missing:
        return {}
    log.info(
        "vLLM samples without FlashInfer (%s=0): there is no %s to compile its kernels, and no %s",
        SAMPLER,
        " and no ".join(missing),
        _COMPILED,
    )
    return {SAMPLER: "0"}


@cache
def _compiles(program: Path) -> bool:
    """Say whether the environment of `program` has FlashInfer without its compiled kernels."""
    return package_version(program, _LIBRARY) is not None and package_version(program, _COMPILED) is None
