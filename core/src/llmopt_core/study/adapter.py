"""The one way to a study's record: open it, claim, report, finish, reap, read.

What other rooms need of this one, in one place; the summary and the figures have modules of their own.
"""

from llmopt_core.study.access import Access
from llmopt_core.study.documents import EndReason
from llmopt_core.study.errors import (
    EnqueueInvalid,
    OutcomeInvalid,
    SamplerUnavailable,
    StorageFull,
    StorageUnavailable,
    StorageUnusable,
    StudyMismatch,
    StudyNotFound,
    StudyUnreadable,
    TrialLost,
)
from llmopt_core.study.janitors import Janitor
from llmopt_core.study.storage import Storage, open_storage
from llmopt_core.study.studies import Study

__all__ = [
    "Access",
    "EndReason",
    "EnqueueInvalid",
    "Janitor",
    "OutcomeInvalid",
    "SamplerUnavailable",
    "Storage",
    "StorageFull",
    "StorageUnavailable",
    "StorageUnusable",
    "Study",
    "StudyMismatch",
    "StudyNotFound",
    "StudyUnreadable",
    "TrialLost",
    "open_storage",
]
