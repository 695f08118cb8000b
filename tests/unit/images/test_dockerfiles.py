"""The Dockerfiles as text: what can be said of an image before it is built."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from llmopt_core.engines.registry import BUILT_IN

ROOT = Path(__file__).parents[3]
DOCKERFILES = sorted(path.name for path in ROOT.glob("Dockerfile.*"))
HADOLINT = Path(sys.executable).parent / "hadolint"


def _project() -> dict[str, object]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(project, dict)
    return project


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_has_nothing_to_say(name: str) -> None:
    """The linter of Dockerfiles finds nothing, down to what is only information."""
    done = subprocess.run((HADOLINT, ROOT / name), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_default_version_is_the_projects(name: str) -> None:
    """An image built without a word about its version is labelled with the project's."""
    defaults = re.findall(r"^ARG VERSION=(.*)$", (ROOT / name).read_text(), re.MULTILINE)
    assert set(defaults) == {_project()["version"]}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_only_extras_that_exist_are_installed(name: str) -> None:
    """Every extra that an image asks for is one of the project's."""
    extras = _project()["optional-dependencies"]
    assert isinstance(extras, dict)
    assert set(re.findall(r"--extra (\S+)", (ROOT / name).read_text())) <= set(extras)


def test_every_built_in_engine_has_an_image() -> None:
    """What an engine declares is a target of the runner's Dockerfile; one may declare that there is none."""
    names = _project()["entry-points"]["llmopt.engines"]  # type: ignore[index] # a parsed file
    engines = {BUILT_IN[name].image for name in names} - {None}
    targets = set(
        re.findall(r"^FROM runtime AS (\S+)", (ROOT / "Dockerfile.runner").read_text(), re.MULTILINE)
    )
    assert engines == targets


def test_make_images_builds_what_the_chart_names() -> None:
    """Operator, dashboard and a runner for each engine, under the registry and with the chart's tags."""
    engines = ("base", "llamacpp", "transformers", "vllm")
    command = ("make", "images", "CONTAINERS=echo", "REGISTRY=r.example", f"IMAGES={' '.join(engines)}")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    version = _project()["version"]
    runners = [f"llmopt-runner:{version}-{engine}" for engine in engines]
    images = [f"llmopt-operator:{version}", f"llmopt-dashboard:{version}", *runners]
    assert re.findall(r"--tag (\S+)", done.stdout) == [f"r.example/{image}" for image in images]
    stages = {stage for name in DOCKERFILES for stage in re.findall(r"AS (\S+)", (ROOT / name).read_text())}
    assert set(re.findall(r"--target (\S+)", done.stdout)) <= stages
