"""The operator in the test cluster, installed as a user installs it: by Helm, with the chart of ours."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from cluster.control_plane import ControlPlane
from cluster.images import RECIPES
from cluster.programs import built

NAMESPACE = "llmopt-system"
RELEASE = "llmopt"
_CHART = Path(__file__).parents[2] / "helm" / "llmopt"
_INSTALL_SECONDS = 180


class InstallationFailed(Exception):
    """Helm could not install the chart; the message is what it said."""


def install(plane: ControlPlane, settings: Mapping[str, Any] | None = None, **values: Any) -> None:
    """Install or upgrade the operator; return when it is ready.

    `settings` are the operator's own, `values` other values of the chart. Images come from the node alone.
    """
    runner = RECIPES["runner-with-model"].name.rpartition("/")[2]
    defaults = {"imagePullPolicy": "Never", "images": {"llamacpp": runner}}
    document = {"image": {"pullPolicy": "Never"}, "settings": {**defaults, **(settings or {})}, **values}
    path = plane.folder / "values.yaml"
    path.write_text(yaml.safe_dump(document))
    helm(
        plane, "upgrade", RELEASE, str(_CHART), "--install", "--create-namespace", f"--values={path}",
        f"--namespace={NAMESPACE}", "--wait", f"--timeout={_INSTALL_SECONDS}s",
    )  # fmt: skip


def helm(plane: ControlPlane, *arguments: str) -> str:
    """Run Helm as the cluster's administrator; return what it printed. Raises InstallationFailed."""
    own = {
        f"HELM_{kind}_HOME": str(plane.folder / "helm" / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")
    }
    done = subprocess.run(
        (str(built("helm")), f"--kubeconfig={plane.kubeconfig}", *arguments),
        env={**os.environ, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise InstallationFailed(f"helm {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout
