"""What of llmopt can be freed on this machine, and freeing it. Nothing in use is ever among it."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import platformdirs

from llmopt.local.histories import StudyState
from llmopt_core.resources import load_manifest
from llmopt_core.storage.storages import open_storage


class Extent(StrEnum):
    """How much is freed; each includes what comes before it."""

    FINISHED = "finished"  # engine logs, and the results of studies that have ended
    CACHE = "cache"  # downloaded tools, engines and models of ours
    ALL = "all"  # unfinished studies too


@dataclass(frozen=True)
class Freeable:
    """One folder that can go. `state` is the study that it belongs to, None for a cache."""

    path: Path
    what: str
    size_bytes: int
    state: StudyState | None = None


def cache_folder() -> Path:
    """Return the folder of our own caches; those of the Hugging Face hub are not ours."""
    return Path(platformdirs.user_cache_dir("llmopt"))


def freeable(studies: tuple[StudyState, ...], extent: Extent) -> Iterator[Freeable]:
    """Yield what can go; a folder that somebody works in is left out as a whole."""
    for state in studies:
        if state.busy:
            continue
        if (state.ended is not None and not state.trouble) or extent is Extent.ALL:
            name = "finished results" if state.ended is not None else "unfinished results"
            yield Freeable(state.folder.path, name, state.folder.size_bytes(), state)
        elif state.folder.engine_logs.is_dir():
            logs = state.folder.engine_logs
            yield Freeable(logs, "engine logs", _size(logs), state)
    cache = cache_folder()
    if extent is not Extent.FINISHED and cache.is_dir():
        for part in sorted(cache.iterdir()):
            yield Freeable(part, "cache", _size(part))


def free(one: Freeable, storage: str | None) -> None:
    """Remove `one`, and its study where that lies in the database `storage`.

    Raises FolderBusy where somebody began to work in it meanwhile, StorageUnavailable and OSError.
    """
    if one.state is None:
        _remove(one.path)
        return
    folder = one.state.folder
    with folder.locked():
        if one.path == folder.path and storage is not None and not folder.database.exists():
            _drop(one.state, storage)
        _remove(one.path)


def _drop(state: StudyState, storage: str) -> None:
    metadata = load_manifest(state.folder.manifest).metadata
    with open_storage(storage) as database:
        database.drop_study(metadata.uid or metadata.name)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    sizes = 0
    for file in path.rglob("*"):
        with suppress(OSError):  # it went meanwhile
            sizes += file.lstat().st_size
    return sizes
