"""How fast the guard ends an engine in an emergency, and what watching costs: a real supervisor and children.

The engine forks, daemonises, hides whose its processes are and ignores SIGTERM; a grandchild takes memory.
Time is from the guard's order to the moment when no process of it lives. The memory is real; the device is
this machine's as if nobody else used it, and so small that the engine fills it.
"""

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from fakes.fake_engine import FakeEngine

from llmopt_core.occupancy import Occupancy
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.guard.guard import MemoryGuard
from llmopt_runner.guard.levels import Thresholds
from llmopt_runner.host.host_memory import HostMemory
from llmopt_runner.host.usage import resident_mib

KILLS = 50
EATEN_MIB = 300
WATCHED_SECONDS = 20.0
NASTY = "--fork --daemonise --hide --ignore-sigterm"


class SmallHost(HostMemory):
    """A host of `limit_mib` that only the engine uses."""

    def __init__(self, limit_mib: float, engine: EngineServer) -> None:
        """Keep whose memory counts."""
        super().__init__()
        self._limit_mib = limit_mib
        self._engine = engine

    def occupancy(self) -> Occupancy:
        """Return what the engine holds of the limit."""
        return Occupancy(self._limit_mib, resident_mib(self._engine.pids()))


def server(folder: Path, orders: str) -> EngineServer:
    settings = LaunchSettings(
        None, "fake-model", folder, folder / "engine.log", parameters={"orders": orders}
    )
    return EngineServer(FakeEngine(), settings)


def family(engine: EngineServer) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in engine.pids()]


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def one_kill(folder: Path) -> float:
    """Return the milliseconds from the emergency to nothing left."""
    now = folder / "now"
    now.unlink(missing_ok=True)
    with server(folder, f"{NASTY} --eat-below {EATEN_MIB} --when {now}") as engine:
        engine.start(60)
        everyone, ordered, at = family(engine), threading.Event(), []

        def kill() -> None:
            at.append(time.monotonic())
            engine.kill()
            ordered.set()

        with MemoryGuard([SmallHost(EATEN_MIB * 0.8, engine)], Thresholds(), engine.pids, kill):
            now.touch()
            if not ordered.wait(60):
                raise SystemExit("no emergency within a minute")
            while any(lives(process) for process in everyone):
                time.sleep(0.001)
            return (time.monotonic() - at[0]) * 1000


def watching_percent(folder: Path) -> float:
    """Return the percent of a core that a guard takes beside an engine that does nothing."""

    def own_seconds() -> float:
        times = psutil.Process().cpu_times()
        return times.user + times.system

    with server(folder, NASTY) as engine:
        engine.start(60)
        with MemoryGuard([HostMemory()], Thresholds(), engine.pids, engine.kill):
            before = own_seconds()
            time.sleep(WATCHED_SECONDS)
            return 100 * (own_seconds() - before) / WATCHED_SECONDS


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        kills = [one_kill(Path(folder)) for _ in range(KILLS)]
        percent = watching_percent(Path(folder))
    table = Table("what", "median", "max")
    table.add_row(
        f"emergency to nothing left, ms, of {KILLS}", f"{statistics.median(kills):.0f}", f"{max(kills):.0f}"
    )
    table.add_row("watching, % of a core", f"{percent:.2f}", "")
    Console().print(table)


if __name__ == "__main__":
    main()
