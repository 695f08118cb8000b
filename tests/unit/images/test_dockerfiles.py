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
    text = (ROOT / "Dockerfile.runner").read_text()
    targets = set(re.findall(r"^FROM (?:runtime|with-compiler) AS (\S+)", text, re.MULTILINE))
    assert engines == targets - {"with-compiler"}


def test_what_compiles_while_it_runs_has_a_compiler() -> None:
    """Triton builds launchers with gcc, the headers of libc and of Python."""
    text = (ROOT / "Dockerfile.runner").read_text()
    based_on = {name: base for base, name in re.findall(r"^FROM (\S+) AS (\S+)", text, re.MULTILINE)}
    assert (based_on["vllm"], based_on["transformers"]) == ("with-compiler", "with-compiler")
    stage = text.split("AS with-compiler")[1].split("\nFROM ")[0]
    assert {"gcc", "libc6-dev", "python3-dev"} <= set(re.findall(r"[\w.-]+", stage))


def test_drivers_of_clouds_are_found() -> None:
    """The loader looks where some mount them, and the container runtime mounts what NVML and engines need."""
    text = (ROOT / "Dockerfile.runner").read_text()
    assert "LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64" in text
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in text


def test_another_build_of_a_package_is_of_the_same_version(tmp_path: Path) -> None:
    """It comes from the given index alone; without one nothing is done."""
    for folder in ("scripts", "environment/bin"):
        (tmp_path / folder).mkdir(parents=True)
    script = (ROOT / "scripts" / "install-into-image").read_text()
    environment = tmp_path / "environment"
    (tmp_path / "scripts/install-into-image").write_text(
        script.replace("/opt/llmopt/.venv", str(environment))
    )
    for name, body in (("scripts/uv", 'echo "$@"'), ("environment/bin/python", "echo 1.2.3")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)

    def said(index: str) -> str:
        command = ("bash", "scripts/install-into-image", "build", "xllamacpp", index)
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert said("") == ""
    printed = said("https://index.example/cu")
    assert printed.endswith("--default-index https://index.example/cu xllamacpp==1.2.3\n")
    assert "--no-deps" in printed


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
