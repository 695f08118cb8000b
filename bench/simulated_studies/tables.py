"""A row of the table: what studies of one kind came to by one rule."""

import math
from collections.abc import Sequence

import numpy as np

from simulated_studies.worlds import Measured


def share(values: Sequence[bool]) -> str:
    """Return a share in percent with the standard error of the simulation."""
    rate = float(np.mean(values)) if len(values) else math.nan
    return f"{100 * rate:.1f} ± {100 * math.sqrt(rate * (1 - rate) / max(1, len(values))):.1f}"


def row(name: str, rule: str, studies: Sequence[Measured]) -> str:
    judged = [each for each in studies if each.intervals]
    single = sum(each.covered for each in judged) / max(1, sum(each.intervals for each in judged))
    seconds = np.array([each.seconds for each in studies])
    verified = np.mean([each.verified for each in studies])
    cells = (
        name,
        rule,
        share([each.false_claim for each in studies]),
        share([each.covered == each.intervals for each in judged]),
        share([each.held for each in judged]),
        f"{100 * single:.1f}",
        share([each.verified for each in studies]),
        f"{np.mean([each.finalists for each in studies]):.1f}",
        f"{np.mean([each.rounds for each in studies]):.1f}",
        f"{np.mean([each.starts for each in studies]):.1f}",
        f"{seconds.mean():.0f} ± {seconds.std() / math.sqrt(len(seconds)):.0f}",
        f"{seconds.mean() / verified:.0f}" if verified else "",
    )
    return "| " + " | ".join(cells) + " |"


COLUMNS = (
    "study",
    "rule",
    "false claims, %",
    "coverage of a study, %",
    "at all looks, %",
    "of one interval, %",
    "verified, %",
    "finalists",
    "rounds",
    "starts",
    "seconds",
    "seconds per verified gain",
)
