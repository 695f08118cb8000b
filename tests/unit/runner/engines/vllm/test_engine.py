"""vLLM's command line, and what is read from its log and metrics, without starting it."""

import asyncio
import dataclasses
import importlib.util
import json
import os
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.installation import install_command
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import LaunchSettings, load_engine
from llmopt_runner.engines.failures import EngineNotInstalled, UnsupportedParameter
from llmopt_runner.engines.probing import NotReady, Refused
from llmopt_runner.engines.vllm import engine as vllm
from llmopt_runner.engines.vllm.engine import Vllm
from llmopt_runner.engines.vllm.facts import read_counters, read_facts
from llmopt_runner.models.resolution import ModelNotFound

# Lines that vLLM 0.32 really wrote on a CPU.
CPU_LOG = """\
(EngineCore pid=20722) INFO 11-23 01:36:53 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: \
model='smol', revision=None, dtype=torch.bfloat16, max_seq_len=2048, tensor_parallel_size=1, \
quantization=None, quantization_config=None, enable_prefix_caching=True, enable_chunked_prefill=True
(Worker pid=21179) INFO 11-23 01:37:09 [weight_utils.py:1108] Filesystem type for checkpoints: EXT4. \
Checkpoint size: 0.25 GiB. Available RAM: 20.57 GiB.
(Worker pid=21179) INFO 11-23 01:37:10 [default_loader.py:501] Loading weights took 1.72 seconds
(EngineCore pid=20722) INFO 11-23 01:37:14 [core.py:402] init engine (profile, create kv cache, \
warmup model) took 2.71 s
"""
METRICS = """\
vllm:cache_config_info{block_size="128",cache_dtype="auto",enable_prefix_caching="True",engine="0",\
kv_cache_max_concurrency="22.75",kv_cache_memory_bytes="1073741824",kv_cache_size_tokens="46592",\
num_gpu_blocks_override="None"} 1.0
vllm:prefix_cache_queries_total{engine="0",model_name="smol"} 846.0
vllm:prefix_cache_queries_created{engine="0",model_name="smol"} 1.79e+09
vllm:prefix_cache_hits_total{engine="0",model_name="smol"} 256.0
vllm:num_preemptions_total{engine="0",model_name="smol"} 1.0
vllm:num_preemptions_total{engine="1",model_name="smol"} 2.0
"""


TOKEN = "hf_made_up"  # noqa: S105 - a secret of nobody


@pytest.fixture
def settings(tmp_path):
    return LaunchSettings(tmp_path / "a model", "org/a-model", tmp_path, tmp_path / "log", port=1234)


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "bin" / "vllm"
    path.parent.mkdir()
    path.touch(mode=0o755)
    monkeypatch.setenv("LLMOPT_ENGINE_VLLM", str(path.parent))
    return path


def _changed(settings, **parameters):
    return dataclasses.replace(settings, parameters=parameters)


def test_it_is_registered():
    """A manifest that names vllm gets this engine."""
    assert isinstance(load_engine("vllm"), Vllm)


def test_the_command_serves_the_model_under_its_name(settings, program):
    """A model is called by its name also where it is loaded from a folder."""
    argv = Vllm().command(settings).argv
    assert argv[:5] == (
        str(program),
        "serve",
        str(settings.model_path),
        "--served-model-name",
        "org/a-model",
    )
    assert "--host 127.0.0.1 --port 1234 --enable-prompt-tokens-details" in " ".join(argv)


def test_a_model_of_the_hub_goes_by_its_name_and_revision(settings, program):
    """Without a folder vLLM finds the model itself, at the revision that was asked for."""
    hub = dataclasses.replace(settings, model_path=None)
    assert Vllm().command(hub).argv[1:4] == ("serve", "org/a-model", "--served-model-name")
    revised = dataclasses.replace(hub, model_revision="v2")
    assert Vllm().command(revised).argv[1:5] == ("serve", "org/a-model", "--revision", "v2")


def test_a_token_goes_to_the_hub_and_into_no_command_line(settings, program):
    """A gated model is loaded with the manifest's token."""
    command = Vllm().command(dataclasses.replace(settings, model_token=TOKEN, model_path=None))
    assert command.env["HF_TOKEN"] == TOKEN
    assert not any(TOKEN in argument for argument in command.argv)


