"""The plug-in for the misbehaving engine: what another package would register."""

import sys
from pathlib import Path

import psutil

from llmopt_core.engines.declarations import EngineDeclaration, ParameterDeclaration, When, by_full_name
from llmopt_runner.engines.base import Engine, ServerCommand

_PROGRAM = Path(__file__).with_name("misbehaving_engine.py")


class FakeEngine(Engine):
    """Starts `misbehaving_engine.py`; the parameter `orders` is its command line."""

    declaration = EngineDeclaration(
        name="fake",
        summary="misbehaves on order",
        needs_model_file=False,
        parameters=by_full_name(
            (
                ParameterDeclaration("orders", "engine", "text", When.LOAD, "", "what it does wrong"),
                ParameterDeclaration("temperature", "sampling", "float", When.REQUEST, 0.0, "none", low=0),
            )
        ),
        canonical=lambda configuration: configuration,
        conflicts=lambda _: (),
    )

    program = sys.executable

    def installed(self):
        return "1"

    def command(self, settings):
        orders = str(settings.parameters.get("orders", "")).split()
        address = ("--port", str(settings.port), "--model", settings.model_id)
        return ServerCommand((self.program, "-I", "-S", str(_PROGRAM), *address, *orders))

    def serve_arguments(self, configuration, settings):
        return f"fake {settings.model_id} {dict(configuration.engine)}"

    def make_fresh(self, server, configuration):
        return bool(server.base_url and configuration)

    def read_facts(self, log_text, metrics_text):
        return {"log_length": len(log_text), "metrics_length": len(metrics_text)}


def fake_processes(workdir):
    """Return the fake's processes that were started in `workdir`, whatever their environment says.

    Other tests may run the same fake at the same time, elsewhere.
    """
    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if "misbehaving_engine" in line or "signal.signal(signal.SIGTERM, signal.SIG_IGN)" in line:
            found.append(process)
    return [process.pid for process in found if _lives_in(process, workdir)]


def _lives_in(process, workdir):
    try:
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == Path(workdir).resolve()
    except psutil.NoSuchProcess:
        return False
