"""What a benchmark found, as plain data: read by the terminal, best.json, the report and Python."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmopt_core.analysis.comparison import BenchmarkFinding, CandidateFinding, compare_candidates
from llmopt_core.analysis.summary import WarningCount, summarise
from llmopt_core.results.optimizations import ErrorCount, errors_of
from llmopt_core.search.configurations import GROUPS, Configuration, Value
from llmopt_core.storage.views import StudyView


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark found.

    `finding` holds means, differences and the verdict. `ended` is why it ended, None while it can go on,
    `failed` whether it ended badly. `repeats` counts those that were measured.
    """

    study: str
    ended: str | None
    message: str
    finding: BenchmarkFinding
    failed: bool = False
    errors: tuple[ErrorCount, ...] = ()
    warnings: tuple[WarningCount, ...] = ()
    report: Path | None = None

    @property
    def candidates(self) -> tuple[CandidateFinding, ...]:
        """What was measured of each candidate."""
        return self.finding.candidates

    @property
    def winner(self) -> str | None:
        """The name of the candidate that won, None where no difference is significant or none is decided."""
        return self.finding.winner

    @property
    def verdict(self) -> str:
        """The outcome in one line."""
        return self.finding.verdict

    @property
    def repeats(self) -> int:
        """How many repeats were measured."""
        return self.finding.measured

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Value]]:
        """The winner's parameters by group, nothing without a winner."""
        groups = Configuration.from_flat({} if self._best is None else self._best.parameters)
        return {group: dict(getattr(groups, group)) for group in GROUPS}

    @property
    def serve_command(self) -> str | None:
        """The command that serves the winner."""
        return None if self._best is None else self._best.serve_command

    @property
    def request_fields(self) -> Mapping[str, Value]:
        """What goes with each request to the winner."""
        return {} if self._best is None else self._best.request_fields

    def candidate(self, name: str) -> CandidateFinding:
        """Return what was measured of the candidate called `name`."""
        return self.finding.candidate(name)

    @property
    def _best(self) -> CandidateFinding | None:
        return None if self.winner is None else self.candidate(self.winner)


def benchmark_result_of(study: StudyView, report: Path | None = None) -> BenchmarkResult:
    """Return what the benchmark `study` has found so far; raises NotABenchmark."""
    end, summary = study.ended, summarise(study)
    return BenchmarkResult(
        study=study.definition.name,
        ended=end.reason if end else None,
        message=end.message if end else "",
        finding=compare_candidates(study),
        failed=end is not None and end.failed,
        errors=errors_of(summary),
        warnings=summary.warnings,
        report=report,
    )
