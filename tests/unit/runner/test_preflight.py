"""What of this machine a manifest cannot be run with, before a study is made of it."""

import json
import subprocess
import sys

import pytest
import yaml
from fakes.gguf_files import gguf, gguf_llama
from fakes.manifests import benchmark, optimization

from llmopt_core.installation import install_command
from llmopt_core.resources import resource_of
from llmopt_runner import preflight
from llmopt_runner.preflight import faults_of

ROWS = "".join(json.dumps({"question": f"{n} + 1?", "answer": str(n + 1)}) + "\n" for n in range(8))


@pytest.fixture(autouse=True)
def no_variable_names_an_engine(monkeypatch):
    monkeypatch.delenv("LLMOPT_ENGINE_VLLM", raising=False)
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def model(tmp_path):
    """A whole GGUF file."""
    path = tmp_path / "m.gguf"
    path.write_bytes(gguf(gguf_llama()))
    return path


def made(model, *, dataset=None, **spec):
    """Return a search on the model file or folder `model`, and the data set at the path `dataset`."""
    document = optimization()
    asked = {"name": "arithmetic"} if dataset is None else {"path": str(dataset)}
    document["spec"] |= {
        "model": {"source": f"file://{model}"},
        "workload": {"dataset": {**asked, "samples": 4}},
        **spec,
    }
    return document


def found(document):
    return list(faults_of(resource_of(document)))


def faults(document):
    return [str(fault) for fault in found(document)]


def test_a_whole_model_on_an_installed_engine_has_no_fault(model, tmp_path):
    """With a data set of enough rows, and with one that is made by llmopt."""
    (tmp_path / "q.jsonl").write_text(ROWS)
    assert faults(made(model)) == []
    assert faults(made(model, dataset=tmp_path / "q.jsonl")) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gguf(gguf_llama())[:200], "is damaged: it ends within its header"),
        (gguf(gguf_llama())[:-9000], "is cut off"),
        (b"<html>not found</html>", "it is no GGUF file, or damaged"),
    ],
)
def test_a_damaged_model_file_is_a_fault(model, content, said):
    """An incomplete download is recognised by its header; the field, the value and what to do are there."""
    model.write_bytes(content)
    (fault,) = found(made(model))
    assert (fault.path, fault.value) == ("spec.model.source", f"file://{model}")
    assert fault.expected == "a model that can be read"
    assert said in fault.suggestion
    assert "Fetch the file again" in fault.suggestion


def test_a_part_that_the_index_names_and_that_is_not_there_is_a_fault(tmp_path, monkeypatch):
    """A folder of weights is read as runners read it."""
    monkeypatch.setattr(preflight, "load_engine", lambda _name: Installed)
    (tmp_path / "config.json").write_text("{}")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (fault,) = faults(made(tmp_path, engine={"name": "vllm"}))
    assert "its part model-00001-of-00002.safetensors is not there" in fault


def test_the_files_of_a_model_that_runners_do_not_read_are_not_read(model):
    """Without predictions the engine alone says what it makes of them."""
    model.write_bytes(b"another format")
    assert faults(made(model, memoryGuard={"predict": False})) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (f"{ROWS}nonsense\n", "q.jsonl:9: not JSON at column 1"),
        ('{"text": "?"}\n', "q.jsonl:1: "),
        (ROWS[: len(ROWS) // 2], "has 4 items, but 4 search items and 4 held-out items are needed"),
        ("", "holds no items"),
    ],
)
def test_rows_that_cannot_be_used_are_a_fault(model, tmp_path, rows, said):
    """The file's line, and what one should look like."""
    path = tmp_path / "q.jsonl"
    path.write_text(rows)
    (fault,) = found(made(model, dataset=path))
    assert (fault.path, fault.value) == ("spec.workload.dataset.path", str(path))
    assert said in fault.suggestion


def test_answers_that_the_evaluator_cannot_use_are_a_fault(model, tmp_path):
    """`numeric` compares numbers: answers in words have none."""
    path = tmp_path / "q.jsonl"
    path.write_text("".join(json.dumps({"question": f"{n}?", "answer": "blue"}) + "\n" for n in range(8)))
    document = made(model, dataset=path)
    document["spec"]["workload"]["evaluator"] = {"name": "numeric"}
    (fault,) = faults(document)
    assert fault.startswith("spec.workload.evaluator: expected an evaluator that fits the data set (")


class Installed:
    """Stands for an engine that is there."""

    @staticmethod
    def installed():
        return "1.0"


def test_an_engine_that_is_not_installed_is_a_fault():
    """What to type is said; a model of the hub is not looked for."""
    document = optimization()
    document["spec"] |= {
        "model": {"source": "hf://org/name"},
        "engine": {"name": "vllm"},
        "search": {"preset": "speed"},
    }
    (fault,) = faults(document)
    assert fault.startswith('spec.engine.name: "vllm": expected an engine that is installed here (')
    assert install_command("vllm") in fault


def test_a_variable_that_names_no_program_is_a_fault(monkeypatch, model):
    """It is quoted as it was set."""
    monkeypatch.setenv("LLMOPT_ENGINE_LLAMACPP", "/no/such")
    (fault,) = faults(made(model))
    assert "LLMOPT_ENGINE_LLAMACPP=/no/such: /no/such is no program" in fault


def test_candidates_are_looked_at_where_they_stand(model, tmp_path):
    """Each field once, however many candidates share it; a server that runs already has its own files."""
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(model.read_bytes()[:100])
    document = benchmark()
    elsewhere = {"name": "openai", "endpoint": {"url": "http://127.0.0.1:1/v1"}}
    document["spec"] |= {
        "model": {"source": f"file://{cut}"},
        "candidates": [
            {"name": "a"},
            {"name": "b"},
            {"name": "c", "model": {"source": f"file://{model}"}},
            {"name": "d", "engine": elsewhere},
            {"name": "e", "model": {"source": f"file://{cut}"}},
        ],
        "baseline": "a",
    }
    assert [fault.partition(":")[0] for fault in faults(document)] == [
        "spec.model.source",
        "spec.candidates[4].model.source",
    ]


def test_the_program_prints_what_it_found(model):
    """As JSON, for the command, which reads a manifest and loads nothing of a runner."""
    model.write_bytes(b"damaged")
    command = [sys.executable, "-m", "llmopt_runner.preflight"]
    output = subprocess.run(
        command, input=yaml.safe_dump(made(model)), capture_output=True, text=True, check=True
    ).stdout
    (fault,) = json.loads(output)
    assert (fault["path"], fault["value"]) == ("spec.model.source", f"file://{model}")
