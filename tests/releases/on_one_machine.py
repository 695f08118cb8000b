"""The results folders of `llmopt run`: finished, interrupted and killed, of both kinds.

The reports are left out: each holds several megabytes of a plotting library, and is written again at will.
A database of SQLite is mostly empty pages, so the folders are packed.
"""

import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import psutil
from fakes.local_runs import FAST, Listener, benchmark_manifest, manifest, run_options, stub_command
from fakes.openai_server import FakeOptions, FakeServer

from llmopt.commands.run import Run, local_study, run_text
from llmopt.local.folders import ResultsFolder
from llmopt.local.runs import RunSettings, find
from llmopt.local.sessions import Stop
from llmopt.options import RunOptions
from llmopt_core.storage.storages import open_storage

_RESULTS = Path("results")
_SLOW = ("--trial-seconds", "0.3")
_DEADLINE_SECONDS = 120.0
# The real runner, which calls itself after its machine.
_RUNNER = """
import socket
socket.gethostname = lambda: "machine"
from llmopt_runner.main import main
raise SystemExit(main())
"""
_RUN = """
import sys
from pathlib import Path
from fakes.local_runs import run_options
from llmopt.commands.run import run_file
raise SystemExit(run_file(sys.argv[1], run_options(Path("results"), *sys.argv[2:])))
"""


def record_results(folder: Path, target: Path) -> None:
    """Run studies in `folder` and pack their results, as they lie there, into the archive `target`."""
    folder.mkdir()
    with chdir(folder):
        _finished("finished", manifest(name="finished", trials=6))
        _finished("benchmark-finished", benchmark_manifest(name="benchmark-finished"))
        _interrupted(manifest(name="interrupted", trials=8))
        _interrupted(benchmark_manifest(name="benchmark-interrupted", repeats=4))
        _killed("killed", manifest(name="killed", trials=8))
        _measured("measured")
        with tarfile.open(target, "w:xz") as archive:
            archive.add(_RESULTS, filter=_kept)


def _kept(file: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if Path(file.name).name in {"report.html", "logs"}:
        return None
    return file.replace(uid=0, gid=0, uname="root", gname="root", deep=False)


def _finished(name: str, text: str) -> None:
    _expect(f"{name} to finish", met=run_text(text, "manifest.yaml", run_options(_RESULTS)) == 0)


def _interrupted(text: str) -> None:
    stop = Stop()
    listener = Listener(lambda seen: stop.requested.set() if seen.finished + seen.repeats >= 3 else None)
    local = local_study(text, "manifest.yaml", run_options(_RESULTS))
    found = find(local, RunSettings(None, stub_command(*_SLOW), FAST), stop, listener.audience)
    stopped = found.session is not None and found.session.stopped
    _expect(f"{local.folder.name} to be interrupted", met=stopped)


def _killed(name: str, text: str) -> None:
    """End the command and its runner in the middle of a trial, as a machine that loses its power would."""
    Path("manifest.yaml").write_text(text)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = subprocess.Popen(
        [sys.executable, "-c", _RUN, "manifest.yaml", "--trial-seconds", "1"], env=environment
    )
    _until(lambda: _is_measuring(name))
    runners = psutil.Process(command.pid).children(recursive=True)
    # The command first: it would start its runners again.
    for process in (command, *runners):
        process.kill()
        process.wait()


def _is_measuring(name: str) -> bool:
    folder = ResultsFolder(_RESULTS / name)
    if not folder.manifest.exists():
        return False
    with open_storage(folder.storage_url()) as storage:
        states = [trial.state for trial in storage.open_study(name).trials()]
    return states.count("finished") >= 2 and "running" in states


def _measured(name: str) -> None:
    """What the real runner writes, of an engine that is a fake server."""
    with FakeServer(FakeOptions()) as server:
        text = manifest(
            name=name,
            engine={"name": "openai", "endpoint": {"url": server.base_url}},
            max_tokens=16,
            budget={"trials": 3},
        )
        run = Run(RunOptions(results=_RESULTS), (sys.executable, "-c", _RUNNER, "--end-with-stdin"), FAST)
        _expect(f"{name} to finish", met=run_text(text, "manifest.yaml", run) == 0)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not condition():
        _expect("a study to go on", met=time.monotonic() < deadline)
        time.sleep(0.05)


def _expect(what: str, *, met: bool) -> None:
    if not met:
        raise RuntimeError(f"expected {what}")
