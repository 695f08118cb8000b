"""Recorded objects and databases put back where they came from: into etcd, and into a Postgres.

An object that a client creates gets an identity and an empty status from the API server. One that lies in
etcd as the former API server wrote it keeps both, as it does in a cluster that is upgraded.
"""

import base64
import json
import urllib.request
from pathlib import Path

import psycopg
from releases.recorded import Document, objects

# How etcd's keys call the kinds of a record, owners before what belongs to them.
_KEYS = {
    "llmoptimizations": "llmopt.dev/llmoptimizations",
    "llmbenchmarks": "llmopt.dev/llmbenchmarks",
    "configmaps": "configmaps",
    "jobs": "jobs",
}


def restore_objects(etcd_url: str, release: Path) -> None:
    """Put all recorded objects of `release` into etcd; their namespace and definitions are there already."""
    for plural, key in _KEYS.items():
        for body in objects(release, plural):
            metadata = {
                field: value for field, value in body["metadata"].items() if field != "resourceVersion"
            }
            path = f"/registry/{key}/{metadata['namespace']}/{metadata['name']}"
            _put(etcd_url, path, {**body, "metadata": metadata})


def restore_database(url: str, release: Path) -> None:
    """Carry out the recorded dump in the empty database at `url`, which SQLAlchemy reads."""
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        connection.execute((release / "cluster" / "studies.sql").read_bytes())


def _put(etcd_url: str, path: str, body: Document) -> None:
    pair = {"key": path.encode(), "value": json.dumps(body).encode()}
    put = json.dumps({name: base64.b64encode(part).decode() for name, part in pair.items()})
    request = urllib.request.Request(f"{etcd_url}/v3/kv/put", put.encode())  # noqa: S310 - the test's own etcd
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - as above
