"""How fast the programs start, and how much memory a runner needs without its engine.

Prints medians and spread over repeated whole-process runs, and the peak resident memory.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

REPEATS = 9
READY = (
    "import sys, llmopt_runner.main\n"
    "from llmopt_core.storage.storages import open_storage\n"
    "open_storage(sys.argv[1]).close()"
)


def programs(folder: Path) -> dict[str, list[str]]:
    """Return the commands by what they show."""
    return {
        "python -c pass (for comparison)": [sys.executable, "-c", "pass"],
        "llmopt --help": [str(Path(sys.executable).with_name("llmopt")), "--help"],
        "runner: imports, storage open": [sys.executable, "-c", READY, f"sqlite:///{folder / 'study.db'}"],
    }


def run(command: list[str]) -> tuple[float, float]:
    """Return the wall seconds and the peak resident MiB of one run."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command} failed with status {status}")
    return time.monotonic() - began, usage.ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    table = Table("program", "wall s: min", "median", "max", "peak RSS MiB")
    with tempfile.TemporaryDirectory() as folder:
        for name, command in programs(Path(folder)).items():
            run(command)
            seconds, memory = zip(*(run(command) for _ in range(REPEATS)), strict=True)
            figures = (min(seconds), statistics.median(seconds), max(seconds))
            table.add_row(name, *(f"{figure:.2f}" for figure in figures), f"{max(memory):.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
