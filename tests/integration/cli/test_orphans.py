"""A command that is killed leaves neither runners nor engines behind.

Killed is `llmopt run` itself, with SIGKILL, while the real runner measures the real model. What must survive:
the study, whose trial is given back so that the same command goes on.
"""

import signal
import subprocess
import sys

import psutil
import yaml
from fakes.local_runs import document
from fakes.looks import looked_for

from llmopt_core.storage.storages import open_storage

PATIENCE_SECONDS = 60


def test_nothing_runs_on_after_the_command_was_killed(tmp_path):
    """Runner, supervisor and engine end by themselves, and no trial is left running."""
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(yaml.safe_dump(document(trials=50)))
    command = [sys.executable, "-m", "llmopt.main", "run", str(manifest), "--results", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        parent = psutil.Process(process.pid)
        # Runner, supervisor, engine.
        family = looked_for(
            lambda: len(found := parent.children(recursive=True)) >= 3 and found, PATIENCE_SECONDS
        )
        process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert alive == []
    with open_storage(f"sqlite:///{tmp_path / 'small' / 'study.db'}") as storage:
        trials = storage.open_study("small").trials()
    assert not any(trial.state == "running" for trial in trials)
