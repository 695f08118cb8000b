"""Turns `spec.model.source` into something an engine can load."""

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from llmopt_core.api.environment import Variable
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.installation import install_command

_DEFAULT_MODELS_ROOT = "/models"
_FILE_ENDING = ".gguf"
_LONGEST_COMMIT = 200


class ModelNotFound(LlmoptError):
    """The source names nothing that is there."""

    error_class = ErrorClass.MODEL_NOT_FOUND


class ModelAccessDenied(LlmoptError):
    """The source is there, but not for this user or token."""

    error_class = ErrorClass.ACCESS_DENIED


class ModelCorrupt(LlmoptError):
    """A file of the model is there and damaged."""

    error_class = ErrorClass.MODEL_CORRUPT
    suggestion = "Fetch the file again, and compare its size and checksum with its source's."

    def __init__(self, path: Path, reason: str) -> None:
        """Name the file and what is wrong with it."""
        super().__init__(f"the model file {path} is damaged: {reason}")


@dataclass(frozen=True)
class ResolvedModel:
    """`path` is a file or folder, None where the engine loads by `id` (and `revision`) itself."""

    path: Path | None
    id: str
    revision: str | None = None


def resolve_model(source: str, *, token: str | None = None) -> ResolvedModel:
    """Return what `source` stands for on this machine.

    `package://python_package/file` (the package is found, not imported), `file:///path`,
    `pvc://claim/path` (the claim is mounted below `$LLMOPT_MODELS_ROOT`, /models unless set) or
    `hf://org/name[@revision]`; `hf://org/name/file.gguf[@revision]` names one file of the repository, taken
    from the hub's cache or downloaded with `token`.

    Raises:
        ModelNotFound: with the source and what to do.
        ModelAccessDenied: the file cannot be read, or the hub refuses the token.
    """
    scheme, _, rest = source.partition("://")
    if scheme == "hf":
        return _from_hub(source, rest, token)
    if scheme not in _PLACES or not rest:
        raise _not_found(source, "it does not begin with hf://, pvc://, file:// or package://")
    return _local(source, _PLACES[scheme](source, rest))


def named_model(source: str) -> ResolvedModel:
    """Return the model that `source` names, for a server that has it already: nothing is looked for."""
    scheme, _, rest = source.partition("://")
    name, _, revision = rest.partition("@") if scheme == "hf" else (rest, "", "")
    repository = "/".join(name.split("/")[:2])
    last = PurePosixPath(name).name
    is_repository = scheme == "hf" and name == repository
    return ResolvedModel(None, name if is_repository else last.removesuffix(_FILE_ENDING), revision or None)


def _not_found(source: str, reason: str) -> ModelNotFound:
    return ModelNotFound(f"spec.model.source: {source}: {reason}")


def _local(source: str, path: Path) -> ResolvedModel:
    if not os.path.lexists(path):
        raise _not_found(source, f"there is no {path}; correct the path")
    if not os.access(path, os.R_OK):
        raise ModelAccessDenied(
            f"spec.model.source: {source}: user {os.getuid()} may not read {path}; change its owner or mode"
        )
    return ResolvedModel(path, path.stem if path.is_file() else path.name)


def _in_package(source: str, rest: str) -> Path:
    package, _, file = rest.partition("/")
    # A dotted name would import its parent; weights lie in top-level packages.
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise _not_found(source, f"no Python package {package!r} is installed here; install it")
    return Path(spec.submodule_search_locations[0]) / file


def _in_file(source: str, rest: str) -> Path:
    if not rest.startswith("/"):
        raise _not_found(source, "the path is relative; write file:///absolute/path")
    return Path(rest)


def _in_claim(source: str, rest: str) -> Path:
    root = Path(os.environ.get(Variable.MODELS_ROOT, _DEFAULT_MODELS_ROOT))
    claim, _, _ = rest.partition("/")
    if not (root / claim).is_dir():
        raise _not_found(
            source,
            f"the claim {claim} is not mounted at {root / claim}; mount it there, or set"
            f" {Variable.MODELS_ROOT} to the folder that holds the claims",
        )
    return root / rest


