"""The command line, request fields and need of memory of `transformers serve`, without starting it."""

import dataclasses
import json
import re
import shlex
from pathlib import Path

import pytest
from fakes.small_llama import CONFIG, SHAPE, quantised

from llmopt_core.engines.transformers.bnb_4bit import LAUNCHER
from llmopt_core.engines.transformers.declaration import TRANSFORMERS
from llmopt_core.installation import install_command
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines import programs
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.failures import EngineNotInstalled, UnsupportedParameter
from llmopt_runner.engines.transformers import bnb_4bit_server
from llmopt_runner.engines.transformers.bnb_4bit_server import parsed
from llmopt_runner.engines.transformers.engine import Transformers
from llmopt_runner.guard.levels import GpuReserve
from llmopt_runner.models.resolution import ModelNotFound

PROGRAM = "/opt/engine/bin/transformers"
FOUR_BITS = {"quantization": "bnb-4bit"}
TOKEN = "hf_made_up"  # noqa: S105 - a secret of nobody


@pytest.fixture(autouse=True)
def program(monkeypatch, tmp_path):
    """Let the engine be found, and the hub's cache lie where a test may write."""
    monkeypatch.setattr("llmopt_runner.engines.transformers.engine.find_program", lambda *_: Path(PROGRAM))
    monkeypatch.setattr("llmopt_runner.engines.transformers.engine.require_program", lambda *_: Path(PROGRAM))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache" / "hub"))


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "model").mkdir()
    return LaunchSettings(tmp_path / "model", "a-model", tmp_path, tmp_path / "log", port=1234)


def fields(**sampling):
    configuration = Transformers().request_fields(sampling)
    return {**configuration, "generation_config": json.loads(configuration["generation_config"])}


def test_the_command_holds_model_address_and_parameters(settings):
    """Each parameter is its flag; quantisation's default, which has no word, is none."""
    parameters = {"dtype": "bfloat16", "compile": False, "quantization": "none", "cb_num_blocks": 64}
    argv = Transformers().command(dataclasses.replace(settings, parameters=parameters)).argv
    assert argv[:3] == (PROGRAM, "serve", str(settings.model_path))
    assert " ".join(argv[3:]) == (
        "--host 127.0.0.1 --port 1234 --dtype bfloat16 --no-compile --cb-num-blocks 64"
    )


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """The folder of programs of an engine's own environment, with a Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("python", "transformers"):
        (folder / name).touch()
    for name in ("find_program", "require_program"):
        monkeypatch.setattr(
            f"llmopt_runner.engines.transformers.engine.{name}", lambda *_: folder / "transformers"
        )
    return folder


def complete(engine):
    return TRANSFORMERS.canonical(Configuration(engine=engine))


def test_4bit_options_are_given_by_the_engines_python(settings, environment):
    """Only where the server would have others: then a file of ours is run by the environment's Python."""
    configuration = complete({**FOUR_BITS, "bnb_4bit_quant_type": "fp4", "bnb_4bit_use_double_quant": False})
    argv = Transformers().command(dataclasses.replace(settings, parameters=configuration.engine)).argv
    assert argv[:4] == (
        str(environment / "python"),
        bnb_4bit_server.__file__,
        "serve",
        str(settings.model_path),
    )
    assert parsed(argv[2:])[0] == {
        "bnb_4bit_quant_type": "fp4",
        "bnb_4bit_use_double_quant": False,
        "bnb_4bit_compute_dtype": "float32",
    }
    plain = complete({**FOUR_BITS, "bnb_4bit_quant_type": "nf4"})
    argv = Transformers().command(dataclasses.replace(settings, parameters=plain.engine)).argv
    assert argv[0] == str(environment / "transformers")
    assert not [argument for argument in argv if "bnb-4bit-" in argument]


def test_the_command_for_a_person_gives_4bit_options_here_and_elsewhere(settings, environment):
    """The first line is what was started here; comments say what is pasted elsewhere, and needed there."""
    configuration = complete({**FOUR_BITS, "bnb_4bit_compute_dtype": "bfloat16"})
    line, elsewhere, need = Transformers().serve_arguments(configuration, settings).splitlines()
    given = f"serve {settings.model_path} --bnb-4bit-compute-dtype bfloat16 --quantization bnb-4bit"
    assert line == f"{environment / 'python'} {bnb_4bit_server.__file__} {given}"
    assert elsewhere == f"# elsewhere: python -m {LAUNCHER} {given}"
    assert need == (
        "# there it needs the extra transformers of llmopt, for"
        " transformers serve has no flag for bnb_4bit_compute_dtype"
    )


