"""The program of the dashboard's image, without the image."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from fakes.studies import definition

from llmopt_core.storage.storages import open_storage
from llmopt_runner.engines.ports import free_port

PROGRAM = Path(__file__).parents[3] / "scripts" / "dashboard"
START_SECONDS = 90.0


def test_the_dashboard_shows_a_study_and_no_process_shows_its_url(tmp_path: Path) -> None:
    """The storage's URL comes by the environment, and never stands among a process's arguments."""
    url = f"sqlite:///{tmp_path}/secret-word.db"
    with open_storage(url) as storage:
        storage.create_study(definition("of-a-tenant"))
    port = free_port("127.0.0.1")
    environment = {**os.environ, "LLMOPT_STORAGE_URL": url}
    command = (sys.executable, str(PROGRAM), "--host", "127.0.0.1", "--port", str(port))
    with subprocess.Popen(command, env=environment) as process:
        try:
            answer = _answer(f"http://127.0.0.1:{port}/api/studies", process)
            arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        finally:
            process.terminate()
    assert b"of-a-tenant" in answer
    assert b"secret-word" not in arguments


def _answer(url: str, process: "subprocess.Popen[bytes]") -> bytes:
    """Return what `url` answers once it does."""
    give_up_at = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - an own address
                return bytes(response.read())
        except urllib.error.URLError:
            assert process.poll() is None
            assert time.monotonic() < give_up_at
            time.sleep(0.2)
