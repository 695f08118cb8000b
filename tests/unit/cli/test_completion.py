"""What the shell completes, asked as a shell asks."""

import pytest
from fakes.local_runs import manifest
from typer.testing import CliRunner

from llmopt.main import app

NAMED = "models: {small: {source: o/n}, smaller: {source: o/m}, large: {source: o/l}}"


def completed(words):
    """Return what bash would offer behind the last of `words`."""
    environment = {
        "_LLMOPT_COMPLETE": "complete_bash",
        "COMP_WORDS": f"llmopt {words}",
        "COMP_CWORD": str(len(words.split(" "))),
    }
    result = CliRunner().invoke(app, [], prog_name="llmopt", env=environment)
    assert result.stderr == ""
    return result.stdout.split()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with named models and two studies."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models.yaml").write_text(NAMED)
    for name in ("first", "second"):
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "manifest.yaml").write_text(manifest(name=name))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("optimize --model sm", ["small", "smaller"]),
        ("compare --models l", ["large"]),
        ("compare --models large sm", ["small", "smaller"]),
        ("compare first s", ["second"]),
        ("run x.yaml --model sm", ["small", "smaller"]),
        ("optimize --objective token_", ["token_f1"]),
        ("benchmark --metric peak_mem", ["peak_memory_mib"]),
        ("benchmark --objective accu", ["accuracy"]),
        ("optimize --engine lla", ["llamacpp"]),
        ("optimize --dataset korean_", ["korean_math", "korean_qa"]),
        ("report f", ["first"]),
        ("dashboard ", ["first", "second"]),
    ],
)
def test_names_are_completed(words, offered):
    """Studies, models, metrics, engines and data sets are offered where a command takes them."""
    assert completed(words) == offered


def test_a_broken_file_of_models_offers_nothing(folder):
    """No message appears between the words that a person types."""
    (folder / "models.yaml").write_text("models: [")
    assert completed("optimize --model sm") == []
