"""One loop for all active studies: which of them changed, and only those are looked at.

Each namespace is asked by a task of its own: one whose database is slow is asked less often, and the others
as often as before.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from llmopt_operator.adapters.studies import Studies
from llmopt_operator.liveness import Pulse
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.specs.names import Key
from llmopt_operator.tasks import TaskPerName

log = logging.getLogger(__name__)
PART = "roll-up"


async def roll_up(
    studies: Studies,
    observations: Observations,
    add: Callable[[Key], None],
    metrics: OperatorMetrics,
    pulse: Pulse,
    poll_seconds: float,
) -> None:
    """Queue the resources whose study changed, every `poll_seconds`, until cancelled."""

    async def look(namespace: str, keys: Mapping[str, Key]) -> None:
        began = time.monotonic()
        for key in await studies.changed(namespace, keys):
            add(key)
        metrics.rollup_seconds.observe(time.monotonic() - began)

    async with TaskPerName() as looks:
        while True:
            studies.close_unused()
            for namespace, keys in observations.running().items():
                looks.start(namespace, look, namespace, keys)
            pulse.done(PART)
            metrics.active_studies.set(studies.active)
            metrics.count_resources(observations.phases())
            await asyncio.sleep(poll_seconds)
