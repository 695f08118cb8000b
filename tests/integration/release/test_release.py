"""What `make release` writes: complete, described, and installed where nothing else is."""

import hashlib
import json
import os
import shlex
import subprocess
import tarfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[3]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSION: str = PROJECT["version"]
UV = ROOT / "scripts" / "uv"


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ("make", "--silent", "release", *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make release` filled."""
    folder = tmp_path_factory.mktemp("release") / "dist"
    done = _make(f"DIST={folder}", f"TAG=v{VERSION}")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel, what it requires, and nothing else."""
    environment = tmp_path_factory.mktemp("installed")
    _run((UV, "venv", "--quiet", environment))
    _run(
        (
            UV,
            "pip",
            "install",
            "--quiet",
            "--python",
            environment,
            dist / f"llmopt-{VERSION}-py3-none-any.whl",
        )
    )
    return environment / "bin"


def _run(command: Sequence[Path | str], folder: Path = Path("/")) -> str:
    """Return what `command` printed, started without the environment of the tests."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    index = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "PIP_", "SSL_"))}
    done = subprocess.run(command, cwd=folder, env=kept | index, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_release_is_complete(dist: Path) -> None:
    """Wheel, sdist, chart, bill of materials and checksums are there, each with the version in its name."""
    assert sorted(path.name for path in dist.iterdir()) == [
        "SHA256SUMS",
        f"llmopt-{VERSION}-py3-none-any.whl",
        f"llmopt-{VERSION}.cdx.json",
        f"llmopt-{VERSION}.tar.gz",
        f"llmopt-{VERSION}.tgz",
    ]


def test_the_checksums_are_those_of_the_files(dist: Path) -> None:
    """Each file but the checksums' own is listed with the SHA-256 of what it holds."""
    listed = dict(reversed(line.split("  ")) for line in (dist / "SHA256SUMS").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in dist.glob("llmopt-*")}
    assert listed == found


def test_the_bill_of_materials_lists_every_requirement(dist: Path) -> None:
    """It keeps the schema of CycloneDX, and every requirement has a component with version and hashes."""
    document = json.loads((dist / f"llmopt-{VERSION}.cdx.json").read_text())
    assert document["metadata"]["component"]["version"] == VERSION
    components = {each["name"]: each for each in document["components"]}
    required = {requirement.split(">")[0].split("[")[0] for requirement in PROJECT["dependencies"]}
    assert required <= components.keys()
    assert all(each["version"] and each["externalReferences"] for each in components.values())
    for each in components.values():  # all are of one form, and the validator needs a minute for them
        each["externalReferences"] = each["externalReferences"][:2]
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(document)) is None


def test_the_chart_is_of_the_release(dist: Path) -> None:
    """The packed chart has the version, and installs images of it."""
    with tarfile.open(dist / f"llmopt-{VERSION}.tgz") as archive:
        file = archive.extractfile("llmopt/Chart.yaml")
        assert file is not None
        chart = yaml.safe_load(file.read())
    assert (chart["version"], chart["appVersion"]) == (VERSION, VERSION)


def test_two_releases_of_one_checkout_are_alike(dist: Path, tmp_path: Path) -> None:
    """Built again, wheel and chart have the same checksums: everyone can check them."""
    assert _make(f"DIST={tmp_path}/again").returncode == 0
    for name in (f"llmopt-{VERSION}-py3-none-any.whl", f"llmopt-{VERSION}.tgz"):
        assert (tmp_path / "again" / name).read_bytes() == (dist / name).read_bytes()


def test_a_tag_of_another_version_is_refused(tmp_path: Path) -> None:
    """Nothing is built for a tag that is not the version's, and the message names both."""
    done = _make(f"DIST={tmp_path}/dist", "TAG=v99.0.0")
    assert done.returncode != 0
    assert f"the tag v99.0.0 is not the version of pyproject.toml, v{VERSION}" in done.stderr
    assert not (tmp_path / "dist").exists()


def test_the_wheel_runs_where_nothing_else_is_installed(installed: Path) -> None:
    """It says its version, validates a sample and lists engines, without any extra, outside the checkout."""
    assert _run((installed / "llmopt", "--version")).strip() == f"llmopt {VERSION}"
    sample = ROOT / "config" / "samples" / "quickstart.yaml"
    assert "valid LLMOptimization" in _run((installed / "llmopt", "validate", sample))
    assert "llamacpp" in _run((installed / "llmopt", "list", "--type", "engines"))


@pytest.mark.parametrize("origin", ["wheel", "clone"])
def test_what_a_message_says_installs_a_missing_extra(
    dist: Path, installed: Path, tmp_path: Path, origin: str
) -> None:
    """The command that is shown names the wheel or the clone, and finds every package of the extra."""
    programs = installed
    if origin == "clone":
        _run((UV, "venv", "--quiet", tmp_path / "environment"))
        programs = tmp_path / "environment" / "bin"
        _run((UV, "pip", "install", "--quiet", "--python", programs.parent, ROOT))
    done = subprocess.run(
        (programs / "llmopt", "get", "optimizations"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    source = ROOT if origin == "clone" else dist / f"llmopt-{VERSION}-py3-none-any.whl"
    command = f"pip install '{source}[cluster]'"
    assert command in done.stderr.replace("\n", " ")
    _run((UV, *shlex.split(command), "--dry-run", "--quiet", "--python", programs.parent))


def test_an_invalid_manifest_is_refused_by_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The wheel holds all rules: a manifest with a fault is refused with the field's name."""
    sample = yaml.safe_load((ROOT / "config" / "samples" / "quickstart.yaml").read_text())
    sample["spec"]["budget"]["trials"] = 0
    (tmp_path / "bad.yaml").write_text(yaml.safe_dump(sample))
    command = (installed / "llmopt", "validate", tmp_path / "bad.yaml")
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "spec.budget.trials" in done.stdout + done.stderr