_PLACES: Mapping[str, Callable[[str, str], Path]] = {
    "package": _in_package,
    "file": _in_file,
    "pvc": _in_claim,
}


def _from_hub(source: str, rest: str, token: str | None) -> ResolvedModel:
    name, _, revision = rest.partition("@")
    organisation, _, tail = name.partition("/")
    model, _, file = tail.partition("/")
    if not organisation or not model:
        raise _not_found(source, "it is not of the form hf://org/name or hf://org/name/file.gguf")
    repository = f"{organisation}/{model}"
    if not file:
        return ResolvedModel(None, repository, revision or None)
    if not file.endswith(_FILE_ENDING):
        raise _not_found(source, f"{file!r} does not end with {_FILE_ENDING}; leave it out")
    path = _cached(repository, file, revision or None) or _downloaded(
        source, repository, file, revision or None, token
    )
    return ResolvedModel(path, path.stem, revision or None)


def hub_cache() -> Path:
    """Return the folder in which the hub's library keeps repositories; it need not exist."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub")


def hub_folder(repository: str) -> Path:
    """Return the folder of the hub's local cache for a repository; it need not exist."""
    return hub_cache() / f"models--{repository.replace('/', '--')}"


def hub_snapshot(repository: str, revision: str | None = None) -> Path | None:
    """Return the folder of the hub's local cache that holds a repository; None: it is not there.

    Found by the cache's documented layout, so that nothing need be installed for it.
    """
    folder = hub_folder(repository)
    reference = folder / "refs" / (revision or "main")
    commit = _commit(reference) if reference.is_file() else revision or "main"
    snapshot = folder / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def _commit(reference: Path) -> str:
    with reference.open("rb") as file:
        return file.read(_LONGEST_COMMIT).decode(errors="replace").strip().replace("\0", "")


def _cached(repository: str, file: str, revision: str | None) -> Path | None:
    snapshot = hub_snapshot(repository, revision)
    return snapshot / file if snapshot is not None and (snapshot / file).is_file() else None


def _downloaded(source: str, repository: str, file: str, revision: str | None, token: str | None) -> Path:
    if importlib.util.find_spec("huggingface_hub") is None:
        raise _not_found(
            source,
            f"it is not in the hub's cache, and nothing here can download it; {install_command('hub')}",
        )
    hub: Any = importlib.import_module("huggingface_hub")
    with hub_refusals(source):
        return Path(hub.hf_hub_download(repository, file, revision=revision, token=token))


@contextmanager
def hub_refusals(source: str) -> Iterator[None]:
    """Raise what the hub's library refuses in the block as ModelNotFound or ModelAccessDenied of `source`."""
    errors: Any = importlib.import_module("huggingface_hub.errors")
    # A connection that breaks in the middle is an error of the HTTP library that the hub's own are built on.
    network_errors = (OSError, *errors.HfHubHTTPError.__bases__)
    wrong_name = (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.EntryNotFoundError,
        errors.HFValidationError,
    )
    try:
        yield
    except errors.LocalEntryNotFoundError as error:  # an EntryNotFoundError too, but nobody could be asked
        raise _unreachable(source, error) from error
    except errors.GatedRepoError as error:
        raise ModelAccessDenied(
            f"spec.model.source: {source}: the hub refuses it; accept the model's terms, and give a token in"
            " spec.model.tokenSecretRef"
        ) from error
    except wrong_name as error:
        raise _not_found(
            source, f"{_first_line(error)}; correct the name, or give a token in spec.model.tokenSecretRef"
        ) from error
    except network_errors as error:
        raise _unreachable(source, error) from error


def _unreachable(source: str, error: Exception) -> ModelNotFound:
    return _not_found(
        source,
        f"it is not in the hub's cache and cannot be downloaded ({_first_line(error)}); connect this machine,"
        " or fill its cache",
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
