"""One loop for all active studies: which of them changed, and only those are looked at."""

import asyncio
import logging
import time
from collections.abc import Callable

from llmopt_operator.adapters.studies import Studies
from llmopt_operator.liveness import Pulse
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.sightings import Sightings
from llmopt_operator.specs.naming import Key

log = logging.getLogger(__name__)
PART = "roll-up"


async def roll_up(
    studies: Studies,
    sightings: Sightings,
    add: Callable[[Key], None],
    metrics: OperatorMetrics,
    pulse: Pulse,
    poll_seconds: float,
) -> None:
    """Queue the resources whose study changed, every `poll_seconds`, until cancelled."""
    while True:
        began = time.monotonic()
        for key in await studies.changed(sightings.running()):
            add(key)
        pulse.beat(PART)
        metrics.rollup_seconds.observe(time.monotonic() - began)
        metrics.active_studies.set(studies.active)
        metrics.count_resources(sightings.phases())
        await asyncio.sleep(poll_seconds)