def test_4bit_options_of_a_program_without_a_python_are_refused(settings, environment):
    """A wrapper elsewhere cannot be given them; the error names the parameter and the way out."""
    (environment / "python").unlink()
    configuration = complete({**FOUR_BITS, "bnb_4bit_quant_type": "fp4"})
    with pytest.raises(
        UnsupportedParameter, match=r"engine\.bnb_4bit_quant_type: .*LLMOPT_ENGINE_TRANSFORMERS"
    ):
        Transformers().command(dataclasses.replace(settings, parameters=configuration.engine))


def test_threads_are_a_variable_of_the_server(settings):
    """What has no flag is in the environment, and in the command for a person."""
    configuration = Configuration(engine={"threads": 2})
    command = Transformers().command(dataclasses.replace(settings, parameters=configuration.engine))
    assert command.env["OMP_NUM_THREADS"] == "2"
    assert "2" not in command.argv
    shown = Transformers().serve_arguments(configuration, settings)
    assert shown == f"env OMP_NUM_THREADS=2 {PROGRAM} serve {settings.model_path}"


@pytest.mark.parametrize(("revision", "named"), [(None, "org/name"), ("v2", "org/name@v2")])
def test_a_model_of_the_hub_is_served_by_its_name_and_revision(settings, revision, named):
    """What the server is given is what requests must call the model."""
    hub = dataclasses.replace(settings, model_path=None, model_id="org/name", model_revision=revision)
    assert Transformers().command(hub).argv[2] == named
    assert Transformers().model_name(hub) == named
    assert Transformers().served_name({"object": "list", "data": []}, hub) == named


def test_a_models_own_code_runs_only_when_trusted(settings):
    """spec.model.trustRemoteCode reaches the server."""
    trusting = dataclasses.replace(settings, trust_remote_code=True)
    assert "--trust-remote-code" in Transformers().command(trusting).argv
    assert "--trust-remote-code" not in Transformers().command(settings).argv


def test_a_token_goes_to_the_hub_and_into_no_command_line(settings):
    """A gated model is loaded with the manifest's token, which is neither shown nor kept."""
    gated = dataclasses.replace(settings, model_token=TOKEN, model_path=None)
    command = Transformers().command(gated)
    assert command.env["HF_TOKEN"] == TOKEN
    assert not any(TOKEN in argument for argument in command.argv)
    assert TOKEN not in repr(gated)
    assert "HF_TOKEN" not in Transformers().command(settings).env


def test_a_single_file_is_refused_with_what_it_should_be(settings, tmp_path):
    """A GGUF file is refused with the engine that serves it."""
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    with pytest.raises(ModelNotFound, match="the engine llamacpp for GGUF"):
        Transformers().command(dataclasses.replace(settings, model_path=file))


def test_a_folder_whose_name_would_be_cut_is_refused(settings, tmp_path):
    """What follows an @ would be taken for a revision."""
    with pytest.raises(ModelNotFound, match="rename the folder"):
        Transformers().command(dataclasses.replace(settings, model_path=tmp_path / "model@home"))


def test_the_hubs_cache_is_made_before_the_start(settings, tmp_path):
    """Without that folder the server answers with errors when it is asked for its models."""
    assert "HF_HUB_CACHE" not in Transformers().command(settings).env
    assert (tmp_path / "cache" / "hub").is_dir()


def test_a_home_that_cannot_be_written_to_gets_a_cache_in_the_results(settings, monkeypatch, tmp_path):
    """Where the hub's folder cannot be made, an empty one beside the log stands in for it."""
    monkeypatch.setenv("HF_HUB_CACHE", "/proc/no/such/folder")
    assert Transformers().command(settings).env["HF_HUB_CACHE"] == str(tmp_path / "hub")
    assert (tmp_path / "hub").is_dir()


def test_greedy_and_sampled_requests_say_so():
    """Temperature 0 switches sampling off, any other and whatever chooses among tokens switch it on."""
    greedy = {"do_sample": False, "repetition_penalty": 1.2}
    assert fields(temperature=0.0, top_p=0.5, repetition_penalty=1.2) == {"generation_config": greedy}
    assert fields(temperature=0.7, top_k=40)["generation_config"] == {
        "do_sample": True,
        "temperature": 0.7,
        "top_k": 40,
    }
    assert fields(top_p=0.9)["generation_config"] == {"do_sample": True, "top_p": 0.9}
    assert fields(repetition_penalty=1.2)["generation_config"] == {"repetition_penalty": 1.2}


def test_a_seed_is_a_field_of_its_own_and_nothing_said_is_nothing_sent():
    """A generation_config would replace the model's own, the end of its answers included."""
    assert Transformers().request_fields({}) == {}
    assert Transformers().request_fields({"seed": 7}) == {"seed": 7}


