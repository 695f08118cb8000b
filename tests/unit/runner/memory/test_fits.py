"""What of a model fits on GPUs: sizes by type, the longest request, requests side by side."""

from dataclasses import replace

import pytest
from fakes.small_llama import CACHED_NUMBERS_A_TOKEN, MIB, SHAPE, quantised
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_runner.memory.fits import Hardware, fits
from llmopt_runner.memory.layers import CachedLayers, LayerKind
from llmopt_runner.memory.splits import Split
from llmopt_runner.memory.weights import PlacedWeights, StoredWeights
from llmopt_runner.models.tensor_types import TensorType

ONE_GPU = Split()
TOKEN_MIB = CACHED_NUMBERS_A_TOKEN * 2 / MIB
ROOMY = Hardware(gpus=1, memory_mib=1000, share=0.9, reserve_mib=100)
GGUF = replace(
    SHAPE,
    weights=StoredWeights(stored_bytes=60 * MIB, kept_bytes=60 * MIB),
    dtype=TensorType.Q4_1,
    is_gguf=True,
)


def _fits(shape=SHAPE, hardware=ROOMY, context=1024, split=ONE_GPU, draft=None):
    return {(each.weights, each.kv_type): each for each in fits(shape, hardware, context, split, draft)}


def test_plain_weights_can_be_had_in_fewer_bits():
    """Embeddings keep 16 bits; each type of weights is combined with each of the cache."""
    found = _fits()
    assert {name: each.weights_mib for (name, kv), each in found.items() if kv == "fp8"} == {
        "bfloat16": 200,
        "fp8 (online)": 40 + 80,
        "4 bits (nvfp4, online)": 40 + 45,
        "4 bits (mxfp4, online)": 40 + 42.5,
        "4 bits (bitsandbytes)": pytest.approx(40 + 80 * (4 + 8 / 64 + 32 / 64 / 256) / 8),
    }
    assert found["bfloat16", "16 bits"].kv_bytes_per_token == CACHED_NUMBERS_A_TOKEN * 2
    assert found["bfloat16", "fp8"].kv_bytes_per_token == CACHED_NUMBERS_A_TOKEN
    assert found["bfloat16", "4 bits (nvfp4)"].kv_bytes_per_token == CACHED_NUMBERS_A_TOKEN * 9 / 16


def test_files_in_32_bits_may_stay_so():
    """Engines serve them in 16 bits unless they are asked not to; the cache then has 32 as well."""
    weights = replace(SHAPE.weights, stored_bytes=400 * MIB)
    found = _fits(replace(SHAPE, dtype=TensorType.FLOAT32, weights=weights))
    assert {name: found[name, "fp8"].weights_mib for name in ("float32", "bfloat16")} == {
        "float32": 400,
        "bfloat16": 200,
    }
    assert found["float32", "float32"].kv_bytes_per_token == CACHED_NUMBERS_A_TOKEN * 4
    assert ("float32", "float32") not in _fits()


def test_a_latent_is_not_kept_in_four_bits():
    """Its formats are those of single kernels."""
    latent = replace(SHAPE, cache=(CachedLayers(LayerKind.LATENT, 4, key_elements=576),))
    assert {kv for _, kv in _fits(latent)} == {"16 bits", "fp8"}


def test_quantised_weights_stay_as_they_are():
    """Files that are quantised have one size."""
    assert {each.weights_mib for each in _fits(quantised(60)).values()} == {60}


def test_a_gguf_file_has_caches_of_its_own_types():
    """The types that llama.cpp knows, blocks and their scales included."""
    sizes = {kv: each.kv_bytes_per_token for (_, kv), each in _fits(GGUF).items()}
    assert sizes == {
        "f16": CACHED_NUMBERS_A_TOKEN * 2,
        "q8_0": CACHED_NUMBERS_A_TOKEN * 34 / 32,
        "q4_0": CACHED_NUMBERS_A_TOKEN * 18 / 32,
    }


def test_requests_fill_what_weights_leave():
    """Of 900 MiB 100 are reserved, 200 are weights: so many requests of 1024 tokens fit side by side."""
    fit = _fits()["bfloat16", "16 bits"]
    assert fit.left_mib == 600
    assert fit.kv_cache_mib == pytest.approx(1024 * TOKEN_MIB)
    assert fit.concurrency == int(600 / (1024 * TOKEN_MIB))


@pytest.mark.parametrize(
    ("memory_mib", "longest"),
    [
        (1000, 2048),  # no longer than the model's own
        ((300 + 1024 * TOKEN_MIB + 0.001) / 0.9, 1024),
        ((300 + 1024 * TOKEN_MIB - 0.001) / 0.9, 1008),
        (100, 0),
    ],
)
def test_the_longest_request(memory_mib, longest):
    """Up to whole blocks, and nothing where the weights do not fit."""
    fit = _fits(hardware=replace(ROOMY, memory_mib=memory_mib))["bfloat16", "16 bits"]
    assert fit.longest_context == longest
    assert (fit.concurrency == 0) == (longest < 1024)


