"""Which compilers an engine's start would find."""

import pytest

from llmopt_runner.engines.build_tools import build_tools


@pytest.fixture
def place(tmp_path):
    """Return what makes a program below the test's folder."""

    def make(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755)
        return path

    return make


def test_nothing_is_found_where_nothing_is(tmp_path):
    """Both are then missing, by name."""
    found = build_tools({"PATH": str(tmp_path)}, usual_cuda=tmp_path)
    assert (found.nvcc, found.cpp, found.missing) == (None, None, ("nvcc", "g++"))


@pytest.mark.parametrize("variable", ["CUDA_HOME", "CUDA_PATH"])
def test_a_home_of_cuda_alone_counts(place, tmp_path, variable):
    """Where it is set the toolkit is looked for there, and nowhere else."""
    inside, elsewhere = place("cuda/bin/nvcc"), place("bin/nvcc")
    environment = {variable: str(tmp_path / "cuda"), "PATH": str(elsewhere.parent)}
    assert build_tools(environment, usual_cuda=tmp_path).nvcc == inside
    assert build_tools({**environment, variable: "/nowhere"}, usual_cuda=tmp_path).nvcc is None


def test_the_path_comes_before_the_usual_folder(place, tmp_path):
    """As FlashInfer looks for it."""
    on_path, usual = place("bin/nvcc"), place("usual/bin/nvcc")
    assert build_tools({"PATH": str(on_path.parent)}, usual_cuda=tmp_path / "usual").nvcc == on_path
    assert build_tools({"PATH": ""}, usual_cuda=tmp_path / "usual").nvcc == usual


@pytest.mark.parametrize("name", ["g++", "c++"])
def test_a_compiler_for_cpp_has_several_names(place, tmp_path, name):
    """Or it is what CXX says."""
    compiler = place(f"bin/{name}")
    assert build_tools({"PATH": str(compiler.parent)}, usual_cuda=tmp_path).cpp == compiler
    chosen = place("own/my-compiler")
    environment = {"PATH": str(compiler.parent), "CXX": str(chosen)}
    assert build_tools(environment, usual_cuda=tmp_path).cpp == chosen


def test_a_file_that_cannot_run_is_no_compiler(tmp_path):
    """A folder or a text of that name does not count."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvcc").write_text("")
    assert build_tools({"CUDA_HOME": str(tmp_path), "PATH": ""}).nvcc is None