def test_an_undeclared_parameter_is_an_error(settings):
    """A misspelt parameter is named with the nearest one, not passed over."""
    with pytest.raises(UnsupportedParameter, match=r"engine\.cb_blocks .*'engine\.cb_num_blocks'"):
        Transformers().command(dataclasses.replace(settings, parameters={"cb_blocks": 2}))
    with pytest.raises(UnsupportedParameter, match=r"sampling\.top_pp"):
        Transformers().request_fields({"top_pp": 0.5})


def test_serve_arguments_say_what_goes_with_each_request(settings):
    """The command has only what differs from the defaults; it has no flags for sampling."""
    configuration = TRANSFORMERS.canonical(
        Configuration(engine={"quantization": "bnb-4bit"}, sampling={"temperature": 0})
    )
    command, comment = Transformers().serve_arguments(configuration, settings).splitlines()
    assert shlex.split(command) == [
        PROGRAM, "serve", str(settings.model_path), "--quantization", "bnb-4bit",
    ]  # fmt: skip
    configuration, _, body = comment.partition(": ")
    assert configuration == "# send with each request"
    assert json.loads(json.loads(body)["generation_config"]) == {"do_sample": False}


def test_serve_arguments_say_the_first_request_where_it_is_kept(settings):
    """With continuous batching one request, in words that a shell takes, fixes the sampling."""
    configuration = TRANSFORMERS.canonical(
        Configuration(engine={"continuous_batching": True}, sampling={"temperature": 0.5})
    )
    command, comment = Transformers().serve_arguments(configuration, settings).splitlines()
    assert "--continuous-batching" in shlex.split(command)
    configuration, _, request = comment.partition(": ")
    assert configuration == "# before all else, once"
    body = json.loads(shlex.split(request)[-1])
    assert body["model"] == str(settings.model_path)
    assert json.loads(body["generation_config"]) == {"do_sample": True, "temperature": 0.5}


def test_only_batching_keeps_what_an_earlier_trial_left():
    """The prefix cache of the paged cache cannot be emptied; without it nothing is kept."""
    assert Transformers().make_fresh(None, Configuration(engine={"continuous_batching": False}))
    assert not Transformers().make_fresh(None, Configuration(engine={"continuous_batching": True}))


@pytest.mark.parametrize(
    ("engine", "warm"),
    [
        ({}, True),
        ({"compile": False}, True),
        ({"compile": True}, False),
        ({"continuous_batching": True}, False),
    ],
)
def test_what_is_compiled_for_lengths_must_be_warmed_up_for_each_trial(engine, warm):
    """Without a cache and without compiling, a server that served once is warm."""
    assert Transformers().stays_warm(Configuration(engine=engine)) is warm


@pytest.mark.parametrize(
    ("cache", "warm"),
    [("dynamic", True), ("offloaded", True), ("static", False), ("offloaded_static", False)],
)
def test_a_static_cache_is_compiled_for_lengths(cache, warm):
    """On a GPU the model is compiled for a cache of fixed length, whatever asked for it."""
    assert Transformers().stays_warm(Configuration(sampling={"cache_implementation": cache})) is warm


def test_a_cache_is_a_field_of_the_request():
    """It goes with the sampling, and switches none on."""
    assert fields(cache_implementation="static") == {"generation_config": {"cache_implementation": "static"}}
    assert fields(cache_implementation="static", temperature=0.0)["generation_config"] == {
        "do_sample": False,
        "cache_implementation": "static",
    }


def test_facts_say_whether_requests_are_really_batched():
    """A model that cannot be batched is served one request at a time, and only the log says so."""
    log = (
        "Continuous batching is much better when using flash attention. Switching from sdpa to"
        " flash_attention_2. If you need to use eager or sdpa, set `auto_switch_to_flash=False`\n"
        "[transformers] [Request received] Model: /models/a@main, CB: False\n"
    )
    assert Transformers().read_facts(log, "") == {
        "continuous_batching": False,
        "attn_implementation": "flash_attention_2",
    }
    assert Transformers().read_facts("", "") == {}


