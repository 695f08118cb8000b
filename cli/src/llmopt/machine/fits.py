"""What of a model fits on GPUs: asked of the runner's own program, which reads the headers of its files."""

import subprocess
import sys
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from llmopt.machine.descriptions import RunnerUnusable, why_unusable
from llmopt_core.errors.classes import LlmoptError

COMMAND = (sys.executable, "-m", "llmopt_runner.memory.fit_report")
# The hub may have to be asked for the headers of a hundred files.
TIMEOUT_SECONDS = 300.0


class ModelUnfit(LlmoptError):
    """The model cannot be read; the message says why, and what to do."""


@dataclass(frozen=True)
class Asked:
    """What is asked: `share` of each GPU may be used, and `reserve_mib` of it is for other than weights."""

    model: str
    gpu_memory_mib: float | None
    gpus: int | None
    context: int | None
    draft: str | None
    share: float
    reserve_mib: float
    tensor_parallel: int | None = None
    pipeline_parallel: int | None = None
    data_parallel: int | None = None
    expert_parallel: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of the runner's program."""
        options = {
            "model": self.model,
            "gpu-memory-mib": self.gpu_memory_mib,
            "gpus": self.gpus,
            "context": self.context,
            "draft": self.draft,
            "share": self.share,
            "reserve-mib": self.reserve_mib,
            "tensor-parallel": self.tensor_parallel,
            "pipeline-parallel": self.pipeline_parallel,
            "data-parallel": self.data_parallel,
        }
        given = tuple(f"--{name}={value}" for name, value in options.items() if value is not None)
        return (*given, "--expert-parallel") if self.expert_parallel else given


@dataclass(frozen=True)
class TermFound:
    """One part of what is needed of a GPU, and where it comes from."""

    name: str
    mib: float
    source: str


@dataclass(frozen=True)
class FitFound:
    """What one choice of types needs of each GPU, and what then fits; None: it is not known.

    `stage` is the pipeline stage whose GPUs need most, None: all need the same.
    """

    weights: str
    kv_type: str
    weights_mib: float | None
    kv_bytes_per_token: float | None
    kv_bytes_per_further_token: float | None
    state_mib: float | None
    kv_cache_mib: float | None
    least_kv_cache_mib: float | None
    left_mib: float | None
    longest_context: int | None
    concurrency: int | None
    stage: int | None
    terms: tuple[TermFound, ...]


@dataclass(frozen=True)
class HardwareFound:
    """The GPUs that the answer is for."""

    gpus: int
    memory_mib: float
    share: float
    reserve_mib: float


@dataclass(frozen=True)
class SplitFound:
    """How the model is split over `gpus` GPUs; `assumed` are the sizes that were not given."""

    tensor: int
    pipeline: int
    data: int
    whole_experts: bool
    gpus: int
    assumed: tuple[str, ...]


@dataclass(frozen=True)
class FitsFound:
    """The answer; `problem` says why the cache is not predicted."""

    model: str
    draft: str | None
    max_context: int
    context: int
    gpus: int
    split: SplitFound
    hardware: HardwareFound | None
    problem: str | None
    notes: tuple[str, ...]
    fits: tuple[FitFound, ...]


@dataclass(frozen=True)
class _Refused:
    error: str


_ANSWERS: TypeAdapter[FitsFound | _Refused] = TypeAdapter(FitsFound | _Refused)


def fits_of(asked: Asked, command: tuple[str, ...] = COMMAND) -> tuple[FitsFound, str]:
    """Return what fits, and the document that says so; raises ModelUnfit and RunnerUnusable."""
    try:
        ended = subprocess.run(
            (*command, *asked.arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise RunnerUnusable(f"the model was not read within {TIMEOUT_SECONDS:.0f} s") from error
    if ended.returncode:
        raise RunnerUnusable(why_unusable(ended.stderr))
    try:
        answer = _ANSWERS.validate_json(ended.stdout)
    except ValidationError as error:
        raise RunnerUnusable(f"the runner is of another version: reinstall llmopt ({error})") from error
    if isinstance(answer, _Refused):
        raise ModelUnfit(answer.error)
    return answer, ended.stdout
