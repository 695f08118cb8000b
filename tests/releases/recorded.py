"""The recorded releases, as tests read them."""

import json
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).parents[1]
RELEASES = TESTS / "data" / "releases"
FIRST = RELEASES / "0.1.0"
RECORDED = sorted(path for path in RELEASES.iterdir() if path.is_dir())
Document = dict[str, Any]


def hashes(release: Path) -> dict[str, dict[str, str]]:
    """Return what `release` computed from its manifests and resources."""
    return json.loads((release / "hashes.json").read_text())


def resources(release: Path) -> dict[str, Document]:
    """Return the resources as the API server gave them, by their file in the record."""
    paths = _objects(release, "llm*")
    return {str(path.relative_to(release)): json.loads(path.read_text()) for path in paths}


def objects(release: Path, plural: str) -> list[Document]:
    """Return the recorded objects that the API server calls `plural`."""
    return [json.loads(path.read_text()) for path in _objects(release, plural)]


@cache
def spec_schema(release: Path, kind: str) -> Document:
    """Return the schema of a spec as the release's definition of `kind` has it; not to be changed."""
    (path,) = (release / "crds").glob(f"llmopt.dev_{kind.lower()}s.yaml")
    definition = yaml.load(path.read_text(), yaml.CSafeLoader)
    return definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def unpack_results(release: Path, target: Path) -> Path:
    """Unpack the results folders into `target`, and return the folder that holds them."""
    with tarfile.open(release / "results.tar.xz") as archive:
        archive.extractall(target, filter="data")
    return target / "results"


def _objects(release: Path, plurals: str) -> Iterator[Path]:
    return iter(sorted((release / "cluster").glob(f"{plurals}/*.json")))


def field_names(schema: Document) -> Document:
    """Return the names of all fields of `schema`, nested; lists and maps have those of their entries."""
    for below in ("items", "additionalProperties"):
        if below in schema:
            return field_names(schema[below])
    return {name: field_names(child) for name, child in schema.get("properties", {}).items()}
