"""The operator program: leads, watches, reconciles, rolls up; ends gracefully."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvloop

from llmopt_core.api.exit_codes import OperatorExit
from llmopt_core.api.objects import OPERATOR
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_operator.adapters.connections import Connection
from llmopt_operator.adapters.kubernetes import Cluster
from llmopt_operator.adapters.leases import Lease
from llmopt_operator.adapters.owners import Owners
from llmopt_operator.adapters.secrets import StorageSecrets
from llmopt_operator.adapters.storages import Storages
from llmopt_operator.adapters.studies import Studies
from llmopt_operator.handlers.health import health_app, metrics_app, serving
from llmopt_operator.handlers.watches import watch
from llmopt_operator.liveness import Pulse
from llmopt_operator.logs import set_up_logging
from llmopt_operator.loops.study_changes import roll_up
from llmopt_operator.loops.study_removal import Sweep
from llmopt_operator.loops.watch_audit import Audit
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.reconciling.reconciler import Reconciler
from llmopt_operator.reconciling.work_queue import KeyedQueue
from llmopt_operator.settings import OperatorSettings, load_settings
from llmopt_operator.specs.names import Key

log = logging.getLogger(__name__)
# Between two searches for garbage. With 1,000 resources Python's own 700 costs 0.4 CPU s more than 20,000,
# which keep 4 MiB more of it (bench/results/2026-11-27-operator.md).
_ALLOCATIONS = 2_000
# What others free is gathered for so long before what waits for it is tried again.
_FREED_SECONDS = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until asked to stop (0), or until the lead or the connection is lost (1)."""
    options = _options(arguments)
    set_up_logging(debug=options.debug, json=options.log_format == "json")
    try:
        settings = load_settings(options.config)
    except (LlmoptError, OSError) as error:
        log.error("%s", words_of(error))  # noqa: TRY400 - the message says it all
        return OperatorExit.INVALID
    _spare_the_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.get_loop().set_exception_handler(_report)
        return runner.run(_run(settings))


def _spare_the_collector() -> None:
    """Leave out of every search for garbage what was loaded for good, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 10, 20)


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what no task was there to take.

    kopf leaves watches half read when it is stopped. That one cannot be closed gracefully then is no error.
    """
    if "asyncgen" in context:
        log.debug("%s", context["message"], exc_info=context.get("exception"))
    else:
        loop.default_exception_handler(context)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=OPERATOR, description=__doc__)
    parser.add_argument("--config", type=Path, help="settings as YAML; the defaults without it")
    parser.add_argument("--log-format", choices=("json", "text"), default="json")
    parser.add_argument("--debug", action="store_true")
    return parser.parse_args(arguments)


async def _run(settings: OperatorSettings) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    operator = Operator(settings)
    try:
        return await operator.run(stop)
    except LlmoptError as error:
        log.error("%s", words_of(error))  # noqa: TRY400 - the message says it all
        return OperatorExit.LOST


class Operator:
    """All parts, put together."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings
        self.metrics = OperatorMetrics()
        self.observations = Observations()
        self.pulse = Pulse()
        self.metrics.watch_health(self.pulse.health)
        self._watching = asyncio.Event()
        self._leading = False
        self._lease: Lease | None = None

    async def run(self, stop: asyncio.Event) -> int:
        """Serve health and metrics, wait for the lead, act until `stop`; return the exit code."""
        connection = Connection.open()
        try:
            async with (
                serving(health_app(self.pulse, self._is_ready), self._settings.health_port) as health,
                serving(metrics_app(self.metrics.registry), self._settings.metrics_port) as metrics,
            ):
                log.info("health on port %d, metrics on port %d", health, metrics)
                return await self._lead(connection, stop)
        finally:
            await connection.close()

    def _is_ready(self) -> bool:
        """Whether it acts, or waits for a lease that it may ask for."""
        if self._leading:
            return self._watching.is_set()
        return self._lease is None or not self._lease.problem

    async def _lead(self, connection: Connection, stop: asyncio.Event) -> int:
        election = self._settings.leader_election
        if not election.enabled:
            cluster = Cluster(connection, self.metrics)
            ended = await side_by_side(stop, {"acting": self._act(cluster, stop)})
            return OperatorExit.LOST if ended else OperatorExit.STOPPED
        namespace = election.namespace or os.environ.get("POD_NAMESPACE", "default")
        identity = f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid.uuid4().hex[:8]}"
        # On a connection of its own: requests that hang must not keep it from being renewed.
        own = Connection.open()
        try:
            lease = self._lease = Lease(Cluster(own, self.metrics), namespace, election.name, identity)
            return await self._act_while_held(lease, connection, stop)
        finally:
            await own.close()

    async def _act_while_held(self, lease: Lease, connection: Connection, stop: asyncio.Event) -> int:
        if await side_by_side(stop, {"lead": lease.acquire()}) is None:
            return OperatorExit.STOPPED
        cluster = Cluster(connection, self.metrics, lambda: lease.may_act)
        ended = await side_by_side(stop, {"acting": self._act(cluster, stop), "lead": _held(lease)})
        if ended:
            return OperatorExit.LOST
        await lease.release()
        return OperatorExit.STOPPED

    async def _act(self, cluster: Cluster, stop: asyncio.Event) -> None:
        """Watch, reconcile and roll up; return where a part ended by itself."""
        storages = Storages(StorageSecrets(cluster, self._settings.storage), self.metrics)
        studies = Studies(storages, Owners(cluster))
        reconciler = Reconciler(cluster, studies, self.observations, self._settings, self.metrics)
        queue: KeyedQueue[Key] = KeyedQueue(
            reconciler.reconcile, lane=lambda key: key.namespace, waited=self.metrics.queue_seconds.observe
        )
        poll = float(self._settings.poll_seconds)
        self._leading = True
        self.metrics.leading.set(1)
        self.metrics.queue_length.set_function(lambda: len(queue))

        def freed(namespace: str) -> None:
            for key in reconciler.blocked(namespace):
                queue.add_later(key, _FREED_SECONDS)

        namespaces = self._settings.namespaces
        audit = Audit(cluster, self.observations, namespaces, self.pulse, queue.add, freed)
        parts = {
            "watch": watch(cluster, self.observations, queue.add, freed, namespaces, self._watching, stop),
            "queue": queue.run(),
            "roll-up": roll_up(studies, self.observations, queue.add, self.metrics, self.pulse, poll),
            "audit": audit.run(),
            "sweep": Sweep(cluster, studies, self.observations, namespaces).run(),
        }
        try:
            await side_by_side(stop, parts)
        finally:
            self.metrics.leading.set(0)
            storages.close()


async def _held(lease: Lease) -> None:
    """Hold the lease; once it is lost, see to it that this process ends before another one may act.

    Threads that wait for a database cannot be cancelled, and the process ends only after them.
    """
    await lease.hold()
    watchdog = threading.Timer(max(lease.seconds_left, 0.0), os._exit, (OperatorExit.LOST,))
    watchdog.daemon = True
    watchdog.start()


async def side_by_side(stop: asyncio.Event, parts: Mapping[str, Coroutine[Any, Any, None]]) -> str | None:
    """Run all `parts` until `stop` is set or one of them ends, which is named; none is left running.

    What made a part end is logged: the part is started again with the pod.
    """
    tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        ended = next((task for task in tasks if task.done()), None)
    finally:
        for task in (stopped, *tasks):
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
    if ended is None or stop.is_set():
        return None
    if error := ended.exception():
        log.error("%s failed", ended.get_name(), exc_info=error)
    return ended.get_name()


if __name__ == "__main__":
    sys.exit(main())
