"""The declaration of vLLM against the classes of the installed vLLM: no default and no rule is hearsay."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from fakes.engine_environments import use_engine

from llmopt_core.engines.vllm import known_arguments
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.engines.vllm.flags import flags, variables
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.vllm.engine import Vllm

pytestmark = pytest.mark.slow
LIMIT_SECONDS = 240
SCRIPT = Path(__file__).parents[2] / "fakes" / "vllm_truth.py"
SCRIPTS = Path(__file__).parents[3] / "scripts"
GENERATED = {"vllm_arguments.py": "serve_arguments.json", "vllm_quantisation.py": "quantisation.json"}
FOLDER = Path(known_arguments.__file__).parent
# Per parameter a value that is not its default, where a rule gives no other.
SET = {
    "max_num_seqs": 7,
    "max_num_batched_tokens": 99,
    "max_model_len": 1234,
    "gpu_memory_utilization": 0.5,
    "kv_cache_memory_mib": 3,
    "enable_prefix_caching": False,
    "enable_chunked_prefill": False,
    "tensor_parallel_size": 2,
    "block_size": 32,
    "speculative_method": "ngram",
    "num_speculative_tokens": 3,
    "speculative_model": "org/draft",
    "cudagraph_capture_sizes": "1,2,4",
    "cudagraph_mode": "PIECEWISE",
    "optimization_level": 1,
    "cpu_threads_bind": "0-1",
}
# What vLLM's own argument is, where it has another name or unit: the argument, and what is then held in it.
HELD = {
    "kv_cache_memory_mib": ("kv_cache_memory_bytes", 3 * 2**20),
    "speculative_method": ("speculative_config", {"method": "ngram"}),
    "num_speculative_tokens": ("speculative_config", {"num_speculative_tokens": 3}),
    "speculative_model": ("speculative_config", {"model": "org/draft"}),
    "draft_tensor_parallel_size": ("speculative_config", {"draft_tensor_parallel_size": 2}),
    "prompt_lookup_max": ("speculative_config", {"prompt_lookup_max": 2}),
    "prompt_lookup_min": ("speculative_config", {"prompt_lookup_min": 2}),
    "optimization_level": ("optimization_level", "1"),
}
# Held in an object of vLLM's own, which prints its name.
COMPILATION = {"compilation_mode", "cudagraph_mode", "cudagraph_capture_sizes"}


def _other_value(known):
    """Return a value of `known` that is not its default."""
    if known.name in SET:
        return SET[known.name]
    if known.kind == "bool":
        return known.default is not True
    if known.choices is not None:
        return next(each for each in known.choices if each != known.default)
    number = (2 if known.default is None else known.default + 1) if known.high is None else known.high / 2
    return known.normalised(number)


ENGINE = {known.name: known for known in VLLM.parameters.values() if known.group == "engine"}
VALUES = {name: _other_value(known) for name, known in ENGINE.items()}
SAMPLING = (
    {},
    {"temperature": 0.0, "top_p": 0.5, "top_k": 5, "min_p": 0.1},
    {"temperature": 9e-6, "top_p": 0.5},
    {"temperature": 0.002},
    {"temperature": 2.0},
    {"top_k": -1},
    {"presence_penalty": -2.0, "frequency_penalty": 2.0},
)
REFUSED_SAMPLING = (
    {"temperature": 2.1},
    {"temperature": -0.1},
    {"top_p": 0.0},
    {"top_p": 1.1},
    {"top_k": -2},
    {"min_p": 1.1},
    {"repetition_penalty": 0.0},
    {"presence_penalty": 2.1},
    {"frequency_penalty": -2.1},
)
SCHEDULERS = (
    {"max_num_seqs": 64, "max_num_batched_tokens": 32, "max_model_len": 16},
    {"max_num_seqs": 64, "max_num_batched_tokens": 64, "max_model_len": 2048},
    {"enable_chunked_prefill": False, "max_num_batched_tokens": 1024, "max_model_len": 2048},
    {"enable_chunked_prefill": False, "max_num_batched_tokens": 2048, "max_model_len": 2048},
    {"max_model_len": 16, "long_prefill_token_threshold": 32},
    {"max_model_len": 64, "long_prefill_token_threshold": 32},
)
SPECULATIONS = (
    {"method": "ngram", "num_speculative_tokens": 3},
    {"method": "ngram"},
    {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_min": 9, "prompt_lookup_max": 2},
    {"method": "ngram", "num_speculative_tokens": 3, "prompt_lookup_max": 2},
    *({"method": each, "num_speculative_tokens": 3} for each in ("draft_model", "eagle", "eagle3", "medusa")),
)
PARALLEL = (
    {"enable_eplb": True, "tensor_parallel_size": 2},
    {"tensor_parallel_size": 4, "decode_context_parallel_size": 3},
    {"tensor_parallel_size": 4, "decode_context_parallel_size": 2},
    {"prefill_context_parallel_size": 2, "decode_context_parallel_size": 4},
    {"enable_dbo": True},
    {"enable_dbo": True, "dbo_decode_token_threshold": 1},
    {"enable_dbo": True, "dbo_prefill_token_threshold": 1},
    {"enable_dbo": True, "dbo_decode_token_threshold": 2, "dbo_prefill_token_threshold": 2},
    {"dbo_decode_token_threshold": 1},
)
OFFLOADS = (
    {"offload_group_size": 4, "offload_num_in_group": 4},
    {"offload_group_size": 4, "offload_num_in_group": 5},
    {"offload_group_size": 4, "offload_prefetch_step": 0},
    {"offload_backend": "prefetch"},
    {"offload_backend": "uva", "offload_group_size": 4, "offload_num_in_group": 5},
    {"offload_num_in_group": 5, "offload_prefetch_step": 0},
)
SCHEDULED_SPECULATIONS = tuple(
    {"method": method, "async_scheduling": ahead}
    for method in ("ngram", "ngram_gpu")
    for ahead in (True, False)
)
DRAFTS = tuple({"tensor_parallel_size": 4, "draft_tensor_parallel_size": size} for size in (1, 2, 4))
CAPTURES = (
    {"cudagraph_capture_sizes": [1, 2, 32], "max_cudagraph_capture_size": 64},
    {"cudagraph_capture_sizes": [1, 2, 32], "max_cudagraph_capture_size": 32},
    {"cudagraph_capture_sizes": [1, 2, 32], "max_cudagraph_capture_size": 2, "max_num_batched_tokens": 256},
    {"cudagraph_capture_sizes": [1, 2, 64], "max_cudagraph_capture_size": 2, "max_num_batched_tokens": 32},
    {"cudagraph_capture_sizes": [1, 2, 64], "max_cudagraph_capture_size": 64, "max_num_batched_tokens": 32},
    {"cudagraph_capture_sizes": [1, 2, 32]},
    {"max_cudagraph_capture_size": 60},
)
STATES = (
    {"mamba_block_size": 64, "enable_prefix_caching": False},
    {"mamba_block_size": 64, "enable_prefix_caching": True},
    {"mamba_block_size": 512, "enable_prefix_caching": False, "max_model_len": 512},
    {"enable_prefix_caching": False},
)
FAST_PREFILLS = tuple({"method": method} for method in ("ngram", "draft_model", "eagle", "eagle3", "mtp"))


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """Return what vLLM itself says, asked once: to import it takes a while."""
    python = use_engine("vllm") / "bin" / "python"
    folder = tmp_path_factory.mktemp("model")
    settings = LaunchSettings(folder, "org/name", folder, folder / "log", port=1, trust_remote_code=True)
    revised = LaunchSettings(None, "org/name", folder, folder / "log", port=1, model_revision="v2")
    command_lines = [
        Vllm().command(settings).argv[2:],
        Vllm().command(revised).argv[2:],
        *(("model", *flags({name: value})) for name, value in VALUES.items()),
    ]
    asked = {
        "command_lines": command_lines,
        "sampling": (*SAMPLING, *REFUSED_SAMPLING),
        "schedulers": SCHEDULERS,
        "speculations": SPECULATIONS,
        "parallel": PARALLEL,
        "offloads": OFFLOADS,
        "scheduled_speculations": SCHEDULED_SPECULATIONS,
        "drafts": DRAFTS,
        "captures": CAPTURES,
        "states": STATES,
        "fast_prefills": FAST_PREFILLS,
    }
    answer = subprocess.run(
        (python, SCRIPT),
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
        env={**os.environ, **variables(VALUES)},
    )
    return json.loads(answer.stdout.splitlines()[-1])


@pytest.mark.parametrize(("script", "data"), GENERATED.items())
def test_the_data_is_what_the_installed_vllm_says(script, data):
    """Arguments, and types of weights and of KV cache: another version needs `scripts/declare-vllm`."""
    python = use_engine("vllm") / "bin" / "python"
    answer = subprocess.run(
        (python, SCRIPTS / script),
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
        env={**os.environ, "VLLM_LOGGING_LEVEL": "ERROR"},
    )
    assert json.loads((FOLDER / data).read_text()) == json.loads(answer.stdout)


def test_the_defaults_are_vllms(truth):
    """What the declaration says vLLM does by itself is what it does."""
    for name, known in ENGINE.items():
        if name not in {*HELD, *COMPILATION, "cpu_threads_bind", "mamba_backend"}:
            assert truth["defaults"][name] == known.default, name


def test_every_parameter_reaches_vllm(truth):
    """Each flag sets the argument of its name, and each variable is read."""
    for (name, value), found in zip(VALUES.items(), truth["parsed"][2:], strict=True):
        if name == "cpu_threads_bind":
            assert truth["threads_bind"] == value
        elif name in COMPILATION:
            assert str(value).replace(",", ", ") in found["compilation_config"]
        else:
            held, expected = HELD.get(name, (name, value))
            assert found[held] == expected, name


def test_the_command_is_understood(truth):
    """Model, name, address, revision, trust and what makes measuring possible arrive."""
    found, revised = truth["parsed"][:2]
    assert found["served_model_name"] == ["org/name"]
    assert (found["host"], found["port"]) == ("127.0.0.1", 1)
    assert found["enable_prompt_tokens_details"] is True
    assert found["middleware"] == ["llmopt_prefix_cache.PrefixCacheReset"]
    assert found["trust_remote_code"] is True
    assert (revised["model_tag"], revised["revision"]) == ("org/name", "v2")


def test_sampling_is_dropped_and_raised_as_declared(truth):
    """The canonical form of a request is what vLLM makes of it, and its neutral values are vLLM's own."""
    neutral = {known.name: known.neutral for known in VLLM.parameters.values() if known.group == "sampling"}
    assert truth["sampled"][0] == neutral
    for asked, made in zip(SAMPLING, truth["sampled"], strict=False):
        canonical = {**neutral, **VLLM.canonical(Configuration(sampling=asked)).sampling}
        assert made in (canonical, {**canonical, "top_k": -1})


