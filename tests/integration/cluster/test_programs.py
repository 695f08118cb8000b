"""The programs of the test cluster: built once, by whichever Go there is."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cluster import programs

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """An empty cache for what is built; Go's own is kept, as are the packages of uv."""
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    monkeypatch.setenv("GOCACHE", str(home / "go-build"))
    monkeypatch.setenv("UV_CACHE_DIR", str(home / "uv"))
    monkeypatch.setattr(programs, "cache", lambda: tmp_path / "cache")


def test_two_that_ask_at_once_get_one_program():
    """A program is built once, however many ask for it, and a later question builds nothing."""
    with ThreadPoolExecutor(2) as both:
        first, second = both.map(programs.built, ("pause", "pause"))
    built_at = first.stat().st_mtime_ns
    assert first == second == programs.built("pause")
    assert first.stat().st_mtime_ns == built_at
    assert os.access(first, os.X_OK)


def test_other_sources_are_another_program(tmp_path, monkeypatch):
    """A change of what a program is made of is never served by the older binary."""
    before = programs.built("pause")
    shutil.copytree(programs._MODULES / "pause", tmp_path / "modules" / "pause")
    monkeypatch.setattr(programs, "_MODULES", tmp_path / "modules")
    with (tmp_path / "modules" / "pause" / "main.go").open("a") as source:
        source.write("\n// changed\n")
    assert programs.built("pause") != before


def test_machine_without_go_builds_with_the_wheel(monkeypatch):
    """Where there is no Go, the one in a wheel builds the program."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert shutil.which("go") is None
    assert programs.built("pause").read_bytes().startswith(b"\x7fELF")


def test_failed_build_shows_what_the_compiler_said(tmp_path, monkeypatch):
    """A module that does not compile is one error with the compiler's words, and leaves no program."""
    module = tmp_path / "modules" / "broken"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module broken\n\ngo 1.26\n")
    (module / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    monkeypatch.setattr(programs, "_MODULES", tmp_path / "modules")
    with pytest.raises(programs.BuildFailed, match="undefined: undefined"):
        programs.built("broken")
    assert not [path for path in (tmp_path / "cache").rglob("broken") if path.is_file()]
