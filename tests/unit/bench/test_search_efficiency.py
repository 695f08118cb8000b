"""The program: what it says of folders that are no surfaces."""

import sys
from pathlib import Path

import pytest
import search_efficiency
from fakes.recorded_surfaces import write_surface


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["search_efficiency.py", *arguments, "--rivals", "random"])
    return search_efficiency.main()


def test_a_bad_folder_gives_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the file, the field and what is expected; nothing is run."""
    write_surface(tmp_path, complete="yes")
    assert _run(monkeypatch, str(tmp_path)) == 2
    printed = capsys.readouterr()
    assert printed.err == f'{tmp_path}/surface.json: complete: expected true or false, found "yes"\n'
    assert not printed.out


def test_a_surface_that_nothing_can_win_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a row that keeps the constraints, there is no best."""
    write_surface(tmp_path, constraints=[{"metric": "delay", "max": 1}])
    assert _run(monkeypatch, str(tmp_path)) == 2
    assert "expected at least one that keeps all constraints" in capsys.readouterr().err
