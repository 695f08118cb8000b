"""One engine that serves: started, really ready, and gone without a trace afterwards."""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from llmopt_core.engines.registry import patterns_for
from llmopt_core.errors.files import without_number
from llmopt_runner.engines import ports
from llmopt_runner.engines.base import Engine, LaunchSettings
from llmopt_runner.engines.failures import (
    AccessDenied,
    EndpointUnreachable,
    EngineRefused,
    EngineStartFailed,
    EngineStartTimeout,
    NoFreePort,
    PortBusy,
)
from llmopt_runner.engines.logs import bounded_text
from llmopt_runner.engines.probing import NotReady, Probe, Refused, TooLate
from llmopt_runner.engines.served_models import model_to_ask_for
from llmopt_runner.engines.supervised import SupervisedProcess
from llmopt_runner.stopping import Interrupted
from llmopt_runner.transport.messages import shown_address

__all__ = ["EngineServer", "EngineStartFailed", "EngineStartTimeout", "Remains"]

_PORT_ATTEMPTS = 3
_METRICS_TIMEOUT_SECONDS = 5.0
_SHORT_TRY_SECONDS = 5.0
_RELEASE_LIMIT_SECONDS = 2.0
_REFUSED_ACCESS = frozenset({401, 403})


@dataclass(frozen=True)
class Remains:
    """What was left after a server was stopped: nothing, when all is well."""

    processes: tuple[int, ...] = ()
    port_busy: bool = False

    def __bool__(self) -> bool:
        """Say whether anything was left."""
        return bool(self.processes) or self.port_busy


