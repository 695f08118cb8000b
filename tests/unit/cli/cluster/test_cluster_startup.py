import json
import os
import subprocess
import sys

import pytest

from llmopt_core.installation import install_command

CLIENT = {"lightkube", "httpx2", "msgspec"}
STUDY = {"optuna", "sqlalchemy", "numpy"}


def python(program, **environment):
    """Run `program` in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("imported", "never"),
    [
        ("llmopt, llmopt.main", CLIENT | {"yaml", "pydantic"}),
        ("llmopt.commands.run, llmopt.commands.validate, llmopt.commands.list", CLIENT),
        ("llmopt.cluster.commands.report, llmopt.cluster.handles", CLIENT),
        ("llmopt.cluster.commands.get, llmopt.cluster.clients", STUDY),
    ],
)
def test_what_is_not_needed_is_not_loaded(imported, never):
    """Local commands load no Kubernetes client, and a look at the cluster loads no optimiser."""
    done = python(f"import json, sys, {imported}; print(json.dumps(sorted(sys.modules)))")
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded & never == set()


def test_a_missing_client_says_what_to_install(tmp_path):
    """Without the extra every command of the cluster is one sentence and ends with 2."""
    program = (
        "import sys; sys.modules['lightkube'] = None;"
        "from llmopt.main import app; app(['get'], prog_name='llmopt')"
    )
    done = python(program, KUBECONFIG=str(tmp_path / "none"))
    assert done.returncode == 2
    assert install_command("cluster") in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["get", "report x -n y"])
def test_no_cluster_is_one_sentence(tmp_path, command):
    """It says where a kubeconfig was looked for, and ends with 2."""
    program = f"from llmopt.main import app; app({command.split()!r}, prog_name='llmopt')"
    done = python(program, KUBECONFIG=str(tmp_path / "none"), HOME=str(tmp_path))
    assert done.returncode == 2
    assert f"error: no cluster is configured (there is no {tmp_path / 'none'}" in done.stderr


def test_the_package_offers_the_cluster():
    """`import llmopt` is enough, and a wrong name is an AttributeError."""
    done = python(
        "import llmopt; print(llmopt.cluster.submit.__module__, hasattr(llmopt.cluster, 'nothing'))"
    )
    assert done.stdout.split() == ["llmopt.cluster.handles", "False"]
