"""The first run of the tests on a fresh machine."""

import os
import subprocess
import sys
from pathlib import Path

_TESTS = Path(__file__).parents[1]
_PROPERTY = """
import os
from pathlib import Path

from hypothesis import given, strategies

TABLES = Path(os.environ["HYPOTHESIS_STORAGE_DIRECTORY"]) / "unicode_data"


def test_tables_are_there():
    assert list(TABLES.glob("*/charmap.json.gz"))


@given(strategies.text())
def test_a_property(text):
    assert isinstance(text, str)
"""


def test_a_cold_first_run_builds_the_unicode_tables_before_its_first_test(tmp_path):
    """With an empty folder of hypothesis no property test pays for the tables of all characters."""
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
