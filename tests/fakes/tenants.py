"""An operator process and a namespace, as tests hold and look at them."""

import itertools
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from fakes.api_client import ApiClient
from fakes.kubelet import Kubelet
from fakes.looks import looked_for
from fakes.manifests import optimization

from llmopt_runner.engines.ports import free_port

T = TypeVar("T")
PATIENCE_SECONDS = 150.0
_TESTS = Path(__file__).parents[1]
NUMBERS = itertools.count()


def eventually(look: Callable[[], T], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Return the first thing `look` returns that is neither None nor false nor empty."""
    return looked_for(look, seconds, rest=0.1)


@dataclass
class OperatorProcess:
    """One operator, which `program` starts; its log is a file of one JSON document a line."""

    kubeconfig: Path
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    program: Sequence[str] = ("llmopt_operator.main",)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.health, self.metrics = free_port("127.0.0.1"), free_port("127.0.0.1")
        config = self.folder / "operator.yaml"
        ports = {"healthPort": self.health, "metricsPort": self.metrics, "pollSeconds": 1}
        config.write_text(yaml.safe_dump({**ports, **self.settings}))
        self.log = self.folder / f"log-{next(NUMBERS)}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.program, "--config", str(config)],
                stdout=log,
                stderr=log,
                env={**os.environ, "KUBECONFIG": str(self.kubeconfig), "PYTHONPATH": _import_path()},
            )

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def asked(self, port: int, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except urllib.error.URLError:
            return 0, "it does not answer"


def _import_path() -> str:
    """Return where programs of the tests are found, before what the environment names."""
    return os.pathsep.join(filter(None, (str(_TESTS), os.environ.get("PYTHONPATH"))))


@dataclass
class Tenant:
    """One namespace with its own database; what tests apply and look at."""

    api: ApiClient
    namespace: str
    url: str
    folder: Path

    def path(self, group: str, plural: str, name: str = "") -> str:
        root = "/api/v1" if not group else f"/apis/{group}"
        return f"{root}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    def apply(
        self, name: str, *, plural: str = "llmoptimizations", document: Any = None, **spec: Any
    ) -> None:
        body = document or optimization()
        body["metadata"] = {"name": name, "namespace": self.namespace}
        body["spec"] |= {"budget": {"trials": 4}, "confirm": {"top": 1, "repeats": 2}, **spec}
        body["spec"] = {field: value for field, value in body["spec"].items() if value is not None}
        if search := body["spec"].get("search"):
            search.setdefault("sampler", {"name": "random"})  # `auto` may end before the budget
            if any(each["name"] == "temperature" for each in search["space"].get("sampling", ())):
                search.setdefault("enqueue", [{"sampling.temperature": "0"}])  # wins, without chance
        self.api.create(self.path("llmopt.dev/v1alpha1", plural), body)

    def edit(self, name: str, patch: Any, *, plural: str = "llmoptimizations") -> None:
        assert self.api.patch(self.path("llmopt.dev/v1alpha1", plural, name), patch)

    def resource(self, name: str, *, plural: str = "llmoptimizations") -> Any:
        return self.api.get(self.path("llmopt.dev/v1alpha1", plural, name))

    def status(self, name: str, *, plural: str = "llmoptimizations") -> Any:
        return (self.resource(name, plural=plural) or {}).get("status", {})

    def condition(self, name: str, type_: str, *, plural: str = "llmoptimizations") -> Any:
        found = self.status(name, plural=plural).get("conditions", ())
        return next((each for each in found if each["type"] == type_), None)

    def until(self, name: str, type_: str, status: str, reason: str | None = None, **where: Any) -> Any:
        """Return the condition once it is so."""

        def look() -> Any:
            condition = self.condition(name, type_, **where)
            fits = condition and condition["status"] == status and reason in {None, condition["reason"]}
            return condition if fits else None

        return eventually(look)

    def jobs(self) -> list[Any]:
        return self.api.list(self.path("batch/v1", "jobs"))

    def pods(self) -> list[Any]:
        return self.api.list(self.path("", "pods"))

    def events(self, name: str) -> list[str]:
        found = self.api.list(self.path("", "events"))
        return [event["reason"] for event in found if event["involvedObject"]["name"] == name]

    def kubelet(self, *arguments: str, **fields: Any) -> Kubelet:
        folder = self.folder / f"node-{next(NUMBERS)}"
        return Kubelet(self.api, self.namespace, folder, self.url, arguments, **fields)


def give_secret(tenant: Tenant, url: str | None = None) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "llmopt-storage"},
        "stringData": {"url": url or tenant.url},
    }
    tenant.api.create(tenant.path("", "secrets"), body)
