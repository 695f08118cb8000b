"""The blocks of the pages that are marked `.run` do what their page says, on a machine without results."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from documentation.pages import ROOT, blocks, pages

PAGES = [path for path in pages() if any(block.run for block in blocks(path))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_blocks_of_a_page_run_one_after_another(page, tmp_path):
    """Each block ends without an error; later ones find the files of earlier ones, and those with a title."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "100"}
    for block in blocks(page):
        if block.title:
            (tmp_path / block.title).write_text(block.text)
        if not block.run:
            continue
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
