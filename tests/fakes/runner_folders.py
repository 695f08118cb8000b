"""One study's files, and real runner programs that work on it."""

import subprocess
import sys
import time
from contextlib import contextmanager

import yaml

from llmopt_core.study.adapter import open_storage

PATIENCE_SECONDS = 60


class Folder:
    """One study's files, and runners on it."""

    def __init__(self, path):
        self.path = path
        self.storage = f"sqlite:///{path / 'study.db'}"

    def write(self, document):
        (self.path / "manifest.yaml").write_text(yaml.safe_dump(document))

    def start(self, index=0, *arguments, stdin=None):
        command = [sys.executable, "-m", "llmopt_runner.main", "--manifest", str(self.path / "manifest.yaml")]
        command += ["--results", str(self.path), "--index", str(index), "--storage", self.storage]
        log = (self.path / f"runner-{index}.log").open("a")
        with log:
            return subprocess.Popen([*command, *arguments], stderr=log, stdin=stdin)

    def run(self):
        return self.start().wait(PATIENCE_SECONDS)

    def go_on(self):
        """Run again after the study ended, as whoever starts runners does: it is opened again first."""
        with self.study() as study:
            study.reopen()
        return self.run()

    @contextmanager
    def study(self):
        with open_storage(self.storage) as storage:
            yield storage.open_study("study")

    def until(self, seen):
        """Wait until `seen(trials)` holds for the study, as soon as there is one."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (self.path / "study.db").exists() or not self._has_study():
            assert time.monotonic() < deadline
        with self.study() as study:
            while not seen(study.trials()):
                assert time.monotonic() < deadline

    def _has_study(self):
        with open_storage(self.storage) as storage:
            return "study" in storage.study_names()

    def log(self, index=0):
        return (self.path / f"runner-{index}.log").read_text()
