"""podman, with its storage in the user's cache, and what a build may know of this machine."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster.programs import cache

# Layers are kept that long: a build after a small change is then a small one. Each build adds up to 2 GB,
# which would fill a disk on a day of many changes if they stayed for longer.
_KEPT_HOURS = 6
_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_SETTINGS = ("PIP_", "UV_")
# Packages outlive a build here. With a cache mount for it, Debian's podman 4.3 empties the image.
_PACKAGES = "/root/.cache"
_FILES = {
    "pip.conf": ("/etc/pip.conf", "~/.pip/pip.conf", "~/.config/pip/pip.conf"),
    "uv.toml": ("/etc/uv/uv.toml", "~/.config/uv/uv.toml"),
}


class ImageFailed(Exception):
    """An image of the test cluster could not be built; the message ends with what the builder said."""


def podman(*arguments: str, input: str | None = None) -> str:  # noqa: A002 - as subprocess calls it
    """Run podman on the tests' own storage; return what it printed. Raises ImageFailed."""
    folder = cache() / "images"
    places = (f"--root={folder / 'storage'}", "--runroot=/run/llmopt-test-podman")
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ("podman", *places, "--runtime=runc", "--cgroup-manager=cgroupfs", *arguments),
        input=input, capture_output=True, text=True, check=False,
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
    )  # fmt: skip
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-4000:]
        raise ImageFailed(f"podman {' '.join(arguments)} failed:\n{said}")
    return done.stdout


def build(tag: str, dockerfile: Path, context: Path, *options: str) -> None:
    """Build `dockerfile` with the files in `context` as `tag`; it finds packages as this machine does."""
    limits = ("--ulimit=nofile=20000:20000", "--ulimit=nproc=10000:10000")
    packages = cache() / "images" / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    with _package_settings() as settings:
        podman(
            "build", "--format=docker", "--network=host", *limits, *settings, *options,
            f"--volume={packages}:{_PACKAGES}", f"--tag={tag}", f"--file={dockerfile}", str(context),
        )  # fmt: skip


def remove_old() -> None:
    """Remove the images that no build used lately, those that one at this moment builds upon included."""
    podman("image", "prune", "--all", "--force", f"--filter=until={_KEPT_HOURS}h")


@contextmanager
def _package_settings() -> Iterator[tuple[str, ...]]:
    """Yield the options that say a build, and nothing after it, how this machine reaches package indexes."""
    passed = {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)}
    with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in passed.items())
        file.flush()
        options = [f"--secret=id=package-settings,src={file.name}"]
        if _AUTHORITIES.exists():
            options.append(f"--secret=id=ca-certificates,src={_AUTHORITIES}")
        yield (*options, *_configurations())


def _configurations() -> Iterator[str]:
    for name, places in _FILES.items():
        found = [path for path in (Path(place).expanduser() for place in places) if path.exists()]
        if found:
            yield f"--secret=id={name},src={found[-1]}"
