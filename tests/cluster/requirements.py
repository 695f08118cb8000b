"""What tests need of this machine: for a node and its images root and some of Debian's packages."""

import os
import shutil
import subprocess
from typing import NoReturn

import pytest

_PROGRAMS = {
    "conntrack": "conntrack",
    "containerd": "containerd",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "iptables": "iptables",
    "podman": "podman",
    "runc": "runc",
    "unshare": "util-linux",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
_PROMETHEUS = "prometheus"
# As Debian, Google and Ubuntu call it.
_BROWSERS = ("chromium", "google-chrome", "chromium-browser")
_INSTALL = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends")


class NodeUnavailable(Exception):
    """This machine cannot run a node; the message says what it lacks and what to do."""


class BrowserUnavailable(Exception):
    """There is no Chromium on this machine; the message says what to do."""


def provide() -> None:
    """See to everything a node needs, with apt-get where that is possible. Raises NodeUnavailable."""
    if os.geteuid() != 0:
        raise NodeUnavailable("a node of the test cluster needs root: run the tests as root")
    if packages := _missing():
        _install(packages)
    if packages := _missing():
        raise NodeUnavailable(f"a node of the test cluster needs Debian's {' '.join(packages)}: install them")
    tried = subprocess.run(
        ("unshare", "--net", "--mount", "true"), capture_output=True, text=True, check=False
    )
    if tried.returncode != 0:
        raise NodeUnavailable(
            f"a node of the test cluster needs namespaces of its own: {tried.stderr.strip()}"
        )


def provide_prometheus() -> None:
    """See to Prometheus, with apt-get where that is possible. Raises NodeUnavailable."""
    if shutil.which(_PROMETHEUS) is None:
        _install([_PROMETHEUS])
    if shutil.which(_PROMETHEUS) is None:
        raise NodeUnavailable("the dashboard's test needs Debian's prometheus: install it")


def provide_browser() -> str:
    """Return the path of Chromium, with apt-get where that is possible. Raises BrowserUnavailable."""
    if _browser() is None and os.geteuid() == 0:
        _install(["chromium"])
    if (browser := _browser()) is None:
        raise BrowserUnavailable("reports are looked at in Debian's chromium: install it")
    return browser


def _browser() -> str | None:
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


def provide_or_skip() -> None:
    """Skip the test that asks where a node cannot run; in CI it fails, so that nobody takes it for passed."""
    try:
        provide()
    except NodeUnavailable as lack:
        _skip(lack)


def browser_or_skip() -> str:
    """Return the path of Chromium; without one the test that asks is skipped, and fails in CI."""
    try:
        return provide_browser()
    except BrowserUnavailable as lack:
        _skip(lack)


def _skip(lack: Exception) -> NoReturn:
    if os.environ.get("CI") == "true":
        raise lack
    pytest.skip(str(lack))


def _missing() -> list[str]:
    return sorted(package for program, package in _PROGRAMS.items() if shutil.which(program) is None)


def _install(packages: list[str]) -> None:
    if shutil.which("apt-get") is None:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A machine that never asked for the list of packages finds none of them.
    for command in (("apt-get", "update", "--quiet"), (*_INSTALL, *packages)):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
