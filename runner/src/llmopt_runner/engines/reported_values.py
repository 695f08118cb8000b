"""Values that servers report in logs and metrics: text of others, in which a number may be anything."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

_LONGEST_VALUE = 40  # characters


def read_value(read: Callable[[str], Any], text: str) -> Any:
    """Return what `read` makes of `text`; None where it holds nothing, or no number that can be kept."""
    if text == "None" or len(text) > _LONGEST_VALUE:
        return None
    try:
        value = read(text)
    except (ValueError, OverflowError):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value


def summed_counters(metrics_text: str, metrics: Mapping[str, str]) -> dict[str, float]:
    """Return the counters in a page of Prometheus' metrics, each summed over its labels.

    `metrics` are their names there. One without a finite value is left out, and so is a sum that is none.
    """
    return {
        name: total
        for name, metric in metrics.items()
        if (counts := _counts(metrics_text, metric)) and math.isfinite(total := sum(counts))
    }


def _counts(metrics_text: str, metric: str) -> list[float]:
    found = re.findall(rf"^{metric}(?:\{{.*\}})? (\S+)$", metrics_text, re.MULTILINE)
    return [count for text in found if (count := read_value(float, text)) is not None]
