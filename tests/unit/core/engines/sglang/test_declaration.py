"""What of SGLang's settings comes to the same, and what it refuses: as its own source has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.engines.servers import ModelReference
from llmopt_core.engines.sglang.declaration import SGLANG
from llmopt_core.search.configurations import Configuration

PARAMETERS = SGLANG.parameters


def _values_of(parameter):
    """Return values that a study may ask of `parameter`."""
    if parameter.choices is not None:
        return st.sampled_from(parameter.choices)
    if parameter.kind == "bool":
        return st.booleans()
    if parameter.kind == "text":
        return st.sampled_from(["org/name", "/models/a"])
    low = -1.0 if parameter.low is None else parameter.low
    high = max(low, 4096.0) if parameter.high is None else parameter.high
    if parameter.kind == "int":
        return st.integers(int(low), int(high))
    return st.floats(low, high, allow_nan=False)


@st.composite
def _configurations(draw):
    names = draw(st.sets(st.sampled_from(sorted(PARAMETERS)), max_size=12))
    return Configuration.from_flat({name: draw(_values_of(PARAMETERS[name])) for name in sorted(names)})


@given(_configurations())
def test_a_canonical_form_is_its_own(configuration):
    """Canonical twice is canonical once, and it is refused for the same reasons."""
    once = SGLANG.canonical(configuration)
    assert SGLANG.canonical(once) == once
    assert SGLANG.conflicts(once) == SGLANG.conflicts(configuration)


def test_the_default_is_a_plain_server():
    """The baseline sends no sampling parameter and no flag."""
    default = SGLANG.canonical(Configuration())
    assert not default.sampling
    assert SGLANG.changed(default) == Configuration()


SAME = {
    "greedy ignores what only removes the unlikely": (
        {"sampling.temperature": 1e-7, "sampling.top_p": 0.3, "sampling.top_k": 5},
        {"sampling.temperature": 0},
    ),
    "seeds count where inference is deterministic": ({"sampling.seed": 1}, {}),
    "without an algorithm nothing is guessed": ({"engine.speculative_num_steps": 3}, {}),
    "main memory for no prefixes": ({"engine.hicache_size": 3}, {}),
    "a compiled batch without compilation": ({"engine.torch_compile_max_bs": 3}, {}),
}


@pytest.mark.parametrize(("left", "right"), SAME.values(), ids=SAME)
def test_what_has_no_effect_is_dropped(left, right):
    """Settings that come to the same are one configuration."""
    forms = [SGLANG.canonical(Configuration.from_flat(each)) for each in (left, right)]
    assert forms[0] == forms[1]


def test_a_seed_is_kept_where_it_has_an_effect():
    """With deterministic inference it is part of the configuration."""
    values = {"engine.enable_deterministic_inference": True, "sampling.seed": 1}
    assert SGLANG.canonical(Configuration.from_flat(values)).sampling == {"seed": 1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"engine.mem_fraction_static": 0.0}, "mem_fraction_static must be above 0"),
        ({"engine.chunked_prefill_size": 0}, "chunked_prefill_size must be -1 or at least 1"),
        ({"sampling.top_p": 0.0}, "top_p must be above 0"),
        ({"sampling.top_k": 0}, "top_k must be -1 or at least 1"),
        ({"sampling.repetition_penalty": 0.0}, "repetition_penalty must be above 0"),
        (
            {"engine.tensor_parallel_size": 4, "engine.expert_parallel_size": 3},
            "expert_parallel_size 3 must divide engine.tensor_parallel_size 4",
        ),
        ({"engine.speculative_algorithm": "EAGLE3"}, "needs engine.speculative_draft_model_path"),
        (
            {
                "engine.speculative_algorithm": "DFLASH",
                "engine.speculative_draft_model_path": "a/b",
                "engine.pipeline_parallel_size": 2,
            },
            "works with engine.pipeline_parallel_size 1 only",
        ),
    ],
)
def test_what_is_refused_is_said_with_the_way_out(values, message):
    """A combination that the server refuses has one sentence."""
    (conflict,) = SGLANG.conflicts(Configuration.from_flat(values))
    assert message in conflict


def test_no_parameter_of_the_server_is_called_tried():
    """A stand-in tries none: what real kernels do with them, nobody has seen here."""
    assert not any(known.tried for known in PARAMETERS.values() if known.group == "engine")


def test_the_command_has_flags_and_the_fields_of_requests_below():
    """What is off has no flag; sampling is sent by clients, in a line that a shell ignores."""
    values = {"engine.disable_radix_cache": True, "engine.enable_mixed_chunk": False, "sampling.top_p": 0.9}
    differences = SGLANG.changed(SGLANG.canonical(Configuration.from_flat(values)))
    model = SGLANG.server.model(ModelReference("name", path="/models/a"))
    line, comment = SGLANG.server.command(("sglang", *model), differences).splitlines()
    assert line == "sglang serve --model-path /models/a --served-model-name name --disable-radix-cache"
    assert comment == "# send with each request: top_p=0.9"


def test_what_was_decided_replaces_other_spellings():
    """SGLang has two or three flags for the same size."""
    configuration = SGLANG.canonical(Configuration(engine={"tensor_parallel_size": 4}))
    arguments = SGLANG.server.arguments(configuration, ["engine.tensor_parallel_size"])
    assert arguments.merged(["--tp", "2", "--host", "h"]) == ("--host", "h", "--tensor-parallel-size", "4")
