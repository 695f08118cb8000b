"""The parameters of `transformers serve`: what comes to the same, what it refuses, what it keeps."""

import pytest

from llmopt_core.engines.transformers.declaration import TRANSFORMERS
from llmopt_core.engines.transformers.rules import WARPERS
from llmopt_core.search.configurations import Configuration, Value

Values = dict[str, Value]
BATCHED: Values = {"continuous_batching": True}
FOUR_BITS: Values = {"quantization": "bnb-4bit"}


def canonical(engine: Values | None = None, sampling: Values | None = None) -> dict[str, Value]:
    """Return the canonical form by full name."""
    return TRANSFORMERS.canonical(Configuration(engine=engine or {}, sampling=sampling or {})).flat()


SAME: dict[str, tuple[tuple[Values, Values], tuple[Values, Values]]] = {
    "greedy ignores what only removes the unlikely": (
        ({}, {"temperature": 0, "top_p": 0.3, "top_k": 5, "min_p": 0.4, "typical_p": 0.2, "seed": 9}),
        ({}, {"temperature": 0.0}),
    ),
    "one token left is greedy": (({}, {"top_k": 1, "temperature": 1.5}), ({}, {"temperature": 0})),
    "no mass left is greedy": (({}, {"top_p": 0.0}), ({}, {"temperature": 0})),
    "only the best is greedy": (({}, {"min_p": 1.0}), ({}, {"temperature": 0})),
    "batching's settings without batching": (
        ({"cb_block_size": 32, "cb_num_blocks": 64, "cb_max_memory_percent": 0.5}, {}),
        ({}, {}),
    ),
    "compiling while batching": (({**BATCHED, "compile": True}, {}), (BATCHED, {})),
    "a penalty that batching drops": ((BATCHED, {"repetition_penalty": 1.5}), (BATCHED, {})),
    "CUDA graphs on a CPU": (
        ({**BATCHED, "device": "cpu", "cb_use_cuda_graph": True}, {}),
        ({**BATCHED, "device": "cpu"}, {}),
    ),
    "a cache of the request while batching": ((BATCHED, {"cache_implementation": "static"}), (BATCHED, {})),
    "compiling with another cache": (
        ({"compile": True}, {"cache_implementation": "dynamic"}),
        ({}, {"cache_implementation": "dynamic"}),
    ),
    "4-bit options without 4-bit weights": (
        (
            {
                "quantization": "bnb-8bit",
                "bnb_4bit_quant_type": "fp4",
                "bnb_4bit_use_double_quant": False,
                "bnb_4bit_compute_dtype": "bfloat16",
            },
            {},
        ),
        ({"quantization": "bnb-8bit"}, {}),
    ),
    "4-bit options as the server has them": (
        (
            {
                **FOUR_BITS,
                "bnb_4bit_quant_type": "nf4",
                "bnb_4bit_use_double_quant": True,
                "bnb_4bit_compute_dtype": "float32",
            },
            {},
        ),
        (FOUR_BITS, {}),
    ),
    "a default that is written out": (({"quantization": "none", "dtype": "auto"}, {}), ({}, {})),
}
DIFFERENT: dict[str, tuple[tuple[Values, Values], tuple[Values, Values]]] = {
    "penalties act on the greedy too": (
        ({}, {"temperature": 0, "repetition_penalty": 1.5}),
        ({}, {"temperature": 0}),
    ),
    "greedy is not the model's own choice": (({}, {"temperature": 0}), ({}, {})),
    "top_p off may not be the model's own": (({}, {"temperature": 1, "top_p": 1}), ({}, {"temperature": 1})),
    "blocks of the cache": (({**BATCHED, "cb_num_blocks": 64}, {}), (BATCHED, {})),
    "the 4-bit type": (({**FOUR_BITS, "bnb_4bit_quant_type": "fp4"}, {}), (FOUR_BITS, {})),
    "double quantisation": (({**FOUR_BITS, "bnb_4bit_use_double_quant": False}, {}), (FOUR_BITS, {})),
    "the type of arithmetic": (({**FOUR_BITS, "bnb_4bit_compute_dtype": "float16"}, {}), (FOUR_BITS, {})),
    "a cache": (({}, {"cache_implementation": "static"}), ({}, {})),
    "seeds of sampled answers": (({}, {"temperature": 1, "seed": 1}), ({}, {"temperature": 1, "seed": 2})),
}


