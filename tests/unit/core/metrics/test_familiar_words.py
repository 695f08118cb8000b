import pytest

from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.metrics.familiar_words import _MEANT, suggested_metrics


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("acuracy", "did you mean accuracy?"),
        ("throughput", "did you mean output_tokens_per_second or requests_per_second?"),
        ("ttft", "did you mean ttft_ms_p95, "),
        ("latency_p99", "did you mean ttft_ms_p95, tpot_ms_p95 or e2e_ms_p95?"),
        ("gpu memory", "did you mean peak_gpu_memory_mib"),
        ("QPS", "did you mean requests_per_second?"),
    ],
)
def test_a_familiar_word_leads_to_the_metrics_it_stands_for(word, meant):
    """What other tools call it is enough."""
    assert suggested_metrics(word, CATALOG).startswith(meant)


def test_a_word_that_says_nothing_leads_to_the_list():
    """No metric is guessed, and none is cut from a long list."""
    assert suggested_metrics("my_metric_xyz", CATALOG) == "`llmopt list --type metrics` shows all"


def test_every_familiar_word_means_metrics_that_there_are():
    """A metric that is renamed is renamed here as well."""
    assert {name for names in _MEANT.values() for name in names} <= set(CATALOG)
