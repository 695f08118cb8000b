"""The quickstart's study from its beginning, in a folder of its own: how long it takes and what it finds."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

MANIFEST = Path(__file__).parents[1] / "config" / "samples" / "quickstart.yaml"


def main() -> int:
    """Run the study, print the seconds it took, and return its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("llmopt")), "run", str(MANIFEST), "--results", folder]
        began = time.monotonic()
        code = subprocess.run(command, check=False).returncode
        print(f"{time.monotonic() - began:.0f} s from the command to its result")
    return code


if __name__ == "__main__":
    sys.exit(main())
