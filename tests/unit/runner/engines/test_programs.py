"""An engine's program is found where its user has it."""

import re
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.installation import install_command
from llmopt_runner.engines.failures import EngineNotInstalled
from llmopt_runner.engines.programs import Output, find_program, output_of, package_version, require_program


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "serve-it"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_variable_goes_first_and_may_name_a_folder(program, monkeypatch):
    """An environment of its own is named by its program, or by the folder of its programs."""
    for named in (program, program.parent):
        monkeypatch.setenv("LLMOPT_ENGINE_MY_ENGINE", str(named))
        assert find_program("my-engine", "serve-it") == program


def test_a_variable_that_names_no_program_is_an_error(tmp_path, monkeypatch):
    """A wrong path is said, instead of another program being taken in silence."""
    monkeypatch.setenv("LLMOPT_ENGINE_VLLM", str(tmp_path))
    with pytest.raises(EngineNotInstalled, match=r"LLMOPT_ENGINE_VLLM=.*vllm is no program that can run"):
        find_program("vllm", "vllm")


def test_a_program_beside_this_python_goes_before_the_path(program, monkeypatch):
    """What was installed together with this package is meant, whatever else the machine has."""
    monkeypatch.setattr(sys, "executable", str(program.with_name("python")))
    assert find_program("any", "serve-it") == program


def test_the_path_is_searched_last(program, monkeypatch):
    """A program of the machine is found by its name."""
    monkeypatch.setenv("PATH", str(program.parent))
    assert find_program("any", "serve-it") == program


def test_what_is_not_there_is_said_with_what_to_install(monkeypatch):
    """A user who lacks the engine reads what to type, and the name of the variable."""
    monkeypatch.delenv("LLMOPT_ENGINE_VLLM", raising=False)
    assert find_program("vllm", "absent-program") is None
    with pytest.raises(EngineNotInstalled, match="LLMOPT_ENGINE_VLLM; " + re.escape(install_command("vllm"))):
        require_program("vllm", "absent-program", BUILT_IN["vllm"].packaging.installation)


def test_a_version_is_asked_from_the_environment_of_the_program(program):
    """The Python beside a program says a package's version without running the program."""
    assert package_version(Path(sys.executable), "pytest") == pytest.__version__
    assert package_version(Path(sys.executable), "absent-package") is None
    assert package_version(program, "pytest") is None


@pytest.fixture
def script(tmp_path):
    """Return a function that makes a program of the lines of a shell script."""

    def made(lines):
        path = tmp_path / "said"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return path

    return made


def test_the_output_of_a_program_is_text_whatever_its_bytes_are(script):
    """Bytes that are no text are replaced, and both streams are returned."""
    assert output_of(script(r"printf 'a\377'; echo $1 >&2"), "--version") == Output(
        "a\N{REPLACEMENT CHARACTER}", "--version\n"
    )


def test_a_program_that_does_not_end_is_stopped_with_what_it_started(script, tmp_path):
    """A wrapper that leaves something behind costs the limit once, and has no version."""
    started = tmp_path / "started"
    program = script(f"sleep 600 & echo $! > {started}")
    assert output_of(program, limit_seconds=0.5) is None
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(started.read_text())).wait(timeout=10)


def test_what_cannot_run_has_no_output(tmp_path):
    """A path without a program is no error."""
    assert output_of(tmp_path / "absent") is None
