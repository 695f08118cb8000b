"""What SGLang says about itself, by the format strings of its source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_runner.engines.sglang.facts import read_counters, read_facts

LIMITS = "max_running_requests=2048, context_len=32768, available_gpu_mem=60.00 GB"
LOG = "\n".join(
    f"[2026-01-01 00:00:00 TP0] {line}"
    for line in (
        "Load weight end. elapsed=1.25 s, type=LlamaForCausalLM, avail mem=70.00 GB, mem usage=2.50 GB.",
        "KV Cache is allocated. dtype: torch.bfloat16, #tokens: 400000, K size: 1.50 GB, V size: 1.50 GB",
        "Capture decode CUDA graph end. elapsed=3.10 s, mem usage=0.25 GB, avail mem=60.00 GB.",
        "max_total_num_tokens=400000, chunked_prefill_size=8192, max_prefill_tokens=16384, " + LIMITS,
    )
)
METRICS = """\
sglang:prompt_tokens_total{model_name="m"} 120.0
sglang:cached_tokens_total{cache_source="device",model_name="m"} 20.0
sglang:cached_tokens_total{cache_source="host",model_name="m"} 10.0
sglang:num_retracted_requests_total{model_name="m"} 1.0
"""


def test_sizes_and_times_are_read_from_the_log():
    """In MiB and seconds, under the names that all engines' facts have."""
    assert read_facts(LOG) == {
        "weights_mib": 2560.0,
        "graphs_mib": 256.0,
        "kv_cache_mib": 3072.0,
        "load_seconds": 1.25,
        "kv_cache_tokens": 400000,
        "chunked_prefill_size": 8192,
        "max_running_requests": 2048,
        "n_ctx": 32768,
    }


def test_a_cache_of_latents_has_one_size():
    """Where keys and values are one."""
    line = "KV Cache is allocated. dtype: torch.bfloat16, #tokens: 10, KV size: 2.00 GB"
    assert read_facts(line)["kv_cache_mib"] == 2048.0


def test_counters_are_summed_over_their_labels():
    """Tokens from the device's cache and from main memory's."""
    assert read_counters(METRICS) == {"prompt_tokens": 120.0, "cached_tokens": 30.0, "preemptions": 1.0}


@pytest.mark.parametrize("value", ["1e999", "NaN", "+Inf", "1.2.3", "1e", "None", "9" * 400])
def test_a_counter_that_is_no_number_is_left_out(value):
    """The others are read as ever, and of several of one name those that are numbers count."""
    page = METRICS.replace(" 20.0", f" {value}")
    assert read_counters(page) == {"prompt_tokens": 120.0, "cached_tokens": 10.0, "preemptions": 1.0}
    assert "prompt_tokens" not in read_counters(METRICS.replace(" 120.0", f" {value}"))


def test_counters_whose_sum_is_no_number_are_left_out():
    """Each may be finite, and both together not."""
    page = METRICS.replace(" 20.0", " 1e308").replace(" 10.0", " 1e308")
    assert "cached_tokens" not in read_counters(page)


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    """Whatever a log or a page of metrics holds."""
    assert isinstance(read_facts(text), dict)
    assert isinstance(read_counters(text), dict)