@pytest.mark.parametrize(("left", "right"), SAME.values(), ids=SAME)
def test_settings_with_the_same_effect_have_one_form(
    left: tuple[Values, Values], right: tuple[Values, Values]
) -> None:
    """What has no effect is dropped, so that the same is not measured twice."""
    assert canonical(*left) == canonical(*right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT.values(), ids=DIFFERENT)
def test_settings_with_another_effect_stay_apart(
    left: tuple[Values, Values], right: tuple[Values, Values]
) -> None:
    """What can change an answer or its speed is kept."""
    assert canonical(*left) != canonical(*right)


def test_what_is_not_said_of_sampling_is_left_to_the_model() -> None:
    """The baseline has no sampling parameter: the model's generation_config.json decides."""
    assert not [name for name in canonical() if name.startswith("sampling.")]


@pytest.mark.parametrize(
    ("engine", "sampling", "message"),
    [
        ({**BATCHED, "attn_implementation": "flex_attention"}, {}, "flex_attention does not go with"),
        ({"device": "cpu", "attn_implementation": "flash_attention_2"}, {}, "needs a GPU"),
        ({"device": "cpu"}, {"cache_implementation": "offloaded_static"}, "offloaded_static needs a GPU"),
        ({"attn_implementation": "flex_attention", "compile": True}, {}, "does not go with a static cache"),
        (
            {"attn_implementation": "flex_attention"},
            {"cache_implementation": "offloaded_static"},
            "does not go with a static cache",
        ),
        ({}, {"temperature": 1, "typical_p": 0.0}, "typical_p must be above 0: 1.0 switches it off"),
        ({}, {"temperature": 1, "top_h": 0.0}, "top_h must be above 0: leave it out"),
        ({}, {"repetition_penalty": 0.0}, "repetition_penalty must be above 0"),
        (BATCHED, {"no_repeat_ngram_size": 2}, "no_repeat_ngram_size does not go with"),
        (BATCHED, {"temperature": 1, "epsilon_cutoff": 0.1}, "supports temperature, top_k, top_p"),
    ],
)
def test_what_is_refused_is_said_with_the_way_out(engine: Values, sampling: Values, message: str) -> None:
    """A combination that the server refuses, ignores or dies of has one sentence."""
    (conflict,) = TRANSFORMERS.conflicts(Configuration(engine=engine, sampling=sampling))
    assert message in conflict


@pytest.mark.parametrize(
    ("engine", "sampling"),
    [
        ({}, {}),
        ({"quantization": "bnb-4bit", **BATCHED, "cb_num_blocks": 64}, {"temperature": 0.5, "top_p": 0.9}),
        ({"attn_implementation": "flash_attention_2"}, {}),
        ({**BATCHED, "attn_implementation": "eager"}, {"temperature": 0, "epsilon_cutoff": 0.1}),
        ({}, {"temperature": 0, "no_repeat_ngram_size": 3}),
        ({"device": "cpu"}, {"cache_implementation": "static"}),
        ({"attn_implementation": "flex_attention", "compile": True}, {"cache_implementation": "dynamic"}),
        ({**BATCHED, "device": "cpu"}, {"cache_implementation": "offloaded"}),
    ],
)
def test_what_the_server_takes_is_no_conflict(engine: Values, sampling: Values) -> None:
    """Combinations that were seen to start and answer are not refused."""
    assert TRANSFORMERS.conflicts(Configuration(engine=engine, sampling=sampling)) == ()


def test_batching_keeps_the_sampling_of_the_first_request() -> None:
    """With continuous batching a change of sampling needs a new server; without it only a request."""
    sampling: Values = {"temperature": 0.5, "seed": 3}
    plain = Configuration(sampling=sampling)
    batched = Configuration(engine=BATCHED, sampling=sampling)
    assert TRANSFORMERS.load_part(plain) == {}
    assert TRANSFORMERS.request_part(plain) == sampling
    assert TRANSFORMERS.load_part(batched) == {
        "engine.continuous_batching": True,
        "sampling.temperature": 0.5,
    }
    assert TRANSFORMERS.request_part(batched) == {"seed": 3}


@pytest.mark.parametrize("name", WARPERS)
def test_every_warper_is_declared(name: str) -> None:
    """What needs sampling to be on is what the declaration offers."""
    assert f"sampling.{name}" in TRANSFORMERS.parameters
