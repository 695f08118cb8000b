"""Every failure has one class: what it is called, whether a retry can help, what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from llmopt_core.errors.limits import Limit
from llmopt_core.errors.remedies import Remedy


class RetryPolicy(StrEnum):
    """What a failure of the class means for the study."""

    RETRY = "retry"  # the same configuration may work the next time
    INFEASIBLE = "infeasible"  # this configuration does not work here: the sampler learns of it
    OUTAGE = "outage"  # what all configurations need is away: once more, then end the study
    FATAL = "fatal"  # no configuration can work: end the study


class ErrorClass(StrEnum):
    """The closed list of classes."""

    GPU_OUT_OF_MEMORY = "GpuOutOfMemory"
    HOST_OUT_OF_MEMORY = "HostOutOfMemory"
    MEMORY_BUSY = "MemoryBusy"
    KV_CACHE_TOO_SMALL = "KvCacheTooSmall"
    MODEL_NOT_FOUND = "ModelNotFound"
    MODEL_CORRUPT = "ModelCorrupt"
    ACCESS_DENIED = "AccessDenied"
    INVALID_CONFIGURATION = "InvalidConfiguration"
    ENGINE_NOT_INSTALLED = "EngineNotInstalled"
    ENGINE_CRASHED = "EngineCrashed"
    ENGINE_START_TIMEOUT = "EngineStartTimeout"
    CUDA_FAULT = "CudaFault"
    PORT_BUSY = "PortBusy"
    DISK_FULL = "DiskFull"
    DATASET_INVALID = "DatasetInvalid"
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    PREEMPTED = "Preempted"
    RUNNER_LOST = "RunnerLost"
    TRIAL_TIMEOUT = "TrialTimeout"
    ENDPOINT_UNREACHABLE = "EndpointUnreachable"
    REQUESTS_FAILED = "RequestsFailed"
    MEASUREMENT_INVALID = "MeasurementInvalid"
    NO_GOOD_ANSWERS = "NoGoodAnswers"
    UNKNOWN = "Unknown"

    @classmethod
    def _missing_(cls, value: object) -> "ErrorClass | None":
        """Read the name that a class had in 0.1.0."""
        return cls.MEASUREMENT_INVALID if value == "MeasurementVoid" else None


@dataclass(frozen=True)
class Failure:
    """One failure as it is stored and shown.

    `limits` are what the engine named when it refused, `remedies` what it advised besides. `of_requests` says
    that what the requests ask for failed: with other requests the same engine may work.
    """

    error_class: ErrorClass
    message: str
    suggestion: str
    limits: tuple[Limit, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    of_requests: bool = False

    @property
    def text(self) -> str:
        """Message and suggestion in one line; a message that says itself what to do has none."""
        return f"{self.message} - {self.suggestion}" if self.suggestion else self.message


class LlmoptError(Exception):
    """Root of all errors of this project.

    `retryable` says whether doing the same again can help, `error_class` what it is to a study (None: not
    known before its evidence is read), `suggestion` what to do where the message does not say it.
    """

    retryable = False
    error_class: ErrorClass | None = None
    suggestion = ""

    @property
    def failure(self) -> Failure:
        """The failure as it is stored and shown."""
        return Failure(self.error_class or ErrorClass.UNKNOWN, str(self), self.suggestion)
