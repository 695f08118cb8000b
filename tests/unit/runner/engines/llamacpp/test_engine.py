"""llama.cpp's command line and log, without starting it."""

import dataclasses
import re
import shlex
import sys

import pytest

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.llamacpp.flags import LOAD_FLAGS, SAMPLING_FLAGS
from llmopt_core.installation import install_command
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines import programs
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.failures import EngineNotInstalled, UnsupportedParameter
from llmopt_runner.engines.llamacpp import engine as llamacpp
from llmopt_runner.engines.llamacpp import wheel_server as llamacpp_server
from llmopt_runner.engines.llamacpp.engine import LlamaCpp
from llmopt_runner.engines.llamacpp.facts import read_facts
from llmopt_runner.guard.levels import GpuReserve
from llmopt_runner.models.resolution import ModelNotFound

# Per parameter: a value, and what llama.cpp's own parameters then hold.
SET = {
    "n_ctx": (4096, 4096),
    "n_parallel": (4, 4),
    "n_batch": (512, 512),
    "n_ubatch": (128, 128),
    "threads": (3, 3),
    "threads_batch": (5, 5),
    "n_gpu_layers": (7, 7),
    "cache_ram_mib": (0, 0),
    "cache_reuse": (64, 64),
    "cont_batching": (False, False),
    "cache_prompt": (False, False),
    "kv_unified": (True, True),
    "context_shift": (True, True),
    "warmup": (False, False),
    "cache_type_k": ("q8_0", 8),
    "cache_type_v": ("bf16", 30),
    "flash_attn": ("on", 1),
    "load_mode": ("mmap_mlock", 3),
    "fit": (False, False),
    "kv_offload": (False, True),
    "split_mode": ("row", 2),
    "tensor_split": ("3,1", [3.0, 1.0, *[0.0] * 126]),
    "main_gpu": (1, 1),
    "n_cpu_moe": (1, r"blk\.0\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU"),
    "override_tensor": (r"\.ffn_.*=CPU", r"\.ffn_.*=CPU"),
    "spec_type": ("ngram-simple", [6]),
    "spec_draft_model": ("/draft.gguf", "/draft.gguf"),
    "spec_draft_n_max": (5, 5),
    "spec_draft_n_min": (1, 1),
    "spec_draft_p_min": (0.25, 0.25),
    "spec_ngram_simple_size_n": (4, 4),
    "spec_ngram_simple_size_m": (8, 8),
    "temperature": (0.25, 0.25),
    "top_k": (7, 7),
    "top_p": (0.5, 0.5),
    "min_p": (0.25, 0.25),
    "typical_p": (0.75, 0.75),
    "dynatemp_range": (0.5, 0.5),
    "dynatemp_exponent": (2.0, 2.0),
    "xtc_probability": (0.5, 0.5),
    "xtc_threshold": (0.25, 0.25),
    "repeat_penalty": (1.25, 1.25),
    "repeat_last_n": (32, 32),
    "presence_penalty": (0.5, 0.5),
    "frequency_penalty": (0.25, 0.25),
    "dry_multiplier": (0.5, 0.5),
    "dry_base": (2.0, 2.0),
    "dry_allowed_length": (3, 3),
    "seed": (42, 42),
}
FLAGS = {**LOAD_FLAGS, **SAMPLING_FLAGS}


@pytest.fixture
def settings(tmp_path):
    return LaunchSettings(tmp_path / "a model.gguf", "a-model", tmp_path, tmp_path / "log", port=1234)


@pytest.fixture
def no_program(monkeypatch):
    monkeypatch.setattr(programs.shutil, "which", lambda _name: None)


def _parameters(arguments):
    return llamacpp_server.server_parameters(llamacpp_server.parser().parse_args(("-m", "x", *arguments)))


def _held(parameters, attribute):
    for step in attribute.split("."):
        parameters = getattr(parameters, step)
    return parameters


