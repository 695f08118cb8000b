"""What of llama.cpp's settings comes to the same, what it refuses, and that the defaults are its own."""

from typing import Any

import pytest
import xllamacpp
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.engines.declarations import ParameterDeclaration, completed
from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.llamacpp.rules import slot_context
from llmopt_core.search.configurations import Configuration, Value

PARAMETERS = LLAMACPP.parameters
ATTRIBUTES = {
    "engine.threads": "cpuparams.n_threads",
    "engine.threads_batch": "cpuparams_batch.n_threads",
    "engine.cache_reuse": "n_cache_reuse",
    "engine.context_shift": "ctx_shift",
    "engine.flash_attn": "flash_attn_type",
    "engine.fit": "fit_params",
    "engine.kv_offload": "no_kv_offload",
    "engine.override_tensor": "tensor_buft_overrides",
    "engine.spec_type": "speculative.types",
    "engine.spec_draft_model": "speculative.draft.mparams.path",
    "engine.spec_draft_n_max": "speculative.draft.n_max",
    "engine.spec_draft_n_min": "speculative.draft.n_min",
    "engine.spec_draft_p_min": "speculative.draft.p_min",
    "engine.spec_ngram_simple_size_n": "speculative.ngram_simple.size_n",
    "engine.spec_ngram_simple_size_m": "speculative.ngram_simple.size_m",
    "sampling.temperature": "sampling.temp",
    "sampling.typical_p": "sampling.typ_p",
    "sampling.repeat_penalty": "sampling.penalty_repeat",
    "sampling.repeat_last_n": "sampling.penalty_last_n",
    "sampling.presence_penalty": "sampling.penalty_present",
    "sampling.frequency_penalty": "sampling.penalty_freq",
}
# The first is only in requests, and the server's /props says -1; the second stands for places of tensors.
NOT_IN_THE_LIBRARY = {"sampling.top_n_sigma", "engine.n_cpu_moe"}
PREFIXES = (
    "LLAMA_FLASH_ATTN_TYPE_",
    "LLAMA_LOAD_MODE_",
    "LLAMA_SPLIT_MODE_",
    "COMMON_SPECULATIVE_TYPE_",
    "GGML_TYPE_",
)
# A number, a text, and a share for each of the GPUs that there may be.
UNSET = (-1, "", [0.0] * 128)


def values_of(parameter: ParameterDeclaration) -> st.SearchStrategy[Value]:
    """Return values that a study may ask of `parameter`, its edges often."""
    if parameter.choices is not None:
        return st.sampled_from(parameter.choices)
    if parameter.kind == "bool":
        return st.booleans()
    if parameter.kind == "text":
        return st.sampled_from(["3,1", "a=CPU", "/models/draft.gguf"])
    low = -1000.0 if parameter.low is None else parameter.low
    high = max(low, 1000.0) if parameter.high is None else parameter.high
    if parameter.kind == "int":
        return st.integers(int(low), int(high))
    edges = st.sampled_from([low, 0.0, 1.0, -0.0]).filter(lambda value: low <= value <= high)
    return st.one_of(edges, st.floats(low, high, allow_nan=False))


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    """Return configurations of some of llama.cpp's parameters."""
    names = draw(st.sets(st.sampled_from(sorted(PARAMETERS)), max_size=12))
    return Configuration.from_flat({name: draw(values_of(PARAMETERS[name])) for name in sorted(names)})


def canonical(
    engine: dict[str, Value] | None = None, sampling: dict[str, Value] | None = None
) -> dict[str, Value]:
    """Return the canonical form by full name."""
    return LLAMACPP.canonical(Configuration(engine=engine or {}, sampling=sampling or {})).flat()


@given(configurations())
def test_a_canonical_form_is_its_own(configuration: Configuration) -> None:
    """Canonical twice is canonical once."""
    once = LLAMACPP.canonical(configuration)
    assert LLAMACPP.canonical(once) == once
    assert LLAMACPP.canonical(once).key() == once.key()


@given(configurations())
def test_a_canonical_form_is_complete_and_allowed(configuration: Configuration) -> None:
    """Every parameter with a known default is set, to a value within its bounds or a clamped one."""
    values = LLAMACPP.canonical(configuration).flat()
    assert values.keys() >= {name for name, known in PARAMETERS.items() if known.default is not None}
    for name, value in values.items():
        assert PARAMETERS[name].normalised(value) == value
        if isinstance(value, str):
            assert value in (PARAMETERS[name].choices or (value,))


@given(configurations())
def test_the_order_and_spelling_of_numbers_do_not_matter(configuration: Configuration) -> None:
    """The same values as whole and as decimal numbers, in any order, have one key."""
    flat = configuration.flat()
    respelled = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in reversed(flat.items())
    }
    first = LLAMACPP.canonical(configuration)
    assert LLAMACPP.canonical(Configuration.from_flat(respelled)).key() == first.key()


@given(configurations())
def test_the_canonical_form_keeps_conflicts(configuration: Configuration) -> None:
    """What is refused is refused in its canonical form too, and the other way round."""
    assert LLAMACPP.conflicts(configuration) == LLAMACPP.conflicts(LLAMACPP.canonical(configuration))


