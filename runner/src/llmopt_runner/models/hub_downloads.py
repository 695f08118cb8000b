"""Fetches a model of the hub into its cache, before any engine is started.

An engine that fetches its model itself does so within its start, whose time is limited and measured. Runners
that share a cache fetch once: the hub's library locks each file. Without that library, offline, or where the
cache cannot be written to, the engine is left to it.
"""

import fnmatch
import importlib
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_runner.models.resolution import ResolvedModel, hub_cache, hub_folder, hub_refusals

_LIBRARY = "huggingface_hub"
_GIB = 2**30
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
# Weights for other libraries, and a second set of the same ones.
_OTHERS = ("*.gguf", "*.onnx*", "*.h5", "*.msgpack", "*.ot", "*.tflite", "*.pth", "original/*")
_OLD_WEIGHTS = ("*.bin", "*.pt")
_SECOND_SET = ("consolidated*.safetensors",)


class NoSpaceForModel(LlmoptError):
    """The disk that holds the hub's cache is too small for what is still to be fetched."""

    error_class = ErrorClass.DISK_FULL


def fetches(model: ResolvedModel) -> bool:
    """Say whether `model` is one of the hub that can be fetched here."""
    offline = any(os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"} for name in _OFFLINE)
    library = importlib.util.find_spec(_LIBRARY) is not None
    return model.path is None and library and not offline and _is_writable(hub_cache())


class Fetch:
    """The files of a model that are still to be fetched; `progress` says how far that is."""

    def __init__(self, source: str, model: ResolvedModel, token: str | None) -> None:
        """Ask the hub what there is.

        `source` is the manifest's, for messages. Raises ModelNotFound, ModelAccessDenied and NoSpaceForModel.
        """
        self._source, self._model, self._token = source, model, token
        with hub_refusals(source):
            every = self._client().snapshot_download(
                model.id, revision=model.revision, token=token, dry_run=True
            )
        names = wanted_files([each.filename for each in every])
        self._names = names
        self._bytes = sum(
            each.file_size or 0 for each in every if each.filename in names and each.will_download
        )
        self._before = _size_of(self._blobs)
        self._require_space()

    def run(self) -> None:
        """Fetch them; waits for another runner that fetches the same. Raises what the hub refuses."""
        if not self._bytes:
            return
        with hub_refusals(self._source):
            self._client().snapshot_download(
                self._model.id,
                revision=self._model.revision,
                token=self._token,
                allow_patterns=list(self._names),
            )

    def progress(self) -> str:
        """Return how much is there, in words of a status."""
        done = min(max(0, _size_of(self._blobs) - self._before), self._bytes)
        return f"downloading the model: {done / _GIB:.1f} of {self._bytes / _GIB:.1f} GiB"

    @property
    def _blobs(self) -> Path:
        return hub_folder(self._model.id) / "blobs"

    def _require_space(self) -> None:
        place = next(path for path in (hub_cache(), *hub_cache().parents) if path.exists())
        free = shutil.disk_usage(place).free
        if self._bytes > free:
            raise NoSpaceForModel(
                f"spec.model.source: {self._source}: {self._bytes / _GIB:.1f} GiB are to be downloaded to"
                f" {hub_cache()}, which has {free / _GIB:.1f}; free space, or set HF_HOME to another disk"
            )

    @staticmethod
    def _client() -> Any:
        importlib.import_module(f"{_LIBRARY}.utils").disable_progress_bars()  # a log is no terminal
        return importlib.import_module(_LIBRARY)


def wanted_files(names: Sequence[str]) -> tuple[str, ...]:
    """Return which files of a repository an engine serves from: safetensors, else older weights, once."""
    left_out = list(_OTHERS)
    safe = _matching(names, ("*.safetensors",))
    first_set = [name for name in safe if name not in _matching(safe, _SECOND_SET)]
    if safe:
        left_out += _OLD_WEIGHTS
    if first_set and "config.json" in names:
        left_out += _SECOND_SET
    unwanted = _matching(names, left_out)
    return tuple(name for name in names if name not in unwanted)


def _matching(names: Iterable[str], patterns: Iterable[str]) -> set[str]:
    return {name for name in names for pattern in patterns if fnmatch.fnmatchcase(name, pattern)}


def _size_of(folder: Path) -> int:
    sizes = 0
    for path in folder.glob("*"):
        try:
            sizes += path.stat().st_blocks * 512  # what is not written yet of a file takes no space
        except FileNotFoundError:  # it was just renamed
            continue
    return sizes


def _is_writable(folder: Path) -> bool:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    return os.access(place, os.W_OK)


def fetched(
    source: str,
    model: ResolvedModel,
    token: str | None,
    *,
    apart: Callable[[Callable[[], Any], Callable[[], None]], Any],
    report: Callable[[str], None],
) -> None:
    """Have `model` in the hub's cache where it can be fetched; `apart` runs work and looks on meanwhile.

    `report` gets the progress. Raises ModelNotFound, ModelAccessDenied, NoSpaceForModel and Interrupted.
    """
    if not fetches(model):
        return
    fetch = apart(lambda: Fetch(source, model, token), lambda: None)
    apart(fetch.run, lambda: report(fetch.progress()))