def test_every_declared_parameter_has_a_flag():
    """What can be searched can be set."""
    assert {f"engine.{name}" for name in LOAD_FLAGS} | {f"sampling.{name}" for name in SAMPLING_FLAGS} == set(
        LLAMACPP.parameters
    )
    assert SET.keys() == {name for name, flag in FLAGS.items() if flag.attribute}


@pytest.mark.parametrize("name", SET)
def test_a_flag_reaches_llama_cpp(name):
    """Each parameter's flag, long or short, sets the one attribute of llama.cpp, and only then."""
    value, held = SET[name]
    flag = FLAGS[name]
    assert _held(_parameters(flag.arguments(value)), flag.attribute) == held
    assert _held(_parameters(()), flag.attribute) != held
    if flag.short and flag.kind != "bool":
        assert _held(_parameters((flag.short, *flag.arguments(value)[1:])), flag.attribute) == held


def test_places_of_tensors_add_up():
    """Experts in main memory, and what else is put somewhere, are one list to llama.cpp."""
    found = _parameters(("--n-cpu-moe", "1", "--override-tensor", "a=CPU")).tensor_buft_overrides
    assert found == r"blk\.0\.ffn_(up|down|gate|gate_up)_(ch|)exps=CPU,a=CPU"


def test_an_unknown_flag_ends_the_launcher(capsys):
    """A flag that would be ignored is refused."""
    with pytest.raises(SystemExit, match="2"):
        llamacpp_server.main(("-m", "x", "--no-such-flag"))
    assert "--no-such-flag" in capsys.readouterr().err


def test_the_command_holds_all_parameters(settings, no_program):
    """Without llama-server the wheel's launcher is called, with model, address and parameters."""
    parameters = {"n_parallel": 2, "cache_prompt": False}
    command = LlamaCpp().command(dataclasses.replace(settings, parameters=parameters))
    line = " ".join(command.argv)
    assert command.argv[:4] == (sys.executable, "-P", "-m", "llmopt_runner.engines.llamacpp.wheel_server")
    assert f"--model {settings.model_path} --alias a-model --host 127.0.0.1 --port 1234" in line
    assert line.endswith("--parallel 2 --no-cache-prompt")
    assert llamacpp_server.parser().parse_args(command.argv[4:]).n_parallel == 2