@given(configurations())
def test_defaults_written_out_are_the_same(configuration: Configuration) -> None:
    """Saying what would be done anyway changes nothing."""
    said = Configuration.from_flat(completed(configuration, PARAMETERS))
    assert LLAMACPP.canonical(said).key() == LLAMACPP.canonical(configuration).key()


SAME: dict[str, tuple[dict[str, Value], dict[str, Value]]] = {
    "greedy ignores what only removes the unlikely": (
        {"temperature": 0, "top_p": 0.3, "top_k": 5, "min_p": 0.4, "seed": 9, "top_n_sigma": 2.0},
        {"temperature": 0.0},
    ),
    "one token left is greedy": ({"top_k": 1, "temperature": 1.5, "seed": 3}, {"temperature": 0}),
    "no mass left is greedy": ({"top_p": 0.0, "dynatemp_range": 0.3}, {"temperature": 0}),
    "only the best is greedy": ({"min_p": 1.0}, {"temperature": 0}),
    "penalties that look back on nothing": ({"repeat_last_n": 0, "repeat_penalty": 1.8}, {}),
    "a look back without penalties": ({"repeat_last_n": 128}, {}),
    "xtc's threshold without xtc": ({"xtc_threshold": 0.3}, {}),
    "xtc above one half": ({"xtc_probability": 0.9, "xtc_threshold": 0.6}, {}),
    "an exponent without a range": ({"dynatemp_exponent": 3.0}, {}),
    "DRY's base without DRY": ({"dry_base": 2.5, "dry_allowed_length": 4}, {}),
    "the random seed in both spellings": ({"seed": 2**32 - 1}, {"seed": -1}),
}
DIFFERENT: dict[str, tuple[dict[str, Value], dict[str, Value]]] = {
    "penalties act on the greedy too": ({"temperature": 0, "repeat_penalty": 1.5}, {"temperature": 0}),
    "typical_p may remove the best": ({"temperature": 0, "typical_p": 0.2}, {"temperature": 0}),
    "xtc may remove the best": ({"temperature": 0, "xtc_probability": 0.5}, {"temperature": 0}),
    "a moving temperature is not greedy": ({"temperature": 0, "dynatemp_range": 0.5}, {"temperature": 0}),
    "top_p off is not the default": ({"top_p": 1.0}, {}),
    "seeds differ": ({"seed": 1}, {"seed": 2}),
}


@pytest.mark.parametrize(("left", "right"), SAME.values(), ids=SAME)
def test_sampling_without_effect_is_dropped(left: dict[str, Value], right: dict[str, Value]) -> None:
    """Sampling settings that give the same answers have one canonical form."""
    assert canonical(sampling=left) == canonical(sampling=right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT.values(), ids=DIFFERENT)
def test_sampling_with_an_effect_is_kept(left: dict[str, Value], right: dict[str, Value]) -> None:
    """Sampling settings that can give other answers stay apart."""
    assert canonical(sampling=left) != canonical(sampling=right)


@pytest.mark.parametrize(
    ("given_values", "effective"),
    [
        ({"n_ctx": 2048, "n_batch": 256, "n_ubatch": 1024}, (2048, 256, 256)),
        ({"n_ctx": 512, "n_parallel": 4}, (1024, 512, 512)),
        ({"n_ctx": 300}, (512, 300, 300)),
        ({"n_ctx": 2050, "n_parallel": 3}, (2304, 2048, 512)),
        ({"n_ctx": 2048, "n_parallel": 4, "kv_unified": True}, (2048, 2048, 512)),
        ({}, (0, 2048, 512)),
    ],
)
def test_contexts_and_batches_are_those_that_the_server_logs(
    given_values: dict[str, Value], effective: tuple[int, int, int]
) -> None:
    """n_ctx, n_batch and n_ubatch come out as llama.cpp logged them for the same settings."""
    values = canonical(engine=given_values)
    assert (values["engine.n_ctx"], values["engine.n_batch"], values["engine.n_ubatch"]) == effective


def test_a_slots_context_is_its_share_rounded_up() -> None:
    """Each slot has its share in steps of 256 tokens; with a unified cache each can use all."""
    assert slot_context(8192, 16, unified=False) == 512
    assert slot_context(2050, 3, unified=False) == 768
    assert slot_context(2048, 4, unified=True) == 2048


def test_settings_without_effect_on_the_server_are_dropped() -> None:
    """One slot has nothing to share or to batch; reading threads as many as generating ones are not said."""
    assert canonical({"cont_batching": False, "kv_unified": True}) == canonical()
    assert canonical({"threads": 2, "threads_batch": 2}) == canonical({"threads": 2})
    assert canonical({"threads": 2, "threads_batch": 1}) != canonical({"threads": 2})
    assert canonical({"cache_prompt": False, "cache_reuse": 64}) == canonical({"cache_prompt": False})