@pytest.mark.parametrize(
    ("engine", "weights_mib", "cache_mib"),
    [
        ({"dtype": "auto"}, 200.0, 0.0),
        ({"dtype": "float32"}, 400.0, 0.0),
        ({"dtype": "auto", "quantization": "bnb-8bit"}, 80 + 40.0, 0.0),
        # 4 bits a weight, and a scale for 64: one byte and a 256th of four, or four bytes.
        ({"dtype": "auto", "quantization": "bnb-4bit"}, 80 * (4 + 8 / 64 + 32 / 64 / 256) / 8 + 40.0, 0.0),
        ({**FOUR_BITS, "bnb_4bit_quant_type": "fp4"}, 80 * (4 + 8 / 64 + 32 / 64 / 256) / 8 + 40.0, 0.0),
        ({**FOUR_BITS, "bnb_4bit_use_double_quant": False}, 80 * (4 + 32 / 64) / 8 + 40.0, 0.0),
        (
            {**FOUR_BITS, "quantization": "bnb-8bit", "bnb_4bit_use_double_quant": False},
            80 + 40.0,
            0.0,
        ),
        # 1024 numbers of two bytes a token.
        ({"continuous_batching": True, "cb_num_blocks": 64, "cb_block_size": 32}, 200.0, 4.0),
        ({"continuous_batching": True, "cb_block_size": 256}, 200.0, 0.0),
        ({"continuous_batching": False, "cb_num_blocks": 64, "cb_block_size": 32}, 200.0, 0.0),
    ],
)
def test_the_need_is_weights_and_the_paged_cache(engine, weights_mib, cache_mib):
    """Weights by type and quantisation, embeddings as they are; the cache where its size is given."""
    need = Transformers().memory_need(SHAPE, Configuration(engine=engine))
    assert (need.weights_mib, need.kv_cache_mib) == (pytest.approx(weights_mib), pytest.approx(cache_mib))
    assert need.total_mib == pytest.approx(weights_mib + cache_mib)


@pytest.mark.parametrize("engine", [{}, {"dtype": "bfloat16"}, {"quantization": "bnb-4bit"}])
def test_quantised_files_are_held_as_they_are(engine):
    """Neither a type of arithmetic nor bitsandbytes changes weights that are quantised in their files."""
    need = Transformers().memory_need(quantised(60), Configuration(engine=engine))
    assert need.weights_mib == 60


@pytest.mark.parametrize(
    ("engine", "place"),
    [
        ({"device": "cpu"}, "host"),
        ({}, "both"),
        ({"device": "auto"}, "both"),
        ({"device": "auto", "quantization": "bnb-4bit"}, None),
        ({"device": "cuda:0"}, None),
    ],
)
def test_which_memory_the_need_is_of(engine, place):
    """The host's where the CPU serves; what does not fit on the GPUs goes there, unless quantised."""
    assert Transformers().memory_need(SHAPE, Configuration(engine=engine)).place == place


def test_the_context_is_read_because_the_server_does_not_check_it(tmp_path):
    """What the model's configuration says; a model that says nothing takes any length."""
    assert Transformers().context_tokens(tmp_path) is None
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    assert Transformers().context_tokens(tmp_path) == 2048


def test_tokens_that_cannot_be_counted_are_not_guessed(tmp_path):
    """Neither a model without a tokenizer.json nor an environment without its library has a count."""
    assert Transformers().count_tokens(tmp_path, ["a"]) is None
    (tmp_path / "tokenizer.json").write_text("{}")
    assert Transformers().count_tokens(tmp_path, ["a"]) is None


def test_a_machine_without_it_learns_what_to_install(monkeypatch, settings):
    """No program, no version; a start names the package."""
    monkeypatch.undo()
    monkeypatch.delenv("LLMOPT_ENGINE_TRANSFORMERS", raising=False)
    monkeypatch.setattr(programs.sys, "executable", str(settings.workdir / "python"))
    monkeypatch.setattr(programs.shutil, "which", lambda _name: None)
    assert Transformers().installed() is None
    with pytest.raises(EngineNotInstalled, match=re.escape(install_command("transformers"))):
        Transformers().command(settings)


@pytest.mark.parametrize(
    ("engine", "uses"),
    [
        ({}, True),
        ({"device": "auto", "continuous_batching": True}, True),
        ({"device": "cuda:1"}, True),
        ({"device": "cpu"}, False),
    ],
)
def test_it_may_fill_a_gpu_in_every_mode(engine, uses):
    """PyTorch keeps what it has freed, and batching takes what is left: a full GPU is no danger."""
    configuration = Configuration(engine=engine)
    assert Transformers().uses_gpus(configuration) is uses
    assert Transformers().gpu_reserve(configuration) == GpuReserve(leaves_mib=0)


@pytest.mark.parametrize(
    ("engine", "takes"),
    [
        ({}, False),
        ({"continuous_batching": True}, True),
        ({"continuous_batching": True, "cb_max_memory_percent": 0.5}, True),
        ({"continuous_batching": True, "cb_num_blocks": 64}, False),
    ],
)
def test_a_paged_cache_without_blocks_takes_what_is_left(engine, takes):
    """Then what was held says nothing of a need."""
    assert Transformers().cache_takes_rest(Configuration(engine=engine)) is takes
