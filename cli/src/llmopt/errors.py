"""What the Python API raises, here and in a cluster."""

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.results.results import BenchmarkResult, OptimizationResult


class OptimizationFailed(LlmoptError):
    """The study ended without a result; `result` holds the classes of errors and what to do about them."""

    def __init__(self, message: str, result: OptimizationResult) -> None:
        self.result = result
        super().__init__(message)


class BenchmarkFailed(LlmoptError):
    """The benchmark ended without a comparison; `result` holds the classes of errors and what to do."""

    def __init__(self, message: str, result: BenchmarkResult) -> None:
        self.result = result
        super().__init__(message)
