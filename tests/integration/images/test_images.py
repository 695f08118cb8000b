"""The images, built and run as a pod would: read-only, as a user without a capability, without a network."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cluster.images import RECIPES, base, image
from cluster.podman import ImageFailed, build, podman

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[3]
PROGRAMS = {
    "operator": "llmopt-operator",
    "runner-llamacpp": "llmopt-runner",
    "dashboard": "optuna-dashboard",
}
MODULES = {
    "operator": "llmopt_operator.main",
    "runner-llamacpp": "llmopt_runner.loop.lifecycle",
    "dashboard": "optuna_dashboard",
}
OPERATOR_LIMIT_MIB = 250
_POD = (
    "run", "--rm", "--network=none", "--read-only", "--user=10001:10001", "--cap-drop=all",
    "--security-opt=no-new-privileges", "--ulimit=nofile=20000:20000", "--ulimit=nproc=10000:10000",
)  # fmt: skip


def _labels(name: str) -> dict[str, str]:
    """Return the labels that OCI names, by the end of their name."""
    labels = _configuration(name)["Config"]["Labels"]
    prefix = "org.opencontainers.image."
    return {key.removeprefix(prefix): text for key, text in labels.items() if key.startswith(prefix)}


@pytest.fixture(scope="module", params=PROGRAMS)
def target(request: pytest.FixtureRequest) -> str:
    """Each image that is built here, built."""
    _load(request.param)
    return str(request.param)


def _load(target: str) -> None:
    """See to it that the name of `target` stands for what this checkout makes of it."""
    podman("load", f"--input={image(target)}")


def _inside(target: str, *command: str) -> str:
    """Return what a command prints in a container of image `target`."""
    return podman(*_POD, f"--entrypoint={command[0]}", RECIPES[target].name, *command[1:])


def _configuration(name: str) -> dict[str, Any]:
    (image,) = json.loads(podman("image", "inspect", name))
    assert isinstance(image, dict)
    return image


def test_its_program_runs_in_a_locked_container(target: str) -> None:
    """The image's own entry point says how it is used, in a container that may write nothing."""
    said = podman(*_POD, RECIPES[target].name, "--help")
    assert said.startswith(f"usage: {PROGRAMS[target]}")


def test_it_runs_as_a_user_with_a_number(target: str) -> None:
    """The image names a user that is not root, by number, so that Kubernetes can see it."""
    assert _configuration(RECIPES[target].name)["Config"]["User"] == "10001:10001"
    assert _inside(target, "id", "--user", "--name").strip() == "llmopt"


def test_nothing_that_builds_is_left(target: str) -> None:
    """No compiler, linker, installer or folder of the build is in the image."""
    script = "command -v cc gcc ld as make pip pip3 uv; ls -d /src /overlay /run/secrets 2>/dev/null; true"
    assert _inside(target, "bash", "-c", script) == ""
    with pytest.raises(ImageFailed, match="No module named pip"):
        _inside(target, "python3", "-m", "pip")


def test_nothing_in_it_can_be_changed(target: str) -> None:
    """The user of the image may write nothing of what is installed."""
    assert _inside(target, "bash", "-c", "find /opt /etc /usr -writable -not -type l | head") == ""


def test_nothing_of_the_builders_machine_is_in_it(target: str) -> None:
    """Neither certificates nor the configuration of package indexes came along, in a file or in a setting."""
    configuration = json.dumps(_configuration(RECIPES[target].name))
    assert not [word for word in ("INDEX", "PIP_", "UV_", "CERT", "PROXY") if word in configuration]
    assert _inside(target, "bash", "-c", "ls -d /etc/pip.conf /etc/uv /etc/xdg/uv 2>/dev/null; true") == ""
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    _load("debian")
    assert _inside(target, "cat", bundle) == _inside("debian", "cat", bundle)


def test_imports_need_no_compilation(target: str) -> None:
    """Every module that the program loads has its bytecode in the image."""
    script = f"python -v -c 'import {MODULES[target]}' 2>&1 | grep '^# code object from'"
    loaded = _inside(target, "bash", "-c", script).splitlines()
    assert len(loaded) > 100
    assert [line for line in loaded if line.rstrip("'").endswith(".py")] == []


def test_the_operators_image_is_small() -> None:
    """The operator's image, all layers unpacked, stays under 250 MiB on a base of the usual size."""
    _load("operator")
    assert _configuration(RECIPES["operator"].name)["Size"] / 2**20 < OPERATOR_LIMIT_MIB


def test_the_labels_say_what_was_built() -> None:
    """Version and revision given to a build are labels of the image, and change no layer of it."""
    build_arguments = {"VERSION": "9.8.7", "REVISION": "0123456789abcdef"}
    # Both are built here: what an earlier build left to be taken over may be gone.
    with _operator_built("plain") as plain, _operator_built("labelled", **build_arguments) as labelled:
        labels = _labels(labelled)
        layers, others = (_configuration(name)["RootFS"]["Layers"] for name in (labelled, plain))
    assert (labels["version"], labels["revision"]) == ("9.8.7", "0123456789abcdef")
    assert labels["licenses"] == "Apache-2.0"
    # The last one holds nothing but the look at whether the program starts.
    assert layers[:-1] == others[:-1]


@contextmanager
def _operator_built(tag: str, **arguments: str) -> Iterator[str]:
    """Build the operator's image with `arguments`, and give its name while it is kept."""
    name = f"localhost/llmopt-test/{tag}:1"
    with base() as below:
        options = (f"--build-arg={key}={value}" for key, value in {**arguments, "BASE_IMAGE": below}.items())
        build(name, ROOT / "Dockerfile.operator", ROOT, "--target=operator", *options)
    try:
        yield name
    finally:
        podman("rmi", name)


def test_llama_cpp_finds_its_libraries() -> None:
    """The server of the llamacpp image loads, which needs a library that no wheel brings."""
    _load("runner-llamacpp")
    assert _inside("runner-llamacpp", "python", "-c", "import xllamacpp; print('loaded')") == "loaded\n"
