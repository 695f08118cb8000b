"""The files of this machine that a manifest names, looked at before a study is made of it."""

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from llmopt.path_checks import exists, is_dir, is_file, unreadable
from llmopt_core.engines.registry import BUILT_IN, declaration_of, engines_of_files
from llmopt_core.resources import Fault, Resource
from llmopt_core.resources.faults import nearest_name, there_are
from llmopt_core.resources.served_models import served_models
from llmopt_core.resources.serving import Dataset, Engine, Model

# Where runners find what a cluster mounts; a laptop may have both.
_MODELS_ROOT = ("LLMOPT_MODELS_ROOT", "/models")
_CONFIG_MAPS = Path("/etc/llmopt/config-maps")
# One of these says what the weights in a folder are: of the model, in Mistral's format, or of an adapter.
_CONFIGS = ("config.json", "params.json", "adapter_config.json")


def path_faults(resource: Resource) -> Iterator[Fault]:
    """Yield a fault for each file or folder that `resource` names and this machine has not."""
    yield from _dataset_faults(resource.spec.workload.dataset)
    yield from dict.fromkeys(
        fault
        for each in served_models(resource)
        for fault in _model_faults(each.model, each.engine, each.model_path)
    )


def missing_files(resource: Resource) -> Iterator[Fault]:
    """Yield a fault for each file that `resource` names and this machine has not, but for mounted ones."""
    for fault in path_faults(resource):
        if fault.value is not None and not str(fault.value).startswith("pvc://"):
            yield fault


def _dataset_faults(dataset: Dataset) -> Iterator[Fault]:
    if dataset.path is not None:
        if expected := _unusable(Path(dataset.path), a_file=True):
            hint = _nearest(Path(dataset.path))
            yield Fault("spec.workload.dataset.path", dataset.path, expected, hint)
    elif (reference := dataset.config_map_key_ref) is not None:
        path = _CONFIG_MAPS / reference.name / reference.key
        if not is_file(path):
            hint = "outside a cluster write workload.dataset.path in its place"
            yield Fault("spec.workload.dataset.configMapKeyRef", None, f"a ConfigMap mounted at {path}", hint)


def _model_faults(model: Model, engine: Engine, field: str) -> Iterator[Fault]:
    if engine.endpoint is not None:  # the weights are the server's
        return
    declaration = declaration_of(engine.name)
    a_file = declaration is not None and declaration.needs_model_file
    scheme, _, rest = model.source.partition("://")
    if scheme == "file" and not rest.startswith("/"):
        absolute = f"write file://{Path(rest).absolute()}"
        yield Fault(f"{field}.source", model.source, "an absolute path", absolute)
        return
    path = _PLACES[scheme](rest) if scheme in _PLACES else None
    if path is None:
        return
    if expected := _unusable(path, a_file=a_file):
        hint = _install(rest) if scheme == "package" and not exists(path.parent) else _nearest(path)
        yield Fault(f"{field}.source", model.source, expected, hint)
    elif engine.name in BUILT_IN and is_file(path) and not a_file:
        expected = f"a folder with {_CONFIGS[0]} and weights, for engine {engine.name} serves no single file"
        hint = (
            f"use engine {engines_of_files()} for it"
            if path.suffix == ".gguf"
            else f"write {scheme}://{_above(rest)}"
        )
        yield Fault(f"{field}.source", model.source, expected, hint)
    elif engine.name in BUILT_IN and is_dir(path) and not any(exists(path / one) for one in _CONFIGS):
        expected = f"a folder with {_CONFIGS[0]} and weights: there is no {path / _CONFIGS[0]}"
        yield Fault(f"{field}.source", model.source, expected, _nearest(path))


def _above(rest: str) -> str:
    return rest.rpartition("/")[0]


def _in_package(rest: str) -> Path:
    package, _, file = rest.partition("/")
    # A dotted name would import its parent; weights lie in top-level packages.
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    places = (spec.submodule_search_locations if spec else None) or [package]
    return Path(places[0]) / file


def _in_claim(rest: str) -> Path:
    variable, usual = _MODELS_ROOT
    return Path(os.environ.get(variable, usual)) / rest


_PLACES = {"file": Path, "package": _in_package, "pvc": _in_claim}


def _unusable(path: Path, *, a_file: bool) -> str | None:
    """Return what is expected in place of what is at `path`; None: it can be used."""
    if not exists(path):
        missing = f"a {'file' if a_file else 'path'} that exists: there is no {path}"
        return unreadable(path) or missing
    if a_file and not is_file(path):
        return f"a file: {path} is a folder"
    return unreadable(path)


def _nearest(path: Path) -> str | None:
    """Return a suggestion from what the folder holds: the nearest name, or what there is of the same kind."""
    folder, name = (path, "") if is_dir(path) else (path.parent, path.name)
    if not is_dir(folder) or not os.access(folder, os.R_OK):
        return None
    names = sorted(each.name for each in folder.iterdir() if not each.name.startswith("."))
    if not name:
        return f"in {folder}: {there_are(names)}"
    alike = [each for each in names if path.suffix and each.endswith(path.suffix)]
    hint = nearest_name(name, names) or (there_are(alike) if alike else None)
    return hint and f"in {folder}: {hint}"


def _install(rest: str) -> str:
    package = rest.partition("/")[0]
    return f"no Python package {package!r} is installed here: install it"
