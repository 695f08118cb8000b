"""The first run of the tests on a fresh machine, or on a busy one."""

import os
import subprocess
import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]
_PROPERTY = """
import time

from hypothesis import Phase, given, settings, strategies


def slowly(number):
    until = time.perf_counter() + 0.3
    while time.perf_counter() < until:
        pass
    return number


@settings(max_examples=3, phases=[Phase.generate])
@given(strategies.integers().map(slowly), strategies.text())
def test_a_property(number, text):
    slowly(number)
"""


def test_no_property_test_fails_by_its_time(tmp_path):
    """With an empty folder of hypothesis, and examples that take longer than it allows by itself."""
    module = tmp_path / "test_cold.py"
    module.write_text(_PROPERTY)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "--rootdir", tmp_path, module]
    environment = {
        **os.environ,
        "PYTHONPATH": str(_TESTS),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "cold"),
    }
    ended = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout
