"""Records what this version writes, as test data that every later version must read.

PYTHONPATH=tests python -m releases.record [FOLDER]

Run it once for a release, in a clean checkout of its commit; FOLDER is tests/data/releases/VERSION unless
given. It starts real studies, a real Postgres and a real API server (see `cluster.control_plane`); a stand-in
runner makes the measurements, and the real one measures a fake server. What it wrote is never edited.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from releases.documents import wide_benchmark, wide_optimization, written
from releases.on_a_cluster import record_cluster
from releases.on_one_machine import record_results

from llmopt_core.resources import load_manifest, resource_of
from llmopt_core.storage.definitions import fingerprint
from llmopt_operator.specs.names import child_name, manifest_hash

ROOT = Path(__file__).parents[2]
RELEASES = ROOT / "tests" / "data" / "releases"
_SOURCES = ("core", "operator", "runner", "cli", "crds", "config")


class NotRecordable(Exception):
    """The checkout is not clean, or an output holds something of this machine."""


def record(target: Path) -> None:
    """Write everything to `target`, which is replaced."""
    commit = _commit()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draft = folder / "record"
        (draft / "manifests").mkdir(parents=True)
        shutil.copytree(ROOT / "crds", draft / "crds")
        for sample in sorted((ROOT / "config" / "samples").glob("*.yaml")):
            shutil.copy(sample, draft / "manifests")
        for document in (wide_optimization(), wide_benchmark()):
            (draft / "manifests" / f"{document['metadata']['name']}.yaml").write_text(written(document))
        record_results(folder / "machine", draft / "results.tar.xz")
        record_cluster(folder / "cluster", draft / "cluster")
        results = folder / "machine" / "results"
        _write(draft / "hashes.json", {**_of_manifests(draft, results), **_of_resources(draft)})
        _write(draft / "origin.json", {"version": version("llmopt"), "commit": commit})
        _check(draft, folder)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(draft, target)


def _of_manifests(draft: Path, results: Path) -> dict[str, dict[str, str]]:
    """What this version computes from each manifest."""
    manifests = {f"manifests/{path.name}": path for path in sorted((draft / "manifests").glob("*.yaml"))}
    studies = {f"results/{path.parent.name}": path for path in sorted(results.glob("*/manifest.yaml"))}
    return {
        name: {"fingerprint": fingerprint(load_manifest(path).spec)}
        for name, path in {**manifests, **studies}.items()
    }


def _of_resources(draft: Path) -> dict[str, dict[str, str]]:
    """What this version computes from each resource that the API server gave back."""
    hashes = {}
    for path in sorted((draft / "cluster").glob("llm*/*.json")):
        document = json.loads(path.read_text())
        hash_ = manifest_hash(document)
        hashes[str(path.relative_to(draft))] = {
            "fingerprint": fingerprint(resource_of({**document, "status": None}).spec),
            "manifestHash": hash_,
            "job": child_name(document["metadata"]["name"], hash_),
        }
    return hashes


def _commit() -> str:
    """Return the commit; raises NotRecordable where the sources are not exactly it."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ("git", *arguments), cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.strip()

    if changes := git("status", "--porcelain", "--", *_SOURCES):
        raise NotRecordable(f"the sources differ from the commit:\n{changes}")
    return git("rev-parse", "HEAD")


def _check(draft: Path, folder: Path) -> None:
    """Refuse what says on which machine it was made."""
    private = {
        str(folder),
        str(ROOT),
        str(Path.home()),
        socket.gethostname(),
        str(Path(sys.executable).parent),
    }
    for path in sorted(draft.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        if found := [text for text in private if len(text) > 1 and text.encode() in content]:
            raise NotRecordable(f"{path.relative_to(draft)} holds {found}")


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    record(Path(sys.argv[1]) if len(sys.argv) > 1 else RELEASES / version("llmopt"))
