"""What an error of the operating system means for the user who named the file, and what to do about it."""

import errno
import os
import re
from collections.abc import Mapping
from types import MappingProxyType

from llmopt_core.errors.classes import LlmoptError

_WORDS: Mapping[int, str] = MappingProxyType(
    {
        errno.EACCES: "user {uid} may not use it: change its owner or its mode",
        errno.EDQUOT: "the disk quota is used up: free space there",
        errno.EEXIST: "it exists already: choose another name",
        errno.EISDIR: "it is a folder: name a file in it",
        errno.ELOOP: "its symbolic links lead in a circle: correct them",
        errno.EMFILE: "too many files are open: raise the limit with `ulimit -n`",
        errno.ENAMETOOLONG: "its name is too long: choose a shorter one",
        errno.ENOENT: "there is no such file or folder: correct the path",
        errno.ENOSPC: "its disk is full: free space there",
        errno.ENOTDIR: "a part of the path is a file, not a folder: correct the path",
        errno.EPERM: "user {uid} may not use it: change its owner or its mode",
        errno.EROFS: "its file system is read-only: choose another folder",
    }
)
_NUMBER = re.compile(r"\[Errno -?\d+\] ")


def words_of(error: LlmoptError | OSError | UnicodeError) -> str:
    """Return `error` in words for a person: its own, or those for an error of the operating system."""
    return str(error) if isinstance(error, LlmoptError) else file_problem(error)


def file_problem(error: OSError | UnicodeError, path: object = None) -> str:
    """Return `error` as `path: what is wrong: what to do`; `path` is its own unless given."""
    place = path if path is not None else getattr(error, "filename", None)
    return f"{place}: {problem_words(error)}" if place is not None else problem_words(error)


def problem_words(error: OSError | UnicodeError) -> str:
    """Return what is wrong, and what to do, without the path."""
    if isinstance(error, UnicodeError):
        return "it is not UTF-8 text: save it as UTF-8"
    words = _WORDS.get(error.errno or 0)
    return words.format(uid=os.getuid()) if words else error.strerror or str(error)


def without_number(error: object) -> str:
    """Return what `error` says itself, without a number of the system's: the words that logs have, too."""
    return _NUMBER.sub("", str(error))