@pytest.mark.parametrize(
    ("context", "max_context", "any_fit"), [(2048, 2048, 1), (2049, 2048, 0), (4096, 0, 1)]
)
@pytest.mark.parametrize("split", [ONE_GPU, Split(data=2), Split(pipeline=2)])
def test_no_request_is_longer_than_the_context_of_the_model(context, max_context, any_fit, split):
    """None is served, however much would fit; a model that does not say its context takes any length."""
    shape = replace(SHAPE, max_context=max_context)
    hardware = replace(ROOMY, gpus=split.gpus)
    counts = {each.concurrency > 0 for each in _fits(shape, hardware, context, split).values()}
    assert counts == {bool(any_fit)}


def test_gpus_share_weights_and_heads():
    """Four KV heads over eight GPUs: each holds one, and an eighth of the weights."""
    fit = _fits(hardware=replace(ROOMY, gpus=8), split=Split(tensor=8))["bfloat16", "16 bits"]
    assert (fit.weights_mib, fit.kv_bytes_per_token) == (25, CACHED_NUMBERS_A_TOKEN * 2 / 4)


def test_what_is_not_split_is_on_every_gpu():
    """Norms and routers; a GGUF file's layers lie whole on one of them."""
    weights = StoredWeights(stored_bytes=200 * MIB, linear=90 * MIB, other=10 * MIB)
    fit = _fits(replace(SHAPE, weights=weights), split=Split(tensor=4))
    assert fit["bfloat16", "16 bits"].weights_mib == pytest.approx(180 / 4 + 20)
    gguf = _fits(replace(GGUF, weights=weights), split=Split(pipeline=4))
    assert {each.weights_mib for each in gguf.values()} == {50}


# Two MiB of embeddings, four layers of which the last has twice the weights, a head of 16 MiB; 16 bits.
UNEVEN = replace(
    SHAPE,
    weights=StoredWeights(stored_bytes=28 * MIB, embeddings=9 * MIB, linear=5 * MIB),
    placed=PlacedWeights(
        StoredWeights(stored_bytes=2 * MIB, embeddings=MIB),
        tuple(StoredWeights(stored_bytes=2 * size * MIB, linear=size * MIB) for size in (1, 1, 1, 2)),
        StoredWeights(stored_bytes=16 * MIB, embeddings=8 * MIB),
    ),
)
FULL_LAYER = CachedLayers(LayerKind.FULL, 1, heads=4, key_elements=128, value_elements=128)


@pytest.mark.parametrize(("pipeline", "weights_mib"), [(2, 6 + 16), (3, 4 + 16), (4, 4 + 16)])
def test_the_stage_that_needs_most_decides(pipeline, weights_mib):
    """The last one here, which holds the head."""
    fit = _fits(UNEVEN, split=Split(pipeline=pipeline))["bfloat16", "16 bits"]
    assert (fit.stage, fit.weights_mib) == (pipeline, weights_mib)


def test_layers_that_keep_tokens_are_counted_in_their_own_stage():
    """All that attend are in the second half: it holds the whole cache, and no stage a longer request."""
    state = CachedLayers(LayerKind.STATE, 1, state_bytes=1024)
    stack = ((state,), (state,), (FULL_LAYER,), (FULL_LAYER,))
    shape = replace(SHAPE, stack=stack, cache=(replace(state, count=2), replace(FULL_LAYER, count=2)))
    small = replace(ROOMY, memory_mib=(100 + 100 + 1024 * TOKEN_MIB / 2 + 0.001) / 0.9)
    fit = _fits(shape, hardware=small, split=Split(pipeline=2))["bfloat16", "16 bits"]
    assert (fit.stage, fit.kv_bytes_per_token, fit.longest_context) == (2, CACHED_NUMBERS_A_TOKEN, 1024)


def test_stages_that_are_alike_are_not_distinguished():
    """Half the weights and half the layers each."""
    fit = _fits(split=Split(pipeline=2))["bfloat16", "16 bits"]
    assert (fit.stage, fit.weights_mib, fit.kv_bytes_per_token) == (None, 100, CACHED_NUMBERS_A_TOKEN)


def test_replicas_answer_side_by_side():
    """Each has all weights and a cache of its own: twice as many requests as one."""
    alone, both = _fits()["bfloat16", "16 bits"], _fits(split=Split(data=2))["bfloat16", "16 bits"]
    assert both.weights_mib == alone.weights_mib
    assert both.concurrency == 2 * alone.concurrency


@pytest.mark.parametrize(
    ("split", "share"),
    [
        (Split(tensor=4), 1 / 4),
        (Split(tensor=2, data=2), 1 / 4),
        (Split(tensor=2, data=2, whole_experts=True), 2 / 6),
        (Split(tensor=2, whole_experts=True), 1 / 2),
    ],
)
def test_replicas_hold_one_set_of_experts_together(split, share):
    """In parts, or whole: of six over four GPUs some hold two. The rest is split within a replica."""
    weights = StoredWeights(stored_bytes=200 * MIB, linear=40 * MIB, experts=60 * MIB, expert_bytes=120 * MIB)
    fit = _fits(replace(SHAPE, weights=weights, experts=6), split=split)["bfloat16", "16 bits"]
    assert fit.weights_mib == pytest.approx(80 / split.tensor + 120 * share)