class EngineServer:
    """Runs any engine: `with EngineServer(engine, settings) as server: seconds = server.start(600)`.

    Leaving the block stops the server. An engine without a command is only checked: it runs already.
    """

    def __init__(self, engine: Engine, settings: LaunchSettings, *, grace_seconds: float = 10.0) -> None:
        """Keep what is needed; nothing is started yet. `grace_seconds` is what a graceful stop may take."""
        self.engine = engine
        self.settings = settings
        self._picks_port = settings.port == 0
        self._grace_seconds = grace_seconds
        self._process: SupervisedProcess | None = None
        self._local = True
        self._model: str | None = None
        self._ready_at_byte = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop(at_once=kind is not None)

    @property
    def base_url(self) -> str:
        """The server's address, with or without the path of its API: see `api_url`."""
        return self.engine.base_url(self.settings)

    @property
    def model(self) -> str:
        """What requests call the model: after the start, the name the server itself gave."""
        return self._model or self.engine.model_name(self.settings)

    @property
    def api_key(self) -> str | None:
        """What requests are authorised with, None where nothing is needed."""
        return self.settings.api_key

    @property
    def supervisor_pid(self) -> int | None:
        """The process between the runner and the engine, None when there is none."""
        return self._process.supervisor_pid if self._process else None

    def start(
        self,
        timeout_seconds: float,
        *,
        answer_seconds: float = 0.0,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> float:
        """Start the engine and return the seconds until a real completion had come back.

        A first completion may take `answer_seconds` where these are more than what `timeout_seconds` leaves:
        a server that runs already may load its model for it. `cancelled` is asked again and again; once it
        says so, the engine is killed.

        Raises:
            Interrupted: `cancelled` said so.
            EngineStartFailed: it ended, its port is taken, or it refuses; with exit code, signal and log.
            EngineStartTimeout: it did not answer in time; it has been killed.
            EngineNotInstalled: its program is not on this machine.
        """
        began_at = time.monotonic()
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                self._launch()
                self._wait_until_ready(began_at, timeout_seconds, answer_seconds, cancelled)
            except EngineStartFailed as failure:
                failure.patterns = patterns_for(self.engine.declaration)
                failure.draft = self.engine.declaration.logs.draft
                self.stop(at_once=True)
                if attempt == _PORT_ATTEMPTS or not self._lost_its_port():
                    raise
            else:
                break
        took = time.monotonic() - began_at
        if self._process is not None:
            self._process.note_shared_memory()
            self._ready_at_byte = self.settings.log_path.stat().st_size
        return took

    def alive(self) -> bool:
        """Say whether the engine's process lives; for a server that runs already, whether it was found."""
        if self._process is None:
            return self._model is not None
        return self._process.exit is None

    @property
    def is_local(self) -> bool:
        """Whether the engine is a process of ours, with a log and an end of its own."""
        return self._process is not None

    def wait_for_end(self, seconds: float) -> bool:
        """Wait up to `seconds` for the engine's end; return whether it came."""
        return self._process is not None and self._process.wait(seconds)

    @property
    def exit_code(self) -> int | None:
        """The engine's exit code; None while it lives and when a signal ended it."""
        ended = self._process.exit if self._process else None
        return ended.code if ended else None

    @property
    def exit_signal(self) -> int | None:
        """The signal that ended the engine, None when none did."""
        ended = self._process.exit if self._process else None
        return ended.signal if ended else None

    def pids(self) -> tuple[int, ...]:
        """Return the engine's processes; empty when it runs elsewhere."""
        return self._process.pids() if self._process else ()

    def log_text(self) -> str:
        """Return the engine's log, the middle left out where it is long."""
        return bounded_text(self.settings.log_path)

    def log_bytes(self) -> int:
        """Return how much the engine has logged; 0 where the log is gone."""
        try:
            return self.settings.log_path.stat().st_size
        except FileNotFoundError:
            return 0

    def log_since_ready(self) -> str:
        """Return what the engine logged since it was ready, the middle left out where that is long."""
        return bounded_text(self.settings.log_path, begin=self._ready_at_byte)

    def metrics_text(self) -> str:
        """Return what the server's metrics endpoint says now; "" when it has none or does not answer."""
        if self.engine.metrics_path is None:
            return ""
        try:
            return self._probe().text(self.engine.metrics_path, _METRICS_TIMEOUT_SECONDS)
        except (NotReady, Refused):
            return ""

    def facts(self) -> dict[str, Any]:
        """Return what the server reported about itself, see Engine.read_facts."""
        return self.engine.read_facts(self.log_text(), self.metrics_text())

    def doubts(self) -> tuple[str, ...]:
        """Return what makes it doubtful that the right model is served, see Engine.doubts."""
        doubts = self.engine.doubts(self.model, self.settings)
        return (*doubts, *self.engine.version_doubts()) if self.is_local else doubts

    def counters(self) -> dict[str, float]:
        """Return the counts that only grow while it lives, see Engine.read_counters."""
        return self.engine.read_counters(self.metrics_text()) if self.engine.counts else {}

    def kill(self) -> None:
        """Kill the whole process tree without waiting for it; `stop` waits, and reports what is left."""
        if self._process is not None:
            self._process.kill()

    def stop(self, *, at_once: bool = False) -> Remains:
        """End the whole process tree, with SIGKILL only when `at_once`, and return what is left of it."""
        if self._process is None:
            return Remains()
        processes = self._process.end(at_once=at_once)
        freed = ports.frees_up(self.settings.host, self.settings.port, _RELEASE_LIMIT_SECONDS)
        return Remains(processes, port_busy=not freed)

    def _launch(self) -> None:
        self._model = None
        if self._picks_port:
            self.settings = dataclasses.replace(self.settings, port=self._picked_port())
        command = self.engine.command(self.settings)
        self._local = command is not None
        if command is None:
            return
        self._require_free_port()
        try:
            self.settings.log_path.write_bytes(b"")  # one start, one log
            self._process = SupervisedProcess(
                command,
                log_path=self.settings.log_path,
                workdir=self.settings.workdir,
                grace_seconds=self._grace_seconds,
                packaging=self.engine.declaration.packaging,
            )
        except OSError as error:  # its log or its temporary files have no place
            name = self.engine.declaration.name
            raise EngineStartFailed(f"{name} cannot be started", log=without_number(error)) from error

    def _picked_port(self) -> int:
        host = self.settings.host
        try:
            return ports.free_port(host)
        except OSError as error:
            raise NoFreePort(
                f"every port of {host} {ports.given_ports()} is taken: {without_number(error)}"
            ) from error

    def _require_free_port(self) -> None:
        if not ports.is_free(self.settings.host, self.settings.port):
            raise PortBusy(f"port {self.settings.port} of {self.settings.host} is taken by another process")

    def _lost_its_port(self) -> bool:
        # Between the choice of a port and its use another process may have taken it.
        return self._picks_port and self._local and not ports.is_free(self.settings.host, self.settings.port)

    def _wait_until_ready(
        self, began_at: float, timeout_seconds: float, answer_seconds: float, cancelled: Callable[[], bool]
    ) -> None:
        reason: NotReady | None = None
        while True:
            elapsed = time.monotonic() - began_at
            try:
                self._check_once(timeout_seconds - elapsed, answer_seconds, cancelled)
            except NotReady as latest:
                self._require_alive()
                if reason is None or not _was_cut_short(latest, timeout_seconds - elapsed):
                    reason = latest
                if elapsed >= timeout_seconds:
                    waited_seconds = max(timeout_seconds, time.monotonic() - began_at)
                    raise self._gave_up(waited_seconds, reason) from latest
            except Refused as refusal:
                raise self._refused(refusal) from refusal
            else:
                self._require_hope()
                return
            if cancelled():
                self.stop(at_once=True)
                raise Interrupted("asked to stop while the engine started")
            self._pause(elapsed)

    def _check_once(
        self, remaining_seconds: float, answer_seconds: float, cancelled: Callable[[], bool]
    ) -> None:
        self._require_own_listener()
        probe = self._probe(cancelled)
        answer_seconds = max(remaining_seconds, answer_seconds)
        model = model_to_ask_for(self.engine, self.settings, probe, remaining_seconds, answer_seconds)
        probe.complete(model, self.engine.request_fields(self.settings.sampling), answer_seconds)
        self._model = model

    def _require_own_listener(self) -> None:
        # A stranger at the port, of the same model even, would be measured in the engine's place.
        if not self._local:
            return
        host, port = self.settings.host, self.settings.port
        if ports.is_free(host, port):
            raise NotReady(f"nothing listens at port {port} yet")
        if not ports.any_listens(self.pids(), port):
            raise NotReady(f"another process listens at port {port}")

    def _pause(self, elapsed_seconds: float) -> None:
        # Two percent of the start: exact where it is short, idle where it is long.
        seconds = min(max(elapsed_seconds / 50, 0.01), 0.5)
        if self._process is None:
            time.sleep(seconds)
        else:
            self._process.wait(seconds)

    def _require_alive(self) -> None:
        ended = self._process.exit if self._process else None
        if ended is None:
            self._require_hope()
            return
        how = f"exit code {ended.code}" if ended.signal is None else f"signal {ended.signal}"
        raise EngineStartFailed(
            f"{self.engine.declaration.name} ended with {how} before it answered",
            log=self.log_text(),
            exit_code=ended.code,
            signal=ended.signal,
        )

    def _require_hope(self) -> None:
        if self._process is None or self.engine.hopeless is None:
            return
        log = self.log_text()
        if found := self.engine.hopeless.search(log):
            raise EngineStartFailed(
                f"{self.engine.declaration.name} lives but will not serve: {found[0].strip()}", log=log
            )

    def _gave_up(self, seconds: float, reason: NotReady) -> EngineStartTimeout | EndpointUnreachable:
        if not self._local:
            name = self.engine.model_name(self.settings)
            return EndpointUnreachable(
                f"{shown_address(self.base_url)} did not answer as a server of"
                f" {repr(name) if name else 'a model'} within {seconds:.0f} s: {reason}"
            )
        log = self.log_text()
        self.stop(at_once=True)
        name = self.engine.declaration.name
        return EngineStartTimeout(f"{name} gave no completion within {seconds:.0f} s: {reason}", log=log)

    def _refused(self, refusal: Refused) -> EngineStartFailed:
        kind = AccessDenied if refusal.status in _REFUSED_ACCESS else EngineRefused
        return kind(f"{shown_address(self.base_url)} refuses a request: {refusal}")

    def _probe(self, cancelled: Callable[[], bool] = lambda: False) -> Probe:
        return Probe(self.base_url, self.settings.api_key, cancelled)


def _was_cut_short(reason: NotReady, seconds: float) -> bool:
    """Say whether a try that had only `seconds` ended for that: what an earlier one met says more."""
    return isinstance(reason, TooLate) and seconds < _SHORT_TRY_SECONDS
