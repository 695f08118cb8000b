"""Types of conditions and the phases derived from them."""

from enum import StrEnum


class ConditionType(StrEnum):
    """What a condition of a resource is about."""

    ACCEPTED = "Accepted"
    STUDY_READY = "StudyReady"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    MEMORY_GUARD_PASSED = "MemoryGuardPassed"
    BASELINE_MEASURED = "BaselineMeasured"
    RESULT_VALID = "ResultValid"
    BLOCKED = "Blocked"
    COMPLETE = "Complete"
    FAILED = "Failed"
    ROLLED_OUT = "RolledOut"


class Phase(StrEnum):
    """The conditions in one word, for people only: programs read the conditions."""

    PENDING = "Pending"
    REJECTED = "Rejected"
    RUNNING = "Running"
    CONFIRMING = "Confirming"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"
