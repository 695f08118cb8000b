"""`llmopt dashboard`: which study is shown, that it is really served, and what is said where it cannot be."""

import os
import signal
import socket
import sys
import threading

import pytest
from fakes.local_runs import document

from llmopt.commands.dashboard import show_dashboard
from llmopt.manifests import as_yaml
from llmopt_core.api.exit_codes import Exit
from llmopt_core.installation import install_command
from llmopt_core.storage.storages import open_storage


@pytest.fixture
def shown():
    """Return a list of what was served, and the function that serves it."""
    seen = []
    return seen, lambda url, host, port: seen.append((url, host, port))


def study(results, name):
    """Make an empty study in a results folder."""
    folder = results / name
    folder.mkdir(parents=True)
    (folder / "manifest.yaml").write_text(as_yaml(document(name=name)))
    with open_storage(f"sqlite:///{folder / 'study.db'}"):
        pass
    return folder


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def test_the_study_that_changed_last_is_shown(tmp_path, shown, capsys):
    """Without a name it is the latest; with one it is that one; only this machine is served."""
    for age, name in enumerate(("new", "old")):
        os.utime(study(tmp_path, name) / "study.db", (1e9 - age, 1e9 - age))
    seen, serve = shown
    port = free_port()
    assert show_dashboard(None, tmp_path, None, port, serve) == Exit.FINISHED
    assert show_dashboard("old", tmp_path, None, port, serve) == Exit.FINISHED
    assert seen == [(f"sqlite:///{tmp_path}/{name}/study.db", "127.0.0.1", port) for name in ("new", "old")]
    assert f"study new: http://127.0.0.1:{port}" in capsys.readouterr().out


def test_a_database_is_shown_whole(tmp_path, shown):
    """--storage shows all studies of that database."""
    study(tmp_path, "a")
    url = f"sqlite:///{tmp_path}/a/study.db"
    seen, serve = shown
    assert show_dashboard(None, tmp_path / "none", url, free_port(), serve) == Exit.FINISHED
    assert seen[0][0] == url


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_whatever_the_server_does(tmp_path, number):
    """A server that swallows every exception is left; being interrupted is no failure."""
    study(tmp_path, "a")
    before = signal.getsignal(number)

    def serve(*_):
        os.kill(os.getpid(), number)
        threading.Event().wait()

    assert show_dashboard(None, tmp_path, None, free_port(), serve) == Exit.FINISHED
    assert signal.getsignal(number) is before


def test_what_is_not_there_is_named(tmp_path, shown, capsys):
    """No study, an unknown one and a taken port are each one line that says what to do."""
    _, serve = shown
    assert show_dashboard(None, tmp_path, None, free_port(), serve) == Exit.INVALID
    assert "no studies in" in capsys.readouterr().err
    study(tmp_path, "a")
    assert show_dashboard("b", tmp_path, None, free_port(), serve) == Exit.INVALID
    assert "there are: a" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert show_dashboard("a", tmp_path, None, port, serve) == Exit.INVALID
    assert f"--port {port}: " in capsys.readouterr().err


def test_a_missing_extra_is_named(tmp_path, monkeypatch, capsys):
    """Without Optuna Dashboard the command says what to install."""
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    assert show_dashboard(None, tmp_path, None, free_port()) == Exit.INVALID
    assert install_command("dashboard") in capsys.readouterr().err


def test_a_password_is_in_no_message(tmp_path, shown, capsys):
    """A database that cannot be opened is reported without its password."""
    _, serve = shown
    url = "postgresql+psycopg://u:hunter2@127.0.0.1:1/d?connect_timeout=1"
    assert show_dashboard(None, tmp_path, url, free_port(), serve) == Exit.INVALID
    printed = capsys.readouterr()
    assert "hunter2" not in printed.out + printed.err
