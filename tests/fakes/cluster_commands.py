"""The `llmopt` command as a person types it on a cluster: in this process, or in one of its own."""

import os
import subprocess
import sys
from pathlib import Path

import yaml
from fakes.manifests import optimization
from typer.testing import CliRunner

from llmopt.main import app


class Commands:
    """Runs `llmopt` with the rights of `kubeconfig`, in `folder`."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self.environment = {"KUBECONFIG": str(kubeconfig), "HOME": str(folder)}
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments, text=None):
        """Run a command in this process; the result has exit_code, output, stdout and stderr."""
        return CliRunner(env=self.environment).invoke(app, [str(each) for each in arguments], input=text)

    def start(self, *arguments):
        """Start a command in a process of its own."""
        process = subprocess.Popen(
            [sys.executable, "-m", "llmopt.main", *(str(each) for each in arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=self.folder, env={**os.environ, **self.environment},
        )  # fmt: skip
        self.started.append(process)
        return process

    def end(self):
        """End what was started and still runs."""
        for process in self.started:
            process.kill()
            process.communicate()

    def written(self, *documents, name="m.yaml"):
        """Write manifests to a file and return it."""
        path = self.folder / name
        path.write_text("---\n".join(yaml.safe_dump(each, sort_keys=False) for each in documents))
        return path


def small(name="mine", **spec):
    """Return an optimization that the stub runners finish in a moment."""
    document = optimization()
    document["metadata"] = {"name": name}
    document["spec"] |= {"budget": {"trials": 4}, "confirm": {"top": 1, "repeats": 2}, **spec}
    return document
