"""What the framework costs per trial where eight runners share one study on PostgreSQL.

Each finishes a trial every five seconds; the study has 2,000 finished ones. Starts its own PostgreSQL and
runs `framework_overhead.py` on it; further arguments are passed on.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from fakes.postgres import PostgresServer  # noqa: E402 - the tests' server, found by the line above

ARGUMENTS = ("--runners", "8", "--think", "5", "--trials", "8", "--finished", "2000", "--samplers", "tpe")


def main() -> int:
    """Run the benchmark and return its exit code."""
    server = PostgresServer()
    try:
        server.create()
        server.start()
        command = [sys.executable, str(HERE / "framework_overhead.py"), "--postgres", server.url("postgres")]
        return subprocess.run([*command, *ARGUMENTS, *sys.argv[1:]], check=False).returncode
    finally:
        server.stop()
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
