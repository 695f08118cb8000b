"""The reference page of the command line is what the commands say of themselves."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_is_up_to_date():
    """`make generate` writes what the options and help texts are now."""
    program = [sys.executable, str(ROOT / "scripts" / "command_page"), "--check"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
