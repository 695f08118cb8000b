"""Several runs of the quickstart: what is said of them."""

from quickstart_runs import MANIFEST, Run, report, with_seed

from llmopt_core.resources.loading import document_of, resource_of

BEST = {
    "significant": True,
    "ended": "TrialsExhausted",
    "headline": "Significant gain over the default: accuracy +0.300",
    "objectives": ["accuracy"],
    "effects": [
        {
            "metric": "accuracy",
            "absolute": 0.3,
            "relative": 0.6,
            "absolute_interval": {"low": 0.1, "high": 0.5},
            "relative_interval": {"low": 0.2, "high": 1.0},
        },
        {
            "metric": "ttft_ms_p95",
            "absolute": 1.0,
            "relative": 0.1,
            "absolute_interval": None,
            "relative_interval": None,
        },
    ],
    "warnings": [
        {"count": 3, "message": "other programs took 30% of the processors' time during the …", "trial": 9},
        {"count": 5, "message": "3 of 20 answers were cut at 24 tokens", "trial": 2},
    ],
}


def test_only_the_seed_is_another() -> None:
    """A run is the sample with another seed of its sampler, and the sample's own seed is 0."""
    sample = document_of(MANIFEST.read_text())
    assert resource_of(with_seed(sample, 7)).spec.search.sampler.seed == 7
    assert resource_of(with_seed(sample, 0)) == resource_of(sample)


def test_the_report_counts_what_was_found_in_time() -> None:
    """Significant gains, runs in time, disturbed measurements, and gains as people read them."""
    text = report([Run(0, 250.4, BEST), Run(1, 320.0, {**BEST, "significant": False}), Run(2, 10.0, {})])
    assert "1 of 3 found a significant gain, 2 ended within 300 s" in text
    lines = text.splitlines()
    assert "| 0 | 250 | yes | accuracy +0.300 (+0.100 to +0.500) | TrialsExhausted | 3 |" in lines[6]
    assert "| 1 | 320 | no |" in lines[7]
    assert "| 2 | 10 | no |  | without a result |  |  |" in lines[8]
