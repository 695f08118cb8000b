"""The version is that of pyproject.toml wherever it is written: in build files, manifests and pages."""

import re
import tomllib

import pytest
from documentation.pages import ROOT, pages

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
# As an argument of a build, a tag of an image, a chart, or a label.
_WRITTEN = re.compile(
    r"^ARG VERSION=(.+)|\bllmopt-(?:operator|runner|dashboard):(\d[\w.]*)|\bllmopt-(\d+\.\d+\.\d+)\b"
    r"|app\.kubernetes\.io/version: \"(.+)\"|targetRevision: v(\d.*)",
    re.MULTILINE,
)
_KEPT = [
    path
    for folder in ("config/kustomize", "config/samples", "helm/llmopt", "helm/examples")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
]
PLACES = [
    path
    for path in (ROOT / "Dockerfile.operator", ROOT / "Dockerfile.runner", *_KEPT, *pages())
    if _WRITTEN.search(path.read_text())
]


@pytest.mark.parametrize("path", PLACES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_version_is_the_projects(path):
    """Nobody builds or installs another release than the one whose files these are."""
    written = {next(filter(None, found.groups())) for found in _WRITTEN.finditer(path.read_text())}
    assert written == {VERSION}


def test_the_places_are_found():
    """Both build files, the plain manifests and the page about GitOps write a version."""
    names = {path.name for path in PLACES}
    assert {"Dockerfile.operator", "Dockerfile.runner", "llmopt.yaml", "gitops.md"} <= names
