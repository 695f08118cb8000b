"""Paths as users write them, looked at without an error where the system refuses to look.

Until Python 3.14 `Path.exists` and its like raise where a folder above may not be entered or a name is too
long, and `Path.expanduser` raises where there is no such user.
"""

# ruff: noqa: PTH110, PTH111, PTH112, PTH113 - the functions of pathlib raise

import errno
import os
from pathlib import Path

from llmopt_core.errors.files import problem_words


def exists(path: str | Path) -> bool:
    """Say whether something is at `path`, as far as this user may see."""
    return os.path.exists(path)


def is_file(path: str | Path) -> bool:
    """Say whether a file is at `path`, as far as this user may see."""
    return os.path.isfile(path)


def is_dir(path: str | Path) -> bool:
    """Say whether a folder is at `path`, as far as this user may see."""
    return os.path.isdir(path)


def expanded(path: str | Path) -> Path:
    """Return `path` with the home folder in place of `~` or `~USER`, where there is such a user."""
    return Path(os.path.expanduser(path))


def may_exist(path: str | Path) -> bool:
    """Say whether something is at `path`, or may be: a folder above it may not be entered."""
    return exists(path) or unreadable(Path(path)) is not None


def unreadable(path: Path) -> str | None:
    """Return what is expected in place of `path`, which this user may not read; None: it is not forbidden."""
    forbidden = _forbidden(path)
    if forbidden is None:
        return None
    return f"a path that user {os.getuid()} may read: change the owner or the mode of {forbidden}"


def folder_problem(folder: Path) -> str | None:
    """Return why nothing can be kept in `folder`, which need not exist; None: nothing is in the way."""
    there = _nearest(folder)
    if exists(there) and not is_dir(there):
        return f"expected a folder, and {there} is a file"
    if expected := unreadable(folder):
        return f"expected {expected}"
    refusal = _refusal(folder)
    return None if refusal is None else problem_words(refusal)


def unwritable(folder: Path) -> str | None:
    """Return what is expected in place of `folder`, in which this user may not write; None: nothing is."""
    there = _nearest(folder)
    if os.access(there, os.W_OK | os.X_OK):
        return None
    return f"a folder in which user {os.getuid()} may write: change the owner or the mode of {there}"


def _nearest(folder: Path) -> Path:
    """Return `folder`, or the first of those above it that is there."""
    return next((each for each in (folder, *folder.absolute().parents) if exists(each)), folder)


def _forbidden(path: Path) -> Path | None:
    """Return `path`, or the folder above it, that this user may not read or enter; None: there is none."""
    if isinstance(_refusal(path), PermissionError):
        return next((each for each in reversed(path.parents) if not os.access(each, os.X_OK)), path)
    rights = os.R_OK | os.X_OK if is_dir(path) else os.R_OK
    return path if exists(path) and not os.access(path, rights) else None


def _refusal(path: Path) -> OSError | None:
    """Return why the system does not say what is at `path`; None: it does, also where that is nothing."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error
    except ValueError:  # a null character
        return OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return None
