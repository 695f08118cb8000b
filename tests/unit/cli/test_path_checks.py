"""Paths that the system refuses to look at: no error, and what is wrong in words."""

import os
from pathlib import Path

import pytest

from llmopt.path_checks import exists, expanded, folder_problem, is_dir, is_file, may_exist, unreadable

LONG = "a" * 300


@pytest.mark.parametrize("look", [exists, is_file, is_dir])
def test_what_cannot_be_looked_at_is_not_there(look, forbidden, without_rights):
    """A name that is too long, a null character and a folder that may not be entered are no errors."""
    assert not look(LONG)
    assert not look("a\0b")
    assert not without_rights(look, forbidden / "m.gguf")


def test_what_is_there_is_seen(tmp_path):
    """Files and folders are distinguished."""
    (tmp_path / "file").touch()
    assert (exists(tmp_path), is_dir(tmp_path), is_file(tmp_path)) == (True, True, False)
    assert (exists(tmp_path / "file"), is_dir(tmp_path / "file"), is_file(tmp_path / "file")) == (
        True,
        False,
        True,
    )


def test_a_home_folder_is_found_and_an_unknown_user_is_none(monkeypatch):
    """`~models/x` may be a folder of that name, where there is no user `models`."""
    monkeypatch.setenv("HOME", "/home/me")
    assert expanded("~/x") == Path("/home/me/x")
    assert expanded("~no-such-user/x") == Path("~no-such-user/x")


def test_the_folder_that_may_not_be_entered_is_named(forbidden, without_rights):
    """What is below it may exist; its own mode is what has to be changed."""
    expected = f"a path that user {os.getuid()} may read: change the owner or the mode of {forbidden}"
    for path in (forbidden, forbidden / "m.gguf", forbidden / "none" / "x"):
        assert without_rights(unreadable, path) == expected
        assert without_rights(folder_problem, path) == f"expected {expected}"
    assert without_rights(may_exist, forbidden / "m.gguf")


def test_what_may_be_read_or_is_not_there_is_not_forbidden(tmp_path):
    """A path without anything is another fault than one that may not be read."""
    assert unreadable(tmp_path) is None
    assert unreadable(tmp_path / "none") is None
    assert not may_exist(tmp_path / LONG)


def test_a_folder_for_results_need_not_exist(tmp_path):
    """It is made when something is kept in it."""
    assert folder_problem(tmp_path) is None
    assert folder_problem(tmp_path / "a" / "b") is None


def test_what_is_in_the_way_of_a_folder_is_named(tmp_path):
    """A file, and a name that no file system takes."""
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        assert folder_problem(folder) == f"expected a folder, and {tmp_path / 'file'} is a file"
    assert folder_problem(tmp_path / LONG) == "its name is too long: choose a shorter one"
    assert folder_problem(Path("a\0b")) == "Invalid argument"
