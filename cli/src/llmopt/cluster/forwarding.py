"""A port of this machine that leads to a Service of the cluster, for as long as it is read from there.

kubectl forwards it: the protocol (WebSockets or SPDY to the API server) is one that no client here has.
"""

import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llmopt.cluster.kubeconfigs import Access
from llmopt_core.errors.classes import LlmoptError

KUBECTL = "kubectl"
START_SECONDS = 20.0
# It ends with its standard input, so that it does not outlive a process that is killed.
_UNTIL_CLOSED = 'kubectl "$@" </dev/null & exec >&- 2>&-; cat >/dev/null; kill -9 $!; wait $!'
_ANNOUNCED = re.compile(r"Forwarding from (127\.0\.0\.1:\d+) ")


class ForwardingFailed(LlmoptError):
    """kubectl is not there or forwards nothing; the message is what it said."""

    retryable = True


@dataclass(frozen=True)
class Service:
    """A port of a Service in the cluster."""

    name: str
    namespace: str
    port: int

    def command(self, near: str) -> tuple[str, ...]:
        """Return kubectl's arguments that forward port `near` of this machine; empty: one that is free."""
        named = ("port-forward", "--namespace", self.namespace, f"service/{self.name}")
        return (*named, f"{near}:{self.port}")


@contextmanager
def forwarded(access: Access, service: Service, *, start_seconds: float = START_SECONDS) -> Iterator[str]:
    """Yield the HOST:PORT of this machine that leads to `service`; raises ForwardingFailed."""
    if shutil.which(KUBECTL) is None:
        raise ForwardingFailed(f"{KUBECTL} is not on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        # It can hold a token: the folder is the user's alone.
        kubeconfig = Path(folder) / "kubeconfig"
        kubeconfig.write_text(json.dumps(access.kubeconfig))
        process = subprocess.Popen(
            ("sh", "-c", _UNTIL_CLOSED, "sh", f"--kubeconfig={kubeconfig}", *service.command("")),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with process:
            assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - all are pipes
            with process.stdin:
                yield _announced(process.stdin, process.stdout, process.stderr, start_seconds)


def _announced(end: IO[str], output: IO[str], errors: IO[str], seconds: float) -> str:
    """Return the address that kubectl says it listens at, which is the first thing it says.

    It is ended by closing `end`, also where it says nothing for that many seconds.
    """
    limit = threading.Timer(seconds, end.close)
    limit.start()
    try:
        line = output.readline()
    finally:
        limit.cancel()
    if found := _ANNOUNCED.match(line):
        return found[1]
    end.close()
    said = (line + errors.read()).strip()
    raise ForwardingFailed(f"{KUBECTL} port-forward: {said or f'no answer within {seconds:g} s'}")
