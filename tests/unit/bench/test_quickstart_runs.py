"""Several runs of the quickstart: what is said of them."""

from fakes.statuses import effect, ended, found
from quickstart_runs import MANIFEST, Run, report, with_seed

from llmopt_core.analysis.effects import Interval
from llmopt_core.resources.loading import document_of, resource_of
from llmopt_core.resources.status import WarningSummary
from llmopt_core.results.results import OptimizationResult

OTHERS = "other programs took 30% of the processors' time during the measurement"
STOLEN = (
    "the hypervisor took 50% of the time that programs needed on 1 of 2 processors during the measurement"
)
WARNINGS = [
    WarningSummary(count=3, last_message=OTHERS, last_trial=9),
    WarningSummary(count=1, last_message=STOLEN, last_trial=8),
    WarningSummary(count=5, last_message="3 of 20 answers were cut", last_trial=2),
]


def _result(interval: Interval) -> OptimizationResult:
    gain = effect("accuracy", 0.3, interval)
    return OptimizationResult("mine", found(gain, confirmed=True, warnings=WARNINGS, **ended()))


def test_only_the_seed_is_another() -> None:
    """A run is the sample with another seed of its sampler, and the sample's own seed is 0."""
    sample = document_of(MANIFEST.read_text())
    assert resource_of(with_seed(sample, 7)).spec.search.sampler.seed == 7
    assert resource_of(with_seed(sample, 0)) == resource_of(sample)


def test_the_report_counts_what_was_found_in_time() -> None:
    """Significant gains, runs in time, disturbed measurements, and gains as people read them."""
    proved, unproved = _result(Interval(0.1, 0.5)), _result(Interval(-0.1, 0.7))
    text = report([Run(0, 250.4, proved), Run(1, 320.0, unproved), Run(2, 10.0, None)])
    assert "1 of 3 found a significant gain, 2 ended within 300 s" in text
    lines = text.splitlines()
    assert "| 0 | 250 | yes | accuracy +0.300 (+0.100 to +0.500) | TrialsExhausted | 4 |" in lines[6]
    assert "| 1 | 320 | no | accuracy +0.300 (-0.100 to +0.700) | TrialsExhausted | 4 |" in lines[7]
    assert "| 2 | 10 | no |  | without a result |  |  |" in lines[8]
