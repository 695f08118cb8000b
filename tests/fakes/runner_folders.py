"""One study's files, and real runner programs that work on it."""

import subprocess
import sys
from contextlib import contextmanager

import yaml
from fakes.looks import looked_for

from llmopt_core.resources import load_manifest
from llmopt_core.storage.storages import open_storage

PATIENCE_SECONDS = 200


class Folder:
    """One study's files, and runners on it."""

    def __init__(self, path):
        self.path = path
        self.storage = f"sqlite:///{path / 'study.db'}"

    def write(self, document):
        (self.path / "manifest.yaml").write_text(yaml.safe_dump(document))

    @property
    def spec(self):
        """What the study's manifest asks for."""
        return load_manifest(self.path / "manifest.yaml").spec

    def start(self, index=0, *arguments, stdin=None, within=()):
        """Start a runner; `within` is what its command is run by, such as the one that enters a namespace."""
        command = [
            *within,
            sys.executable,
            "-m",
            "llmopt_runner.main",
            "--manifest",
            str(self.path / "manifest.yaml"),
        ]
        command += ["--results", str(self.path), "--index", str(index), "--storage", self.storage]
        log = (self.path / f"runner-{index}.log").open("a")
        with log:
            return subprocess.Popen([*command, *arguments], stderr=log, stdin=stdin)

    def run(self, within=()):
        return self.start(within=within).wait(PATIENCE_SECONDS)

    def go_on(self, within=()):
        """Run again after the study ended, as programs that start runners do: it is opened again first."""
        with self.study() as study:
            study.reopen()
        return self.run(within)

    @contextmanager
    def study(self):
        with open_storage(self.storage) as storage:
            yield storage.open_study("study")

    def until(self, seen):
        """Wait until `seen(trials)` holds for the study, as soon as there is one."""
        self.until_study(lambda study: seen(study.trials()))

    def until_study(self, seen, patience_seconds=PATIENCE_SECONDS):
        """Wait until `seen(study)` holds, as soon as there is one; what is waited for needs the processor."""
        looked_for(lambda: (self.path / "study.db").exists() and self._has_study(), patience_seconds)
        with self.study() as study:
            looked_for(lambda: seen(study), patience_seconds)

    def _has_study(self):
        with open_storage(self.storage) as storage:
            return "study" in storage.study_names()

    def log(self, index=0):
        return (self.path / f"runner-{index}.log").read_text()
