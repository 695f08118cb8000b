"""What of vLLM's settings comes to the same, and what it refuses: as its own source has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.engines.declarations import When
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.search.configurations import Configuration

PARAMETERS = VLLM.parameters


def _values_of(parameter):
    """Return values that a study may ask of `parameter`, its edges often."""
    if parameter.choices is not None:
        return st.sampled_from(parameter.choices)
    if parameter.kind == "bool":
        return st.booleans()
    if parameter.kind == "text":
        return st.sampled_from(["auto", "nobind", "0-3", "1,2"])
    low = parameter.low
    high = max(low, 4096.0) if parameter.high is None else parameter.high
    if parameter.kind == "int":
        return st.integers(int(low), int(high))
    edges = st.sampled_from([low, 0.0, 1e-6, 1e-3, 1.0, -0.0]).filter(lambda value: low <= value <= high)
    return st.one_of(edges, st.floats(low, high, allow_nan=False))


@st.composite
def _configurations(draw):
    """Return configurations of some of vLLM's parameters."""
    names = draw(st.sets(st.sampled_from(sorted(PARAMETERS)), max_size=12))
    return Configuration.from_flat({name: draw(_values_of(PARAMETERS[name])) for name in sorted(names)})


def _canonical(engine=None, sampling=None):
    return VLLM.canonical(Configuration(engine=engine or {}, sampling=sampling or {})).flat()


@given(_configurations())
def test_a_canonical_form_is_its_own(configuration):
    """Canonical twice is canonical once, and it is refused for the same reasons."""
    once = VLLM.canonical(configuration)
    assert VLLM.canonical(once) == once
    assert VLLM.conflicts(once) == VLLM.conflicts(configuration)


@given(_configurations())
def test_the_spelling_of_numbers_does_not_matter(configuration):
    """The same values as whole and as decimal numbers, in any order, have one key."""
    respelled = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in reversed(configuration.flat().items())
    }
    again = VLLM.canonical(Configuration.from_flat(respelled))
    assert again.key() == VLLM.canonical(configuration).key()


def test_what_the_model_decides_stays_unsaid():
    """The baseline sends no sampling parameter: the model's generation_config.json is what users get."""
    default = VLLM.canonical(Configuration())
    assert not default.sampling
    assert VLLM.changed(default) == Configuration()


def test_every_sampling_parameter_is_free_between_requests():
    """One server serves any sampling; every setting of the server needs a new one."""
    for parameter in PARAMETERS.values():
        assert (parameter.when is When.REQUEST) == (parameter.group == "sampling")
    assert not VLLM.freezes_sampling(Configuration())


SAME = {
    "greedy ignores what only removes the unlikely": (
        {"temperature": 0, "top_p": 0.3, "top_k": 5, "min_p": 0.4, "seed": 9},
        {"temperature": 0.0},
    ),
    "temperatures that vLLM raises": ({"temperature": 1e-6}, {"temperature": 0.01}),
    "both spellings of all tokens": ({"top_k": -1}, {"top_k": 0}),
}
DIFFERENT = {
    "penalties act on the greedy too": ({"temperature": 0, "repetition_penalty": 1.5}, {"temperature": 0}),
    "off is not what the model says": ({"top_p": 1.0}, {}),
    "one token left may be one of several alike": ({"top_k": 1, "temperature": 1.0}, {"temperature": 0}),
    "seeds differ": ({"seed": 1}, {"seed": 2}),
}


@pytest.mark.parametrize(("left", "right"), SAME.values(), ids=SAME)
def test_sampling_without_effect_is_dropped(left, right):
    """Sampling settings that give the same answers have one canonical form."""
    assert _canonical(sampling=left) == _canonical(sampling=right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT.values(), ids=DIFFERENT)
def test_sampling_with_an_effect_is_kept(left, right):
    """Sampling settings that can give other answers stay apart."""
    assert _canonical(sampling=left) != _canonical(sampling=right)


