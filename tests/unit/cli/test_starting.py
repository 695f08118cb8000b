"""Which settings `llmopt init` chooses for which machine, and that what it writes is valid. Pure."""

import pytest

from llmopt.commands.init import machine_of
from llmopt.machine.descriptions import Description, DeviceFound, EngineFound, GpusFound
from llmopt.machine.hardware import Hardware
from llmopt.starting.manifest import manifest_text
from llmopt.starting.settings import suited
from llmopt_core.engines.first_settings import Machine
from llmopt_core.engines.llamacpp.first_settings import DOWNLOADED_GGUF, PACKAGED_MODEL, plain
from llmopt_core.installation import install_command
from llmopt_core.resources import load_manifest
from llmopt_core.resources.cautions import cautions_of
from llmopt_core.resources.validation import validate_file
from llmopt_core.storage.definitions import define_study

ALL = frozenset({"llamacpp", "transformers", "vllm", "openai"})
NO_VLLM = ALL - {"vllm"}
ONLY_LLAMACPP = frozenset({"llamacpp", "openai"})
GIB = 1024

# (cores, memory, GPUs in GiB, installed) -> engine, some of its arguments, concurrency
MACHINES = [
    ((2, 4, (), ALL), "llamacpp", {"threads": "2", "n_ctx": "10240"}, 4),
    ((2, 24, (), ALL), "llamacpp", {"threads": "2", "n_ctx": "16384"}, 4),
    ((1, 1, (), ALL), "llamacpp", {"threads": "1", "n_ctx": "2048"}, 2),
    ((128, 512, (), ALL), "llamacpp", {"threads": "64"}, 8),
    ((8, 32, (6,), ALL), "transformers", {"quantization": "bnb-4bit", "continuous_batching": '"false"'}, 1),
    ((8, 32, (12,), ALL), "transformers", {"quantization": "bnb-8bit", "continuous_batching": '"false"'}, 1),
    ((8, 32, (15.7,), NO_VLLM), "transformers", {"dtype": "bfloat16", "continuous_batching": '"true"'}, 16),
    ((8, 64, (24,), ALL), "vllm", {"max_model_len": "4096"}, 32),
    ((8, 64, (24,), NO_VLLM), "transformers", {"dtype": "bfloat16", "continuous_batching": '"true"'}, 16),
    ((8, 64, (24,), ONLY_LLAMACPP), "llamacpp", {"threads": "8"}, 8),
    ((16, 128, (80, 80), ALL), "vllm", {"tensor_parallel_size": "2"}, 32),
    ((16, 128, (80,) * 6, ALL), "vllm", {"tensor_parallel_size": "4"}, 32),
    ((16, 128, (80,) * 8, ALL), "vllm", {"tensor_parallel_size": "8"}, 32),
    ((16, 128, (6, 6), NO_VLLM), "transformers", {"quantization": "bnb-4bit"}, 1),
    ((16, 128, (24, 6), NO_VLLM), "transformers", {"quantization": "bnb-4bit"}, 1),
]


def machine(cores, memory_gib, gpus_gib, installed, **more):
    gpus = tuple(gib * GIB for gib in gpus_gib)
    return Machine(cores, memory_gib * GIB, gpus, installed, **more)


@pytest.mark.parametrize(("here", "engine", "arguments", "concurrency"), MACHINES)
def test_each_machine_gets_what_suits_it(here, engine, arguments, concurrency):
    """Engine, decisive parameters and concurrency follow from memory, GPUs and what is installed."""
    settings = suited(machine(*here))
    by_name = {one.name: one.value for one in settings.arguments}
    assert settings.engine == engine
    assert arguments.items() <= by_name.items()
    assert settings.concurrency == concurrency


@pytest.mark.parametrize("here", [case[0] for case in MACHINES])
def test_what_is_written_is_valid_and_a_study(here, tmp_path):
    """Every manifest passes `llmopt validate`, searches something and has only parameters of its engine."""
    text = manifest_text(suited(machine(*here)), file="llmopt.yaml", title="A machine.")
    path = tmp_path / "llmopt.yaml"
    path.write_text(text)
    assert list(validate_file(path)) == []
    assert define_study(load_manifest(text)).space.parameters


@pytest.mark.parametrize(("packaged", "model"), [(True, PACKAGED_MODEL), (False, DOWNLOADED_GGUF)])
def test_a_plain_manifest_needs_to_know_no_machine(packaged, model):
    """Without detection it is llama.cpp, with no number of threads, and a model that can be had."""
    resource = load_manifest(manifest_text(plain(packaged_model=packaged), file="f", title="t"))
    assert resource.spec.model.source == model
    assert cautions_of(resource) == ()
    assert resource.spec.engine.name == "llamacpp"
    assert set(resource.spec.engine.args) == {"n_ctx"}


def test_a_better_engine_is_named_with_its_installation():
    """Where the best engine is missing, the manifest runs on another one and its comment says what to do."""
    settings = suited(machine(8, 64, (24,), ONLY_LLAMACPP))
    assert install_command("vllm") in " ".join(settings.notes)
    assert "# Note: vllm suits" in manifest_text(settings, file="f", title="t")


def test_without_any_engine_the_best_is_written_with_its_installation():
    """What cannot run yet says so."""
    settings = suited(machine(2, 8, (), frozenset({"openai"})))
    assert settings.engine == "llamacpp"
    assert settings.notes == (f"llamacpp is not installed yet: {install_command('llamacpp')}",)


def test_gpus_beyond_a_power_of_two_are_said_to_be_left_out():
    """Six GPUs: four of them share the layers, and a note says why."""
    assert "power of two" in suited(machine(16, 128, (80,) * 6, ALL)).notes[0]
    assert suited(machine(16, 128, (80,) * 4, ALL)).notes == ()


def test_a_machine_without_the_packaged_model_downloads_one():
    """The manifest names a GGUF file of the hub."""
    assert suited(machine(2, 8, (), ALL, packaged_model=False)).model == DOWNLOADED_GGUF


def test_a_machine_is_what_runners_describe():
    """Totals decide, not what happens to be free; engines without a version are not installed."""
    found = Description(
        engines={"llamacpp": EngineFound("1"), "vllm": EngineFound(None), "openai": EngineFound("endpoint")},
        devices=(
            DeviceFound(8192, 8000, name="host", kind="host"),
            DeviceFound(81920, 81000, name="gpu0", kind="gpu"),
        ),
        gpus=GpusFound(("NVIDIA H100",), "580.1", "13.0"),
    )
    seen = machine_of(found, Hardware("a processor", 16, 100.0, 1))
    assert (seen.cores, seen.memory_mib, seen.gpus_mib) == (16, 8192, (81920,))
    assert seen.installed == {"llamacpp", "openai"}
