"""What can go wrong with a study's record.

LlmoptError
├── StorageUnavailable   the database does not answer (retryable)
│   ├── StorageFull      … because its disk is full
│   └── StorageReadOnly  … because it takes no writes
├── StorageUnusable      it answers, but it is no study database, or a driver is missing
├── StudyUnreadable      what is stored of the study is not what llmopt writes, or more than is read
├── StudyNotFound        no study of that name
│   └── StudyDropped     … any more: it was dropped while it was in use
├── StudyMismatch        a study of that name has other settings
├── TrialLost            the trial was taken away: it is finished or run by another
├── OutcomeInvalid       an outcome lacks what the study needs, or cannot be stored
├── EnqueueInvalid       an enqueued entry does not lie in the space
└── SamplerUnavailable   the sampler cannot work here
"""

from llmopt_core.errors.classes import ErrorClass, LlmoptError


class StorageUnavailable(LlmoptError):
    """The database does not answer now; the message holds its address without the password."""

    retryable = True
    error_class: ErrorClass | None = ErrorClass.STORAGE_UNAVAILABLE


class StorageFull(StorageUnavailable):
    """The disk that holds the database is full; what is in it is safe."""

    error_class = ErrorClass.DISK_FULL
    suggestion = "Free space on that disk; what was measured so far is kept."


class StorageReadOnly(StorageUnavailable):
    """The server answers, but takes no writes: it is a standby, or in read-only mode."""


class StorageUnusable(LlmoptError):
    """The address holds something that is not a study database of this version, or has no driver."""


class StudyUnreadable(LlmoptError):
    """What is stored of the study is not what llmopt writes, or more than this program reads."""


class StudyNotFound(LlmoptError):
    """There is no study of that name."""


class StudyDropped(StudyNotFound):
    """The study was dropped while it was in use."""

    def __init__(self, address: str = "the storage") -> None:
        super().__init__(f"{address}: the study is gone: it was dropped while it was in use")


class StudyMismatch(LlmoptError):
    """A study of that name exists and was created from other settings."""


class TrialLost(LlmoptError):
    """The claimed trial is not this runner's any more; its result must be thrown away."""


class OutcomeInvalid(LlmoptError):
    """An outcome lacks a metric that the study's objectives or constraints need, or cannot be stored."""


class EnqueueInvalid(LlmoptError):
    """An entry of `search.enqueue` does not lie in the search space."""


class SamplerUnavailable(LlmoptError):
    """The sampler lacks a package, or cannot handle this space or these objectives."""

    error_class = ErrorClass.INVALID_CONFIGURATION
