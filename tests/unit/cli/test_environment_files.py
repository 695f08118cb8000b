"""The project's .env: known variables, never over the environment, never a value shown."""

import os
import subprocess
import sys

import pytest
from fakes.local_runs import manifest

from llmopt.environment_files import EnvironmentFileInvalid, is_known, take
from llmopt_core.api.exit_codes import Exit


def taken(tmp_path, text, environment=None):
    file = tmp_path / ".env"
    file.write_text(text)
    environment = {} if environment is None else environment
    return take(file, environment), environment


def test_known_variables_are_set(tmp_path):
    """Comments, quotes, `export` and empty lines are read as shells and other tools do."""
    text = (
        "# mine\n\nexport HF_TOKEN='secret'\nLLMOPT_STORAGE_URL=postgresql://h/d # local\nHF_HOME=\"/a b\"\n"
    )
    found, environment = taken(tmp_path, text)
    assert environment == {
        "HF_TOKEN": "secret",
        "LLMOPT_STORAGE_URL": "postgresql://h/d",
        "HF_HOME": "/a b",
    }
    assert found.taken == ("HF_TOKEN", "LLMOPT_STORAGE_URL", "HF_HOME")


def test_the_environment_wins(tmp_path):
    """A variable that is set stays as it is, an empty one too."""
    found, environment = taken(tmp_path, "HF_TOKEN=a\nHF_HOME=b\n", {"HF_TOKEN": "x", "HF_HOME": ""})
    assert environment == {"HF_TOKEN": "x", "HF_HOME": ""}
    assert found.set_before == ("HF_TOKEN", "HF_HOME")


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "LD_PRELOAD",
        "PYTHONPATH",
        "LLMOPT_ENGINE_VLLM",
        "LLMOPT_ENGINE_VARIABLES",
        "HF_ENDPOINT",
        "FOO",
    ],
)
def test_what_could_start_a_program_or_send_a_token_away_is_left_out(tmp_path, name):
    """A file in a folder of others decides neither; the name is reported."""
    found, environment = taken(tmp_path, f"{name}=x\n")
    assert environment == {}
    assert found.unknown == (name,)


def test_a_candidates_own_secret_is_known():
    """A benchmark's candidate has its token by its name."""
    assert is_known("LLMOPT_MODEL_TOKEN_SMALLER")
    assert not is_known("LLMOPT_MODEL_TOKENS")


@pytest.mark.parametrize(
    ("text", "line"), [("HF_TOKEN=a\n\nno value here\n", 3), ("HF_TOKEN\n", 1), ("\nA='b\n", 2)]
)
def test_a_line_that_is_no_assignment_is_named(tmp_path, text, line):
    """The error has the line, says what to do, and shows nothing of it: it may be a secret."""
    with pytest.raises(EnvironmentFileInvalid, match=rf"\.env:{line}: expected NAME=VALUE") as caught:
        taken(tmp_path, text)
    assert "here" not in str(caught.value)


def test_references_to_other_variables_are_text(tmp_path):
    """Nothing of the environment is copied into a value."""
    _, environment = taken(tmp_path, "HF_HOME=${SECRET}\n")
    assert environment == {"HF_HOME": "${SECRET}"}


def test_no_value_is_in_what_status_prints(tmp_path):
    """Names only, by what became of them."""
    found, _ = taken(tmp_path, "HF_TOKEN=secret\nHF_HOME=h\nFOO=bar\n", {"HF_HOME": "x"})
    assert str(found) == (
        "HF_TOKEN; already in the environment: HF_HOME; not variables that llmopt takes from a file: FOO"
    )


def called(folder, *arguments):
    """Return what the command prints in `folder`, as a process of its own: it changes its environment."""
    environment = {name: value for name, value in os.environ.items() if name != "LLMOPT_STORAGE_URL"}
    command = [sys.executable, "-m", "llmopt.main", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_every_command_reads_it_before_its_options(tmp_path):
    """A storage URL of the file is the command's, as one of the environment is."""
    (tmp_path / "results" / "small").mkdir(parents=True)
    (tmp_path / "results" / "small" / "manifest.yaml").write_text(manifest())
    assert "name it by --storage" in called(tmp_path, "list", "--type", "errors")[1]
    (tmp_path / ".env").write_text("LLMOPT_STORAGE_URL=nonsense://h/d\n")
    assert "nonsense" in called(tmp_path, "list", "--type", "errors")[1]


def test_a_broken_file_is_an_error_of_every_command(tmp_path):
    """One line with the place, and the code of invalid input."""
    (tmp_path / ".env").write_text("broken line\n")
    code, output = called(tmp_path, "list")
    assert code == Exit.INVALID
    assert output == "error: .env:1: expected NAME=VALUE: correct the line, or put # before it\n"