def test_a_single_file_is_refused_with_the_way_out(settings, program):
    """vLLM has no use for a GGUF file, and says so only in riddles."""
    settings.model_path.write_bytes(b"GGUF")
    with pytest.raises(ModelNotFound, match=r"a model is one file; for GGUF files take the engine llamacpp"):
        Vllm().command(settings)


def test_code_of_the_model_runs_only_where_it_is_trusted(settings, program):
    """spec.model.trustRemoteCode is vLLM's own flag."""
    assert "--trust-remote-code" not in Vllm().command(settings).argv
    trusting = dataclasses.replace(settings, trust_remote_code=True)
    assert "--trust-remote-code" in Vllm().command(trusting).argv


@pytest.mark.parametrize(
    ("parameters", "arguments"),
    [
        ({"max_num_seqs": 8}, ("--max-num-seqs", "8")),
        ({"gpu_memory_utilization": 0.5}, ("--gpu-memory-utilization", "0.5")),
        ({"enable_prefix_caching": False}, ("--no-enable-prefix-caching",)),
        ({"enforce_eager": True}, ("--enforce-eager",)),
        ({"kv_cache_memory_mib": 256}, ("--kv-cache-memory-bytes", str(256 * 2**20))),
        ({"kv_cache_dtype": "fp8"}, ("--kv-cache-dtype", "fp8")),
        ({}, ()),
    ],
)
def test_parameters_become_flags(settings, program, parameters, arguments):
    """Each parameter has its flag, and none is there that was not asked for."""
    plain = Vllm().command(settings).argv
    assert Vllm().command(_changed(settings, **parameters)).argv == (*plain, *arguments)


def test_thread_binding_goes_by_the_environment(settings, program):
    """vLLM has no flag for the cores of its CPU workers."""
    command = Vllm().command(_changed(settings, cpu_threads_bind="0-1"))
    assert command.argv == Vllm().command(settings).argv
    assert command.env["VLLM_CPU_OMP_THREADS_BIND"] == "0-1"


def test_no_usage_is_reported_and_the_path_of_modules_is_kept(settings, program, monkeypatch):
    """vLLM calls nobody while it is measured; what the user's PYTHONPATH holds stays reachable."""
    monkeypatch.setenv("PYTHONPATH", "/users/own")
    environment = Vllm().command(settings).env
    assert environment["VLLM_NO_USAGE_STATS"] == "1"
    assert environment["SPT_NOENV"] == "1"  # a process that renames itself keeps the mark it is found by
    folder, own = environment["PYTHONPATH"].split(os.pathsep)
    assert own == "/users/own"
    assert [path.name for path in Path(folder).glob("*.py")] == ["llmopt_prefix_cache.py"]
    assert "HF_HUB_OFFLINE" not in environment


def test_an_undeclared_parameter_is_an_error(settings, program):
    """A misspelt parameter is named with the nearest one, not passed over."""
    with pytest.raises(UnsupportedParameter, match=r"engine\.max_num_seq .*'engine\.max_num_seqs'"):
        Vllm().command(_changed(settings, max_num_seq=2))
    with pytest.raises(UnsupportedParameter, match=r"sampling\.repeat_penalty"):
        Vllm().serve_arguments(Configuration(sampling={"repeat_penalty": 1.1}), settings)


