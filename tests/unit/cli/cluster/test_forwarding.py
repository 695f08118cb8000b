import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from fakes.cluster_resources import resource

from llmopt.cluster.databases import StudyOutOfReach, opened_study
from llmopt.cluster.forwarding import ForwardingFailed, Service, forwarded
from llmopt.cluster.kubeconfigs import Access

SERVICE = Service("pg", "db", 5432)
ACCESS = Access("mine", "team-a", {"server": "https://api.invalid:6443"}, {"token": "secret"})
# The first line as kubectl 1.36 prints it.
ANNOUNCES = 'echo $$ > pid; echo "Forwarding from 127.0.0.1:41234 -> 5432"; exec sleep 600'


@pytest.fixture
def kubectl(tmp_path, monkeypatch):
    """Put a `kubectl` that runs a script in this folder on the PATH, in front of what is there."""
    monkeypatch.chdir(tmp_path)

    def make(script):
        program = tmp_path / "kubectl"
        program.write_text(
            f'#!/bin/sh\necho "$@" > arguments\ncat "${{1#--kubeconfig=}}" > given\n{script}\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    return make


def test_kubectl_forwards_a_free_port_for_as_long_as_it_is_used(kubectl, tmp_path):
    """It is asked as the same user of the same cluster, and ends with the block."""
    kubectl(ANNOUNCES)
    with forwarded(ACCESS, SERVICE) as near:
        assert near == "127.0.0.1:41234"
        kubeconfig = (tmp_path / "arguments").read_text().split()[0]
        assert (tmp_path / "arguments").read_text().split()[1:] == [
            "port-forward", "--namespace", "db", "service/pg", ":5432",
        ]  # fmt: skip
        assert json.loads((tmp_path / "given").read_text()) == ACCESS.kubeconfig
    assert not Path(kubeconfig.removeprefix("--kubeconfig=")).exists()
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


def test_kubectl_does_not_outlive_a_process_that_is_killed(kubectl, tmp_path):
    """What cannot clean up leaves no kubectl behind."""
    kubectl(ANNOUNCES)
    script = (
        "import signal; from llmopt.cluster.forwarding import Service, forwarded\n"
        "from llmopt.cluster.kubeconfigs import Access\n"
        "with forwarded(Access('mine', 'team-a', {}, {}), Service('pg', 'db', 5432)) as near:\n"
        "    print(near, flush=True); signal.pause()"
    )
    owner = subprocess.Popen((sys.executable, "-c", script), stdout=subprocess.PIPE, text=True)
    assert owner.stdout.readline() == "127.0.0.1:41234\n"
    kept = psutil.Process(int((tmp_path / "pid").read_text()))
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    kept.wait(timeout=10)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ('echo "error: services \\"pg\\" not found" >&2; exit 1', 'services "pg" not found'),
        ("exec sleep 600", "no answer within 0.2 s"),
        ("echo something else; exec sleep 600", "something else"),
        ("", "no answer"),
    ],
)
def test_what_forwards_nothing_is_reported_and_ended(kubectl, script, says):
    """The message is kubectl's own, if it said anything in time."""
    kubectl(script)
    with pytest.raises(ForwardingFailed, match=says), forwarded(ACCESS, SERVICE, start_seconds=0.2):
        pass


def test_without_kubectl_the_way_to_do_it_elsewhere_is_named(monkeypatch, tmp_path):
    """The error says what is missing and which command and option do the same."""
    monkeypatch.setenv("PATH", str(tmp_path))
    url = "postgresql+psycopg://me:hunter2@pg.db.svc.cluster.local/db"
    with pytest.raises(StudyOutOfReach) as caught, opened_study(_Cluster(), resource(), storage=url, at=None):
        pass
    text = str(caught.value)
    assert "kubectl is not on the PATH" in text
    assert "kubectl port-forward --namespace db service/pg 15432:5432" in text
    assert "--database-at 127.0.0.1:15432" in text
    assert "hunter2" not in text


class _Cluster:
    access = ACCESS
