"""The cluster that runs in the background: what a person reads where none runs, and where none can."""

import os
import subprocess
import sys
from pathlib import Path

_TESTS = Path(__file__).parents[2]


def test_nothing_is_ended_where_nothing_runs(tmp_path):
    """Ending a cluster that does not run is no error, and says so."""
    done = _run("down", tmp_path)
    assert (done.returncode, done.stdout) == (0, "no cluster runs\n")


def test_a_machine_without_the_programs_learns_what_is_missing(tmp_path):
    """A cluster that cannot start says why, and leaves no process that was to run it."""
    done = _run("up", tmp_path, PATH="/nonexistent")
    assert done.returncode == 1
    assert "a node of the test cluster needs" in done.stdout
    assert _run("down", tmp_path).stdout == "no cluster runs\n"


def _run(command, cache, **env):
    return subprocess.run(
        (sys.executable, "-m", "cluster.background", command),
        env={**os.environ, "PYTHONPATH": str(_TESTS), "XDG_CACHE_HOME": str(cache), **env},
        capture_output=True,
        text=True,
        check=False,
    )
