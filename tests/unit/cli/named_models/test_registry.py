"""Where models are named, and which of two files wins."""

import platformdirs
import pytest

from llmopt.manifests import OptionInvalid
from llmopt.named_models.entries import NamedModel
from llmopt.named_models.registry import Registered, find_model, registered


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Return a function that writes the project's or the user's models.yaml."""
    project, user = tmp_path / "project", tmp_path / "user"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda name: user / name)

    def write(text, *, of_user=False):
        folder = user / "llmopt" if of_user else project
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "models.yaml").write_text(text)
        return folder

    return write


def test_the_project_wins_over_the_user(files):
    """A name that both files have is the project's; others are there from both."""
    files("models: {a: {source: u/a}, b: {source: u/b}}", of_user=True)
    files("models: {a: {source: p/a}}")
    assert {name: one.model.source for name, one in registered().items()} == {"a": "p/a", "b": "u/b"}


def test_no_file_names_no_model(files):
    """Without any file every model is a source, a path or a hub's name."""
    assert registered() == {}
    assert find_model("small") is None


def test_a_relative_path_starts_at_the_files_folder(files):
    """A model beside models.yaml is found from any folder that reads the file."""
    folder = files("models: {a: {source: m.gguf}, b: {source: org/name}}", of_user=True)
    (folder / "m.gguf").touch()
    assert find_model("a").source == f"file://{folder}/m.gguf"
    assert find_model("b").source == "hf://org/name"


@pytest.mark.parametrize("text", ["org/a", "hf://org/a", "./a", "a.gguf", "folder"])
def test_a_source_is_not_looked_up(files, text, tmp_path):
    """What can be no name, and a folder that no file names, is left to the other forms of a model."""
    files("models: {a: {source: p/a}}")
    (tmp_path / "project" / "folder").mkdir()
    assert find_model(text) is None


def test_an_unknown_name_suggests_the_nearest(files):
    """The error names the option, the value, the file and a name that is there."""
    files("models: {small: {source: p/a}}")
    with pytest.raises(OptionInvalid, match=r"--model 'smal': .*models.yaml: did you mean small\?"):
        find_model("smal")


def test_a_name_that_no_file_can_have_is_looked_up(files):
    """It is too long for the file system, and no error of that."""
    files("models: {small: {source: p/a}}")
    with pytest.raises(OptionInvalid, match="no model of that name"):
        find_model("a" * 300)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("forbidden/m.gguf", "may read: change the owner or the mode of"),
        ("forbidden/m", "may read: change the owner or the mode of"),
        ("~no-such-user/m.gguf", "there is no file or folder"),
    ],
)
def test_a_source_that_cannot_be_looked_at_is_named_with_its_place(forbidden, without_rights, source, said):
    """A folder beside the file that may not be entered, and the home of a user that is not there."""
    one = Registered("a", NamedModel(source=source), forbidden.parent / "models.yaml")
    with pytest.raises(OptionInvalid, match=rf"models.yaml: models.a.source: .*{said}"):
        without_rights(lambda: one.source)


def test_a_source_that_is_not_there_is_named_with_its_place(files):
    """The error shows the file, the model's name and the path that was looked for."""
    files("models: {a: {source: ./m.gguf}}")
    with pytest.raises(OptionInvalid, match=r"models.yaml: models.a.source: './m.gguf': there is no file"):
        _ = find_model("a").source


def test_a_broken_file_is_an_error_only_where_a_name_is_asked_for(files):
    """A model that is given by its source does not depend on the file."""
    files("models: [")
    assert find_model("org/name") is None
    with pytest.raises(OptionInvalid, match=r"models\.yaml:2"):
        find_model("small")


def test_a_file_that_cannot_be_read_is_named(files, tmp_path):
    """A folder in place of the file is one clear line."""
    (tmp_path / "project" / "models.yaml").mkdir()
    with pytest.raises(OptionInvalid, match=r"models\.yaml: it is a folder"):
        registered()