@pytest.mark.parametrize(
    ("engine", "sampling", "message"),
    [
        ({"cache_type_v": "q8_0", "flash_attn": "off"}, {}, "needs flash attention"),
        ({"n_parallel": 16, "n_batch": 8}, {}, "n_batch 8 is smaller than engine.n_parallel 16"),
        ({}, {"repeat_penalty": 0.0}, "repeat_penalty must be above 0"),
    ],
)
def test_what_is_refused_is_said_with_the_way_out(
    engine: dict[str, Value], sampling: dict[str, Value], message: str
) -> None:
    """A combination that the server refuses has one sentence."""
    (conflict,) = LLAMACPP.conflicts(Configuration(engine=engine, sampling=sampling))
    assert message in conflict


@pytest.mark.parametrize(
    "engine",
    [
        {},
        {"cache_type_k": "q8_0", "flash_attn": "off"},
        {"cache_type_v": "q8_0"},
        {"cache_type_v": "bf16", "flash_attn": "off"},
        {"n_parallel": 8, "n_batch": 8},
    ],
)
def test_what_the_server_accepts_is_no_conflict(engine: dict[str, Value]) -> None:
    """Combinations that were seen to start are not refused."""
    assert LLAMACPP.conflicts(Configuration(engine=engine)) == ()


def library_default(full_name: str) -> Any:
    """Return what llama.cpp's own library defaults to, in the declaration's spelling."""
    group, _, name = full_name.partition(".")
    path = ATTRIBUTES.get(full_name, full_name if group == "sampling" else name)
    value: Any = xllamacpp.CommonParams()
    for step in path.split("."):
        value = getattr(value, step)
    if full_name == "engine.kv_offload":
        return not value
    enum_name = getattr(value[0] if full_name == "engine.spec_type" else value, "name", None)
    if enum_name is not None:
        return next(
            enum_name.removeprefix(prefix).lower() for prefix in PREFIXES if enum_name.startswith(prefix)
        )
    return value


@pytest.mark.parametrize("full_name", sorted(PARAMETERS.keys() - NOT_IN_THE_LIBRARY))
def test_the_defaults_are_the_librarys(full_name: str) -> None:
    """What the declaration says the engine does by itself is what the installed library does."""
    declared, actual = PARAMETERS[full_name].default, library_default(full_name)
    if declared is None:
        assert actual in UNSET
    elif full_name == "sampling.seed":
        assert (declared, actual) == (-1, xllamacpp.LLAMA_DEFAULT_SEED)
    else:
        assert actual == (pytest.approx(declared) if isinstance(declared, float) else declared)


@pytest.mark.parametrize("full_name", [name for name, known in PARAMETERS.items() if known.choices])
def test_every_choice_is_one_of_the_librarys(full_name: str) -> None:
    """Each choice of a text parameter is a value that the library has a name for."""
    enums = (
        xllamacpp.ggml_type,
        xllamacpp.llama_flash_attn_type,
        xllamacpp.llama_load_mode,
        xllamacpp.llama_split_mode,
        xllamacpp.common_speculative_type,
    )
    names = {member.name.lower() for enum in enums for member in enum}
    flash = {"on": "enabled", "off": "disabled"}
    for choice in PARAMETERS[full_name].choices or ():
        assert any(
            f"{prefix.lower()}{flash.get(choice, choice).replace('-', '_')}" in names for prefix in PREFIXES
        )


IDLE = {
    "nothing is guessed": {"spec_draft_model": "/a.gguf", "spec_draft_n_max": 9},
    "nothing is looked up": {"spec_ngram_simple_size_n": 4},
    "no GPU shares anything": {"n_gpu_layers": 0, "split_mode": "row", "tensor_split": "3,1", "n_cpu_moe": 2},
}


@pytest.mark.parametrize("engine", IDLE.values(), ids=IDLE)
def test_what_belongs_to_something_that_is_off_is_dropped(engine):
    """Neither guesses without a type nor places on GPUs without one make another configuration."""
    kept = {name: value for name, value in engine.items() if name == "n_gpu_layers"}
    forms = [LLAMACPP.canonical(Configuration(engine=each)) for each in (engine, kept)]
    assert forms[0] == forms[1]


def test_a_draft_is_kept_with_its_model():
    """What a type of guessing looks at stays."""
    engine = {"spec_type": "draft-simple", "spec_draft_model": "/a.gguf", "spec_draft_n_max": 9}
    assert engine.items() <= LLAMACPP.canonical(Configuration(engine=engine)).engine.items()


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ({"spec_type": "draft-simple"}, "draft-simple needs engine.spec_draft_model"),
        (
            {
                "spec_type": "draft-simple",
                "spec_draft_model": "/a.gguf",
                "spec_draft_n_min": 5,
                "spec_draft_n_max": 2,
            },
            "spec_draft_n_min 5 is larger than engine.spec_draft_n_max 2",
        ),
        ({"tensor_split": "3;1"}, "must be numbers with commas"),
        ({"override_tensor": "exps"}, "must be PATTERN=BUFFER"),
    ],
)
def test_guesses_and_places_that_cannot_be_are_refused(engine, message):
    """Each with what to do."""
    (conflict,) = LLAMACPP.conflicts(Configuration(engine=engine))
    assert message in conflict