def test_llama_server_goes_before_the_wheel(settings, monkeypatch):
    """A machine's own llama-server is what would be deployed, so it is what is measured."""
    monkeypatch.setattr(programs.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert LlamaCpp().command(settings).argv[0] == "/usr/bin/llama-server"


def test_without_any_server_the_package_is_named(settings, no_program, monkeypatch):
    """A user who has neither server is shown what to install."""
    monkeypatch.setattr(llamacpp, "_has_wheel", lambda: False)
    assert LlamaCpp().installed() is None
    with pytest.raises(EngineNotInstalled, match=re.escape(install_command("llamacpp"))):
        LlamaCpp().command(settings)
    assert (
        LlamaCpp().serve_arguments(Configuration(), settings).startswith("# elsewhere: llama-server --model ")
    )


def test_the_installed_version_is_reported(no_program):
    """The version of the wheel is read without importing it."""
    assert LlamaCpp().installed().startswith("xllamacpp 20")


def test_a_model_without_a_file_is_an_error(settings):
    """llama.cpp serves a file: a bare repository name gets an error that says so."""
    with pytest.raises(ModelNotFound, match="'a-model' was not resolved to one; name the file"):
        LlamaCpp().command(dataclasses.replace(settings, model_path=None))


def test_an_undeclared_load_time_parameter_is_an_error(settings):
    """A misspelt parameter is named with the nearest one, not passed over."""
    with pytest.raises(UnsupportedParameter, match=r"engine\.n_paralel .*'engine\.n_parallel'"):
        LlamaCpp().command(dataclasses.replace(settings, parameters={"n_paralel": 2}))


def test_serve_arguments_take_no_undeclared_parameter(settings):
    """Sampling is checked as well; parameters of the prompt are no server's, and left out."""
    with pytest.raises(UnsupportedParameter, match=r"engine llamacpp has no parameter sampling\.heat"):
        LlamaCpp().serve_arguments(Configuration(sampling={"heat": 1}), settings)
    asked = Configuration(engine={"n_parallel": 4}, prompt={"few_shot": 2})
    assert "few" not in LlamaCpp().serve_arguments(asked, settings)


def test_serve_arguments_are_shell_words_for_each_server(settings, monkeypatch):
    """One line a server, quoted, with the winner's sampling as the server's defaults."""
    monkeypatch.setattr(programs.shutil, "which", lambda name: f"/usr/bin/{name}")
    configuration = Configuration(
        engine={"n_parallel": 4}, sampling={"temperature": 0.0, "top_k": 40, "top_n_sigma": 1.0}
    )
    program, wheel = LlamaCpp().serve_arguments(configuration, settings).splitlines()
    assert shlex.split(program)[:3] == ["/usr/bin/llama-server", "--model", str(settings.model_path)]
    assert program.endswith("--parallel 4 --temp 0.0 --top-n-sigma 1.0")
    assert wheel.endswith("--parallel 4 --temp 0.0  # send with each request: top_n_sigma=1.0")


def test_facts_add_up_devices_and_caches():
    """Buffers of several devices and two caches are summed, GiB are MiB, the time is in seconds."""
    log = (
        "0.00.003.413 I cmn  common_param: system_info: n_threads = 2 (n_threads_batch = 4) / 8 | CPU\n"
        "0.00.442.770 I load_tensors:   CPU_Mapped model buffer size =    92.50 MiB\n"
        "0.00.442.770 I load_tensors:        CUDA0 model buffer size =     2.00 GiB\n"
        "0.00.470.642 I llama_kv_cache: size =   34.50 MiB (1024 cells, 30 layers, 2/2 seqs), "
        "K (q8_0):   12.00 MiB, V (f16):   22.50 MiB\n"
        "0.00.470.642 I llama_kv_cache_iswa: size =  10.00 MiB (9 cells), K (q8_0): 5 MiB, V (f16): 5 MiB\n"
        "0.00.470.642 I sched_reserve:        CPU compute buffer size =    15.50 MiB\n"
        "1.02.512.193 I srv          init: model loaded\n"
    )
    assert read_facts(log) == {
        "weights_mib": 92.5 + 2048,
        "kv_cache_mib": 44.5,
        "compute_buffer_mib": 15.5,
        "n_threads": 2,
        "n_threads_batch": 4,
        "cache_type_k": "q8_0",
        "cache_type_v": "f16",
        "load_seconds": pytest.approx(62.512193),
    }


def test_a_log_that_says_nothing_gives_no_facts():
    """A fact that is not known is absent, not zero."""
    assert read_facts("") == {}


@pytest.mark.parametrize(("engine", "warm"), [({}, False), ({"cache_prompt": False}, True)])
def test_a_cache_that_was_emptied_is_filled_again(engine, warm):
    """The prefix that all prompts share is in a new server's cache after its warm-up, and must be again."""
    assert LlamaCpp().stays_warm(Configuration(engine=engine)) is warm


@pytest.mark.parametrize(("layers", "uses"), [(-1, True), (12, True), (0, False)])
def test_it_takes_gpus_but_for_a_gib_unless_no_layer_lies_there(layers, uses):
    """All but 1024 MiB is what it leaves on purpose; without layers it is a matter of main memory."""
    configuration = Configuration(engine={"n_gpu_layers": layers})
    assert LlamaCpp().uses_gpus(configuration) is uses
    assert LlamaCpp().gpu_reserve(configuration) == GpuReserve(leaves_mib=1024)