def test_what_vllm_refuses_is_out_of_bounds_or_a_conflict(truth):
    """Every value that a request is refused for is refused before it is sent."""
    for asked, why in zip(REFUSED_SAMPLING, truth["sampled"][len(SAMPLING) :], strict=True):
        assert isinstance(why, str), asked
        ((name, value),) = asked.items()
        assert _refuses(name, value), asked


def _refuses(name, value):
    try:
        VLLM.parameters[f"sampling.{name}"].parse(str(value))
    except ValueError:
        return True
    return bool(VLLM.conflicts(Configuration(sampling={name: value})))


def test_batches_are_refused_where_vllm_refuses_them(truth):
    """The rules between requests, tokens a step and context are the scheduler's."""
    for asked, why in zip(SCHEDULERS, truth["scheduled"], strict=True):
        conflicts = VLLM.conflicts(Configuration(engine=asked))
        assert bool(conflicts) == bool(why), (asked, why)


def _speculative(asked):
    """Return the parameters of a speculation by the names that they have here."""
    names = {"method": "speculative_method"}
    return {names.get(key, key): value for key, value in asked.items()}


def test_speculation_is_refused_where_vllm_refuses_it(truth):
    """The rules of what is looked up, how much is guessed, and which methods need a model, are vLLM's."""
    for asked, why in zip(SPECULATIONS, truth["speculated"], strict=True):
        conflicts = VLLM.conflicts(Configuration(engine=_speculative(asked)))
        assert bool(conflicts) == bool(why), (asked, why)