def test_a_draft_model_lies_beside_the_last_stage():
    """It is not split into stages."""
    found = _fits(split=Split(pipeline=2), draft=SHAPE)["bfloat16", "16 bits"]
    assert found.stage == 2
    assert [term.mib for term in found.terms if "draft" in term.name] == [200]
    assert found.kv_bytes_per_token == (1 / 2 + 1) * CACHED_NUMBERS_A_TOKEN * 2


def test_layers_of_a_gguf_file_are_spread_over_gpus():
    """llama.cpp gives whole layers to each."""
    fit = _fits(GGUF, split=Split(pipeline=2))["q4_1", "f16"]
    assert (fit.weights_mib, fit.kv_bytes_per_token) == (30, CACHED_NUMBERS_A_TOKEN)


def test_a_draft_model_takes_its_own_weights_and_cache():
    """It reads the same tokens."""
    alone, beside = _fits()["bfloat16", "16 bits"], _fits(draft=SHAPE)["bfloat16", "16 bits"]
    assert beside.left_mib == alone.left_mib - 200
    assert beside.kv_bytes_per_token == 2 * alone.kv_bytes_per_token


def test_windows_and_states_are_said_apart():
    """A token beyond the windows takes less, and a state takes the same for any length."""
    cache = (
        CachedLayers(LayerKind.WINDOWED, 2, key_elements=512, window=128),
        CachedLayers(LayerKind.FULL, 2, key_elements=512),
        CachedLayers(LayerKind.STATE, 2, state_bytes=MIB),
    )
    fit = _fits(replace(SHAPE, cache=cache))["bfloat16", "16 bits"]
    assert (fit.kv_bytes_per_token, fit.kv_bytes_per_further_token, fit.state_mib) == (4096, 2048, 2)
    assert fit.kv_cache_mib > fit.least_kv_cache_mib


def test_without_hardware_only_needs_are_reported():
    """What fits depends on what there is."""
    fit = _fits(hardware=None)["bfloat16", "16 bits"]
    assert (fit.left_mib, fit.longest_context, fit.concurrency) == (None, None, None)
    assert fit.kv_cache_mib is not None


def test_a_layout_that_is_not_understood_gives_weights_only():
    """No number is better than a wrong one."""
    fit = _fits(replace(SHAPE, cache=(), unknown="why"))["bfloat16", "16 bits"]
    assert (fit.weights_mib, fit.left_mib) == (200, 600)
    assert (fit.kv_bytes_per_token, fit.longest_context, fit.concurrency) == (None, None, None)


def test_weights_that_are_not_reported_are_unknown():
    """A configuration alone gives the cache."""
    fit = next(iter(_fits(replace(SHAPE, weights=StoredWeights())).values()))
    assert (fit.weights_mib, fit.left_mib, fit.longest_context) == (None, None, None)
    assert fit.kv_bytes_per_token == CACHED_NUMBERS_A_TOKEN * 2


COUNT, HEADS, ELEMENTS = st.integers(1, 64), st.integers(1, 16), st.integers(1, 4096)
GROWING, BOUNDED = [LayerKind.FULL, LayerKind.LATENT], [LayerKind.WINDOWED, LayerKind.CHUNKED]
LAYERS = st.one_of(
    st.builds(CachedLayers, st.sampled_from(GROWING), COUNT, HEADS, ELEMENTS, st.integers(0, 4096)),
    st.builds(CachedLayers, st.sampled_from(BOUNDED), COUNT, HEADS, ELEMENTS, ELEMENTS, st.integers(1, 2048)),
    st.builds(CachedLayers, st.just(LayerKind.STATE), COUNT, state_bytes=st.integers(0, 4 * MIB)),
)


@settings(max_examples=50)
@given(
    cache=st.lists(LAYERS, min_size=1, max_size=4),
    memory=st.integers(0, 100_000),
    split=st.builds(Split, st.integers(1, 16), st.integers(1, 4), st.integers(1, 4), st.booleans()),
)
def test_the_longest_request_fits_and_terms_add_up(cache, memory, split):
    """Whatever the layers: the longest request is within what is left, and no term is negative."""
    shape = replace(SHAPE, cache=tuple(cache))
    for each in fits(shape, Hardware(split.gpus, memory, 1.0, 0.0), 1024, split):
        assert all(term.mib >= 0 for term in each.terms)
        assert each.least_kv_cache_mib <= each.kv_cache_mib * (1 + 1e-9)
        assert 0 <= each.longest_context <= 2048
        assert (each.concurrency > 0) == (each.longest_context >= 1024)
