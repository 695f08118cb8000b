"""Which of a study's warnings say that others disturbed a measurement."""

from collections.abc import Sequence

from llmopt_core.resources.status import WarningSummary

# How the runner's warnings of others on processors and GPUs begin.
_BEGINNINGS = ("other programs took", "other programs used", "the hypervisor took")


def disturbed(warnings: Sequence[WarningSummary]) -> int:
    """Return how many measurements others disturbed, at most: one with two causes counts twice."""
    return sum(each.count for each in warnings if each.last_message.startswith(_BEGINNINGS))