def test_without_the_program_the_package_is_named(settings, monkeypatch):
    """A user who does not have vLLM is shown what to install."""
    monkeypatch.setattr(vllm, "find_program", lambda _engine, _program: None)
    monkeypatch.delenv("LLMOPT_ENGINE_VLLM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    assert Vllm().installed() is None
    with pytest.raises(EngineNotInstalled, match=re.escape(install_command("vllm"))):
        Vllm().command(settings)


@pytest.mark.parametrize(
    ("versions", "shown"),
    [
        ({"vllm": "0.32.0", "vllm-cpu": None}, "vllm 0.32.0"),
        ({"vllm": None, "vllm-cpu": "0.32.0"}, "vllm-cpu 0.32.0"),
        ({"vllm": None, "vllm-cpu": None}, "vllm unknown"),
    ],
)
def test_the_installed_version_is_that_of_the_package(program, monkeypatch, versions, shown):
    """The environment's package says the version, whatever it is called."""
    monkeypatch.setattr(vllm, "package_version", lambda _program, package: versions[package])
    assert Vllm().installed() == shown


def test_the_serve_command_has_the_winner_as_defaults(settings, program):
    """What differs from vLLM's defaults is given, sampling as the server's own; a seed it has none for."""
    configuration = VLLM.canonical(
        Configuration(
            engine={"max_num_seqs": 4, "enforce_eager": False, "cpu_threads_bind": "0-1"},
            sampling={"temperature": 0.5, "top_k": 40, "seed": 3},
        )
    )
    line, _, comment = Vllm().serve_arguments(configuration, settings).partition("  # ")
    words = shlex.split(line)
    assert words[:4] == ["env", "VLLM_CPU_OMP_THREADS_BIND=0-1", str(program), "serve"]
    assert words[4:9] == [
        str(settings.model_path),
        "--served-model-name",
        "org/a-model",
        "--max-num-seqs",
        "4",
    ]
    assert words[9] == "--override-generation-config"
    assert json.loads(words[10]) == {"temperature": 0.5, "top_k": 40}
    assert comment == "send with each request: seed=3"


def test_the_default_is_served_without_a_word(settings, program):
    """What vLLM does by itself need not be said."""
    line = Vllm().serve_arguments(VLLM.canonical(Configuration()), settings)
    assert shlex.split(line) == [
        str(program),
        "serve",
        str(settings.model_path),
        "--served-model-name",
        "org/a-model",
    ]


class _Answers:
    """Stands for a server's reset of its prefix cache: raises what it is given, one a call."""

    def __init__(self, *faults):
        self.faults = list(faults)
        self.calls = 0

    def post(self, path, _timeout_seconds):
        assert path == "/llmopt/reset_prefix_cache"
        self.calls += 1
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault


@pytest.mark.parametrize(
    ("engine", "faults", "fresh", "calls"),
    [
        ({"enable_prefix_caching": False}, [], True, 0),
        ({"enable_prefix_caching": True}, [None], True, 1),
        ({}, [NotReady("503"), NotReady("503"), None], True, 3),
        ({}, [Refused("404", 404)], False, 1),
        ({}, [NotReady("503")] * 100, False, 50),
    ],
)
def test_a_server_is_fresh_once_its_cache_is_empty(monkeypatch, engine, faults, fresh, calls):
    """Requests that were cut off hold their cache for a moment; a server that cannot is loaded again."""
    answers = _Answers(*faults)
    now = [0.0]
    monkeypatch.setattr(vllm, "Probe", lambda _url: answers)
    monkeypatch.setattr(vllm.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(vllm.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    server = SimpleNamespace(base_url="http://127.0.0.1:1")
    assert Vllm().make_fresh(server, Configuration(engine=engine)) is fresh
    assert answers.calls == pytest.approx(calls, abs=1)


@pytest.mark.parametrize(("engine", "warm"), [({}, False), ({"enable_prefix_caching": False}, True)])
def test_a_cache_that_was_emptied_is_filled_again(engine, warm):
    """The prefix that all prompts share is in a new server's cache after its warm-up, and must be again."""
    assert Vllm().stays_warm(Configuration(engine=engine)) is warm


def test_facts_come_from_log_and_metrics():
    """Sizes are in MiB, times in seconds, and what is None is not reported."""
    assert read_facts(CPU_LOG, METRICS) == {
        "checkpoint_mib": 256.0,
        "load_seconds": 1.72,
        "warmup_seconds": 2.71,
        "n_ctx": 2048,
        "dtype": "bfloat16",
        "chunked_prefill": True,
        "kv_cache_tokens": 46592,
        "max_concurrency": 22.75,
        "kv_cache_mib": 1024.0,
        "block_size": 128,
        "kv_cache_dtype": "auto",
        "prefix_caching": True,
    }


def test_facts_of_a_gpu_are_read_from_the_log():
    """A mock of lines in the formats of vLLM's GPU worker, which does not run here."""
    log = """\
(Worker pid=1) INFO [gpu_model_runner.py:5149] Model loading took 14.99 GiB memory and 4.123456 seconds
(Worker pid=1) INFO [gpu_worker.py:759] Available KV cache memory: 50.5 GiB
(Worker pid=1) INFO [gpu_model_runner.py:6581] Graph capturing finished in 12 secs, took 0.75 GiB
(EngineCore pid=2) INFO [kv_cache_utils.py:2327] GPU KV cache size: 413,712 tokens
(EngineCore pid=2) INFO with config: dtype=torch.float16, max_seq_len=8192, quantization=fp8, x
"""
    assert read_facts(log, "") == {
        "weights_mib": pytest.approx(14.99 * 1024, abs=0.01),
        "kv_cache_mib": 50.5 * 1024,
        "graphs_mib": 768.0,
        "n_ctx": 8192,
        "dtype": "float16",
        "quantization": "fp8",
    }


def test_a_silent_server_has_no_facts():
    """A fact that is not known is absent, not zero."""
    assert read_facts("", "") == {}
    assert read_counters("") == {}


def test_counters_are_summed_over_engines():
    """Lookups, hits and preemptions, without the times at which the counters were made."""
    assert read_counters(METRICS) == {
        "prefix_cache_queries": 846.0,
        "prefix_cache_hits": 256.0,
        "preemptions": 3.0,
    }


class _Cache:
    """Stands for vLLM's engine: its cache empties, or is held."""

    def __init__(self, emptied):
        self.emptied, self.calls = emptied, 0

    async def reset_prefix_cache(self):
        self.calls += 1
        return self.emptied


def _asked(scope, *, emptied=True):
    """Return the messages that the middleware sends, how often the cache was emptied, what it passed on."""
    path = vllm._MIDDLEWARE_FOLDER / "llmopt_prefix_cache.py"
    spec = importlib.util.spec_from_file_location("llmopt_prefix_cache", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cache, sent, passed = _Cache(emptied), [], []

    async def send(message):
        sent.append(message)

    async def application(inner, _receive, _send):
        passed.append(inner)

    scope = {**scope, "app": SimpleNamespace(state=SimpleNamespace(engine_client=cache))}
    middleware = getattr(module, vllm._MIDDLEWARE.partition(".")[2])(application)
    asyncio.run(middleware(scope, None, send))
    assert module.PATH == vllm._RESET_PATH
    return [message.get("status") for message in sent if "status" in message], cache.calls, len(passed)


@pytest.mark.parametrize(("emptied", "status"), [(True, 200), (False, 503)])
def test_the_middleware_empties_the_cache(emptied, status):
    """One path empties the cache, and says whether it is empty."""
    scope = {"type": "http", "method": "POST", "path": vllm._RESET_PATH}
    assert _asked(scope, emptied=emptied) == ([status], 1, 0)


@pytest.mark.parametrize(
    "scope",
    [
        {"type": "http", "method": "POST", "path": "/v1/chat/completions"},
        {"type": "http", "method": "GET", "path": vllm._RESET_PATH},
        {"type": "websocket", "path": vllm._RESET_PATH},
        {"type": "lifespan"},
    ],
)
def test_the_middleware_lets_everything_else_through(scope):
    """What is measured is vLLM's own answer."""
    assert _asked(scope) == ([], 0, 1)


@pytest.mark.parametrize(
    ("log", "cache"),
    [
        (
            "Directly load the compiled graph(s) for compile range (1, 8) from the cache, took 0.3 s",
            "warm",
        ),
        ("Directly load AOT compilation from path /root/.cache/vllm/x", "warm"),
        ("Compiling a graph for compile range (1, 2048) takes 9.81 s", "cold"),
        ("[backbone] saved AOT compiled function to /keep/vllm/torch_compile_cache/a/model", "cold"),
        ("[backbone] Compiling model again due to a load failure from /keep/vllm/a/model, reason: x", "cold"),
        ("Directly load the compiled graph(s)\nCompiling a graph for compile range (1, 8) takes 1 s", "cold"),
        ("enforce_eager is set", None),
    ],
)
def test_a_start_says_whether_its_kernels_were_compiled(log, cache):
    """One that compiles any takes longer than those after it."""
    assert read_facts(log, "").get("compile_cache") == cache