_NGRAM = {"speculative_method": "ngram", "num_speculative_tokens": 3}
SAME_SERVERS = {
    "without a method nothing is guessed": ({"num_speculative_tokens": 3, "speculative_model": "a/b"}, {}),
    "ngram has no model": ({**_NGRAM, "speculative_model": "a/b"}, _NGRAM),
    "ngram looks up five tokens": ({**_NGRAM, "prompt_lookup_min": 5, "prompt_lookup_max": 5}, _NGRAM),
    "one end of what is looked up is both": (
        {**_NGRAM, "prompt_lookup_max": 3},
        {**_NGRAM, "prompt_lookup_min": 3, "prompt_lookup_max": 3},
    ),
    "a model looks nothing up": (
        {"speculative_method": "mtp", "prompt_lookup_max": 3},
        {"speculative_method": "mtp"},
    ),
    "nothing is compiled for an eager server": (
        {"enforce_eager": True, "cudagraph_mode": "FULL", "compilation_mode": "VLLM_COMPILE"},
        {"enforce_eager": True},
    ),
}


@pytest.mark.parametrize(("left", "right"), SAME_SERVERS.values(), ids=SAME_SERVERS)
def test_settings_of_a_server_without_effect_are_dropped(left, right):
    """What belongs to something that is off does not make another configuration."""
    assert _canonical(left) == _canonical(right)


@pytest.mark.parametrize(
    ("engine", "sampling", "message"),
    [
        ({"max_num_seqs": 64, "max_num_batched_tokens": 32}, {}, "32 is smaller than engine.max_num_seqs 64"),
        (
            {"enable_chunked_prefill": False, "max_num_batched_tokens": 1024, "max_model_len": 2048},
            {},
            "1024 is smaller than engine.max_model_len 2048",
        ),
        ({"gpu_memory_utilization": 0.0}, {}, "gpu_memory_utilization must be above 0"),
        (
            {"long_prefill_token_threshold": 4096, "max_model_len": 2048},
            {},
            "long_prefill_token_threshold 4096 is larger than engine.max_model_len 2048",
        ),
        ({"enable_eplb": True, "tensor_parallel_size": 2}, {}, "needs engine.enable_expert_parallel"),
        ({"enable_eplb": True, "enable_expert_parallel": True}, {}, "needs several devices"),
        (
            {"tensor_parallel_size": 4, "decode_context_parallel_size": 3},
            {},
            "decode_context_parallel_size 3 must divide engine.tensor_parallel_size 4",
        ),
        (
            {"prefill_context_parallel_size": 2, "decode_context_parallel_size": 4},
            {},
            "must be 1, 2 or 2",
        ),
        ({"offload_group_size": 4, "offload_num_in_group": 5}, {}, "5 is larger than"),
        ({"offload_group_size": 4, "offload_prefetch_step": 0}, {}, "must be at least 1"),
        ({"cudagraph_capture_sizes": "1,x"}, {}, "must be whole numbers above 0"),
        (
            {"cudagraph_capture_sizes": "1,2,32", "max_cudagraph_capture_size": 64},
            {},
            "max_cudagraph_capture_size 64 must be the largest of engine.cudagraph_capture_sizes 1,2,32",
        ),
        (
            {
                "cudagraph_capture_sizes": "1,2,64",
                "max_cudagraph_capture_size": 64,
                "max_num_batched_tokens": 32,
            },
            {},
            "max_cudagraph_capture_size 64 must be",
        ),
        (
            {"cudagraph_capture_sizes": "1,2,32", "max_cudagraph_capture_size": 2, "max_num_seqs": 32},
            {},
            "max_cudagraph_capture_size 2 must be",
        ),
        ({"mamba_block_size": 64, "enable_prefix_caching": False}, {}, "needs engine.enable_prefix_caching"),
        ({"enable_dbo": True, "dbo_decode_token_threshold": 1}, {}, "must be at least 2 with engine.enable"),
        ({"enable_dbo": True, "dbo_prefill_token_threshold": 1}, {}, "must be at least 2 with engine.enable"),
        (
            {"kv_sharing_fast_prefill": True, "speculative_method": "mtp"},
            {},
            "does not work with engine.speculative_method mtp",
        ),
        ({"speculative_method": "ngram"}, {}, "ngram needs engine.num_speculative_tokens"),
        (
            {"speculative_method": "draft_model", "num_speculative_tokens": 3},
            {},
            "draft_model needs engine.speculative_model",
        ),
        ({"speculative_method": "eagle3"}, {}, "eagle3 needs engine.speculative_model"),
        (
            {
                "speculative_method": "ngram",
                "num_speculative_tokens": 3,
                "prompt_lookup_min": 9,
                "prompt_lookup_max": 2,
            },
            {},
            "prompt_lookup_min 9 is larger than engine.prompt_lookup_max 2",
        ),
        (
            {"speculative_method": "ngram", "num_speculative_tokens": 3, "async_scheduling": True},
            {},
            "async_scheduling does not work with engine.speculative_method ngram",
        ),
        (
            {"speculative_method": "mtp", "tensor_parallel_size": 4, "draft_tensor_parallel_size": 2},
            {},
            "draft_tensor_parallel_size 2 must be 1 or engine.tensor_parallel_size",
        ),
        ({}, {"top_p": 0.0}, "top_p must be above 0"),
        ({}, {"repetition_penalty": 0}, "repetition_penalty must be above 0"),
    ],
)
def test_what_is_refused_is_said_with_the_way_out(engine, sampling, message):
    """A combination that the server refuses has one sentence."""
    (conflict,) = VLLM.conflicts(Configuration(engine=engine, sampling=sampling))
    assert message in conflict


