"""Which containers start a script instead of a server."""

import pytest

from llmopt_operator.domain.shells import starts_script


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("sh -c", ["vllm serve x"]),
        ("", ["bash", "-c", "vllm serve x"]),
        ("", ["-c", "exec vllm serve x"]),
        ("", ["-lc", "vllm serve x"]),
        ("/bin/bash /start.sh", []),
        ("/usr/bin/env bash -c", ["x"]),
        ("env A=1 -u B sh -c", ["x"]),
        ("env -S", ["bash -c 'vllm serve'"]),
        ("tini --", ["sh", "-c", "x"]),
        ("/usr/bin/tini -s -g -- /bin/sh", ["run"]),
        ("dumb-init bash", []),
        ("busybox sh", ["-c", "x"]),
        ("/bin/busybox ash", []),
        ("nice -n 10 sh -c", ["x"]),
        ("ionice -c 2 -n 7 bash", []),
        ("exec bash", []),
        ("timeout --signal KILL 10 bash -c", ["x"]),
        ("timeout 10 sh", ["-c", "x"]),
        ("sudo -u user bash", []),
        ("sudo -s", ["vllm serve"]),
        ("sudo", ["-Eu", "user", "-i", "vllm"]),
        ("su user -c", ["vllm serve x"]),
        ("gosu user:group sh -c", ["x"]),
        ("chroot /root bash", []),
        ("runuser user -c", ["vllm serve x"]),
        ("flock /tmp/lock -c", ["vllm serve x"]),
        ("/entrypoint.sh", ["bash", "-c", "x"]),
        ("python -c", ["import os"]),
        ("/usr/bin/python3.12 -Ic", ["import os"]),
        ("python3 -X dev -c", ["x"]),
        ("env python -u -c", ["x"]),
        ("python -", []),
        ("perl -we", ["x"]),
        ("ruby -e", ["x"]),
        ("node --eval", ["x"]),
        ("node -e", ["x"]),
        ("deno eval", ["x"]),
        ("awk", ["BEGIN{}"]),
        ("uv run bash -c", ["x"]),
        ("conda run -n x bash", []),
        ("env", ["-Sbash -c 'vllm serve x'"]),
        ("env", ["--split-string=sh -c 'vllm serve x'"]),
        ("/opt/bash-5.2 -c", ["x"]),
        ("posh -c", ["x"]),
        ("ipython3 -c", ["x"]),
        ("python3.13t -c", ["x"]),
        ("julia -e", ["x"]),
        ("R -e", ["x"]),
        ("tsx -e", ["x"]),
        ("tmux new -d", ["vllm serve x"]),
        ("/usr/bin/supervisord", ["-n"]),
        ("make serve", []),
        ("tini -- supervisord", ["-n"]),
        ("npm run serve", []),
    ],
)
def test_a_script_is_found_behind_whatever_runs_it(command: str, arguments: list[str]) -> None:
    """Arguments added to a script would not reach the server: it is found behind any wrapper."""
    assert starts_script(command.split(), arguments)


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("", []),
        ("", ["-c", "4096", "--port", "80"]),
        ("", ["-c", "-1"]),
        ("vllm serve", ["org/model", "--chat-template", "bash"]),
        ("llama-server", ["-m", "/models/sh", "-c", "4096"]),
        ("python3 -m vllm.entrypoints.openai.api_server", ["--model", "x", "-c", "1"]),
        ("python -u -m vllm.entrypoints.openai.api_server", ["--model", "x"]),
        ("python /app/server.py", ["-c", "config"]),
        ("/usr/bin/env A=1 vllm serve", ["x"]),
        ("tini -- vllm serve", ["x"]),
        ("tini -g -- llama-server", ["-c", "4096"]),
        ("nice -n 10 vllm serve", ["x", "--override-generation-config", '{"top_p": 0.5}']),
        ("timeout 10 vllm", ["serve"]),
        ("sudo -u user vllm", ["serve"]),
        ("/entrypoint.sh", ["--model", "x"]),
        ("", ["serve", "make"]),
        ("vllm serve npm", ["--served-model-name", "R"]),
    ],
)
def test_a_server_that_is_started_itself_is_none(command: str, arguments: list[str]) -> None:
    """Servers behind wrappers, modules and script files get what is added to their arguments."""
    assert not starts_script(command.split(), arguments)
