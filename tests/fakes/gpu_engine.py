"""An engine that holds memory of a real GPU as its parameter `orders` says; see `gpu_server`."""

from pathlib import Path

from fakes.fake_engine import FakeEngine

from llmopt_runner.engines.base import ServerCommand
from llmopt_runner.guard.levels import NOTHING_RESERVED

_PROGRAM = Path(__file__).with_name("gpu_server.py")


class GpuEngine(FakeEngine):
    """Starts `gpu_server.py` by a Python that has torch; `reserve`: what it says that it takes on purpose."""

    def __init__(self, python, reserve=NOTHING_RESERVED, *, on_gpus=True, threads=0):
        self._python, self._reserve, self._on_gpus, self._threads = python, reserve, on_gpus, threads

    def command(self, settings):
        hold = str(settings.parameters["orders"])
        address = ("--port", str(settings.port), "--model", settings.model_id)
        return ServerCommand((str(self._python), str(_PROGRAM), hold, str(self._threads), *address))

    def gpu_reserve(self, _configuration):
        return self._reserve

    def uses_gpus(self, _configuration):
        return self._on_gpus