@pytest.mark.parametrize(
    "engine",
    [
        {},
        {"max_num_seqs": 64, "max_num_batched_tokens": 64},
        {"max_num_seqs": 4096},
        {"max_num_batched_tokens": 16},
        {"max_num_batched_tokens": 1024, "max_model_len": 2048},
        {"enable_chunked_prefill": False, "max_num_batched_tokens": 2048, "max_model_len": 2048},
        {"enable_chunked_prefill": False, "max_model_len": 2048},
        {"enable_chunked_prefill": False, "max_num_batched_tokens": 16},
        {"speculative_method": "ngram", "num_speculative_tokens": 3, "async_scheduling": False},
        {"speculative_method": "mtp", "async_scheduling": True},
        {"speculative_method": "ngram_gpu", "num_speculative_tokens": 3, "async_scheduling": True},
        {"num_speculative_tokens": 3, "prompt_lookup_min": 9, "prompt_lookup_max": 2},
        {"enable_eplb": True, "enable_expert_parallel": True, "data_parallel_size": 2},
        {"tensor_parallel_size": 4, "decode_context_parallel_size": 2},
        {"offload_num_in_group": 5},
        {"cudagraph_capture_sizes": "1,2,32", "max_cudagraph_capture_size": 32},
        {"cudagraph_capture_sizes": "1,2,32", "max_cudagraph_capture_size": 2},  # a step may be so small
        {"cudagraph_capture_sizes": "1,2,64", "max_cudagraph_capture_size": 2, "max_num_batched_tokens": 32},
        {
            "cudagraph_capture_sizes": "1,2,32",
            "max_cudagraph_capture_size": 64,
            "cudagraph_mode": "NONE",
        },
        {"cudagraph_capture_sizes": "1,2,32", "max_cudagraph_capture_size": 64, "optimization_level": 0},
        {"cudagraph_capture_sizes": "1,2,32", "max_cudagraph_capture_size": 64, "enforce_eager": True},
        {"max_cudagraph_capture_size": 64},
        {"mamba_block_size": 64},
        {"mamba_block_size": 64, "enable_prefix_caching": True},
        {"mamba_block_size": 512, "enable_prefix_caching": False, "max_model_len": 512},
        {"dbo_decode_token_threshold": 1},
        {"enable_dbo": True, "dbo_decode_token_threshold": 2},
        {"kv_sharing_fast_prefill": True, "speculative_method": "ngram", "num_speculative_tokens": 3},
    ],
)
def test_what_the_server_may_accept_is_no_conflict(engine):
    """What depends on the model or on a default of the device is left to the server."""
    assert VLLM.conflicts(Configuration(engine=engine)) == ()


def test_greedy_answers_need_top_p_above_zero_no_more():
    """A top_p of 0 is refused only where it is sent: greedy answers go without it."""
    assert VLLM.conflicts(Configuration(sampling={"temperature": 0, "top_p": 0.0})) == ()