def _with_a_model(asked):
    """Return `asked` with what else its method must have."""
    needed = {"num_speculative_tokens": 3, "speculative_model": "org/draft"}
    return {**(needed if "speculative_method" in asked else {}), **asked}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (PARALLEL, "parallel"),
        (OFFLOADS, "offloaded"),
        (SCHEDULED_SPECULATIONS, "scheduled_speculations"),
        (CAPTURES, "captured"),
        (STATES, "kept_states"),
    ],
)
def test_combinations_are_refused_where_vllm_refuses_them(truth, rules, said):
    """Sizes, layers in main memory, look-ups ahead, graphs and states that do not go together."""
    for asked, why in zip(rules, truth[said], strict=True):
        flat = {
            key: ",".join(map(str, value)) if isinstance(value, list) else value
            for key, value in _with_a_model(_speculative(asked)).items()
        }
        assert bool(VLLM.conflicts(Configuration(engine=flat))) == bool(why), (asked, why)


@pytest.mark.parametrize(
    ("rules", "said", "beside"),
    [
        (DRAFTS, "drafted", {"speculative_method": "eagle3"}),
        (FAST_PREFILLS, "fast_prefill", {"kv_sharing_fast_prefill": True}),
    ],
)
def test_speculation_is_refused_beside_what_vllm_refuses(truth, rules, said, beside):
    """How the model that guesses is split, and prompts that are skipped."""
    for asked, why in zip(rules, truth[said], strict=True):
        engine = _with_a_model(_speculative(asked) | beside)
        assert bool(VLLM.conflicts(Configuration(engine=engine))) == bool(why), (asked, why)
