"""What a study found and how far it is: what the operator writes back, and what is shown of local studies.

The same words for both kinds; every list and text is bounded. `llmopt_core.results` fills it. Read `statuses`
first.
"""

from llmopt_core.resources.status.results import (
    Best,
    CandidateResult,
    Choice,
    ConstraintStanding,
    ErrorSummary,
    MetricResult,
    ReportedCurve,
    ReportedEffect,
    ReportedInterval,
    ReportedProbe,
    StudyObjective,
    TrialResult,
    VarianceShares,
)
from llmopt_core.resources.status.statuses import (
    BenchmarkStatus,
    Condition,
    OptimizationStatus,
    Progress,
    RunnerStatus,
    Status,
    WarningSummary,
)
from llmopt_core.resources.status.values import Setting, decimal, scalar

__all__ = [
    "BenchmarkStatus",
    "Best",
    "CandidateResult",
    "Choice",
    "Condition",
    "ConstraintStanding",
    "ErrorSummary",
    "MetricResult",
    "OptimizationStatus",
    "Progress",
    "ReportedCurve",
    "ReportedEffect",
    "ReportedInterval",
    "ReportedProbe",
    "RunnerStatus",
    "Setting",
    "Status",
    "StudyObjective",
    "TrialResult",
    "VarianceShares",
    "WarningSummary",
    "decimal",
    "scalar",
]
