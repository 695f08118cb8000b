"""`llmopt migrate`: files are written, kept and never overwritten without a word."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from llmopt.main import app
from llmopt_core.api.exit_codes import Exit

FORMER = {"models": [{"name": "a", "model_path": "o/n", "gradient_checkpointing": True}]}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments):
    return CliRunner().invoke(app, list(arguments))


def former(folder, document=FORMER):
    (folder / "llm_config.json").write_text(json.dumps(document))


def test_the_models_are_written_and_the_old_file_is_kept(folder):
    """What has no counterpart is printed; the old file's content is in the backup."""
    former(folder)
    result = call("migrate")
    assert result.exit_code == Exit.FINISHED
    assert "gradient_checkpointing true: belongs to training" in result.output
    assert yaml.safe_load((folder / "models.yaml").read_text()) == {"models": {"a": {"source": "o/n"}}}
    assert json.loads((folder / "llm_config.json.bak").read_text()) == FORMER
    assert not (folder / "llm_config.json").exists()
    assert "a " in call("list", "--type", "models").output


def test_models_that_are_there_are_kept(folder):
    """Without --force nothing changes; with it the models are added, and both files have a backup."""
    former(folder)
    (folder / "models.yaml").write_text("models: {b: {source: x/y}} # mine")
    refused = call("migrate")
    assert refused.exit_code == Exit.INVALID
    assert "models.yaml is there already: --force" in refused.output
    assert (folder / "llm_config.json").exists()
    assert call("migrate", "--force").exit_code == Exit.FINISHED
    assert set(yaml.safe_load((folder / "models.yaml").read_text())["models"]) == {"a", "b"}
    assert "# mine" in (folder / "models.yaml.bak").read_text()


def test_a_model_of_the_same_name_is_not_replaced(folder):
    """The error names the model, and neither file changes."""
    former(folder)
    (folder / "models.yaml").write_text("models: {a: {source: x/y}}")
    result = call("migrate", "--force")
    assert result.exit_code == Exit.INVALID
    assert "has a model 'a' already" in result.output
    assert (folder / "llm_config.json").exists()


def test_a_backup_never_replaces_another(folder):
    """A second migration keeps both old files."""
    for name in ("a", "b"):
        former(folder, {"models": [{"name": name, "model_path": "o/n"}]})
        assert call("migrate", "--force").exit_code == Exit.FINISHED
    assert {path.name for path in folder.glob("llm_config.json*")} == {
        "llm_config.json.bak",
        "llm_config.json.bak2",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "llm_config.json: not JSON"), ("3", "llm_config.json: 3: expected a JSON object")],
)
def test_a_file_that_cannot_be_used_is_named(folder, text, said):
    """The error names the file and what is wrong; it stays where it is."""
    (folder / "llm_config.json").write_text(text)
    result = call("migrate")
    assert result.exit_code == Exit.INVALID
    assert said in result.output
    assert (folder / "llm_config.json").read_text() == text


def test_init_converts_it_when_forced_and_points_to_it_otherwise(folder):
    """init --force migrates first; without it the command that does is named."""
    former(folder)
    assert "`llmopt migrate` or --force converts it" in call("init").output
    assert not (folder / "models.yaml").exists()
    forced = call("init", "--force")
    assert forced.exit_code == Exit.FINISHED
    assert (folder / "models.yaml").exists()
    assert (folder / "llmopt.yaml").exists()
