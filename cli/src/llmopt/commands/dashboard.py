"""`llmopt dashboard`: Optuna Dashboard on a study of this machine, or on a database.

It is served by this very process: a URL that holds a password is in no argument list of our making.
"""

import signal
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from llmopt.local.folders import NoResults, ResultsFolder, required_folder
from llmopt.option_labels import labelled
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import problem_words, words_of
from llmopt_core.installation import install_command
from llmopt_core.storage.storages import open_storage

LOOPBACK = "127.0.0.1"
# Serves the studies at a URL on a host and port until it is interrupted.
Serve = Callable[[str, str, int], None]


class DashboardUnavailable(LlmoptError):
    """The dashboard cannot be started; the message says why, and what to do."""


def show_dashboard(
    study: str | None, results: Path, storage: str | None, port: int, serve: Serve | None = None
) -> Exit:
    """Serve the dashboard until Ctrl-C: of `study`, of the latest in `results`, or of the database `storage`.

    `serve` does it; None: Optuna Dashboard.
    """
    try:
        serve = serve or _optuna_dashboard()
        url, what = (storage, "all studies of the database") if storage else _of_folder(study, results)
        with open_storage(url):  # its errors name no password
            pass
        _require_free(port)
    except (LlmoptError, OSError) as error:
        _say(Console(stderr=True), f"error: {words_of(error)}")
        return Exit.INVALID
    _say(Console(), f"{what}: http://{LOOPBACK}:{port} (Ctrl-C ends it)")
    _until_signal(partial(serve, url, LOOPBACK, port))
    return Exit.FINISHED


def _until_signal(serve: Callable[[], None]) -> None:
    """Call `serve` until it returns, or Ctrl-C or SIGTERM comes, also where a shell lets us ignore Ctrl-C.

    It works in a thread that ends with this process: its server would take an exception that a signal raises
    within a request for one of that request.
    """
    over = threading.Event()

    def work() -> None:
        try:
            serve()
        finally:
            over.set()

    before = {
        number: signal.signal(number, lambda _number, _frame: over.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        threading.Thread(target=work, daemon=True).start()
        over.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _optuna_dashboard() -> Serve:
    try:
        from optuna_dashboard import run_server  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DashboardUnavailable(
            f"Optuna Dashboard is not installed: {install_command('dashboard')} ({error})"
        ) from error
    return partial(_served_by, run_server)


def _served_by(run_server: Callable[..., object], url: str, host: str, port: int) -> None:
    run_server(url, host, port)


def _of_folder(study: str | None, results: Path) -> tuple[str, str]:
    folder = _latest(results) if study is None else required_folder(study, results)
    if not folder.database.exists():
        raise NoResults(
            f"{folder.database} is not there: if the study is in another database, give --storage"
        )
    return folder.storage_url(), f"study {folder.name}"


def _latest(results: Path) -> ResultsFolder:
    """Return the folder whose study changed last; raises NoResults."""
    folders: Sequence[ResultsFolder] = [ResultsFolder(file.parent) for file in results.glob("*/study.db")]
    if not folders:
        raise NoResults(f"no studies in {results}: `llmopt run` makes one; --results names another folder")
    return max(folders, key=lambda one: one.database.stat().st_mtime)


def _require_free(port: int) -> None:
    try:
        with socket.create_server((LOOPBACK, port)):
            pass
    except OSError as error:
        raise DashboardUnavailable(
            f"{labelled('--port', port)}: {problem_words(error)}: give another one"
        ) from error


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
