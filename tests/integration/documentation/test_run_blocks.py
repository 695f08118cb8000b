"""The blocks of the pages that are marked `.run` do what their page says, on a machine without results."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from documentation.pages import blocks, pages

RUN = {path.stem: [block for block in blocks(path) if block.run] for path in pages()}


@pytest.mark.parametrize("page", [name for name, found in RUN.items() if found])
def test_the_blocks_of_a_page_run_one_after_another(page, tmp_path):
    """Each block ends without an error; later ones find the files of earlier ones."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "100"}
    for block in RUN[page]:
        done = subprocess.run(
            ("bash", "-eu", "-o", "pipefail", "-c", block.script),
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{block.where}\n{done.stdout}{done.stderr}"
