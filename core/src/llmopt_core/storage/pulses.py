"""Counts of many studies in one statement: which of them changed, whatever they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from llmopt_core.storage.tables import STUDIES, STUDY_ATTRIBUTES, TRIALS

UNTOUCHED = "0"


@dataclass(frozen=True)
class Pulse:
    """Counts of one study that change when a trial does: made, begun, ended; and whether it was ended.

    `table` is the identity of the table of studies, another one after a database was restored.
    """

    trials: int
    begun: int
    finished: int
    ended: bool
    table: int = 0

    @property
    def mark(self) -> str:
        """The pulse as text; all studies of which no trial has begun have the same."""
        if not self.begun and not self.ended:
            return UNTOUCHED
        return f"{self.trials}.{self.begun}.{self.finished}.{int(self.ended)}"


@cache
def _pulses(dialect: str, most: int) -> sa.Select[Any]:
    """Return the statement for the pulses of `names`; no more than `most` trials of each are counted."""
    begun, finished = TRIALS.c.datetime_start, TRIALS.c.datetime_complete
    own = TRIALS.c.study_id == STUDIES.c.study_id
    trials = sa.select(begun, finished).where(own).limit(most).correlate(STUDIES).subquery()
    parts = (
        sa.func.count(),
        sa.func.count(trials.c.datetime_start),
        sa.func.count(trials.c.datetime_complete),
    )
    made, begins, ends = (sa.cast(part, sa.String) for part in parts)
    counts = made.concat(".").concat(begins).concat(".").concat(ends)
    ended = sa.exists().where(
        STUDY_ATTRIBUTES.c.study_id == STUDIES.c.study_id, STUDY_ATTRIBUTES.c.key == sa.bindparam("end_key")
    )
    table = "0" if dialect == "sqlite" else "CAST(studies.tableoid AS bigint)"
    return (
        sa.select(
            STUDIES.c.study_name,
            sa.select(counts).select_from(trials).scalar_subquery(),
            ended,
            sa.literal_column(table, sa.BigInteger),
        )
        .where(STUDIES.c.study_name.in_(sa.bindparam("names", expanding=True)))
        .limit(sa.bindparam("most_names"))
    )


def read_pulses(connection: Connection, names: Sequence[str], end_key: str, most: int) -> dict[str, Pulse]:
    """Return the pulse of each study of `names` that is there; `end_key` is the attribute of an ended one.

    No more than `most` trials of each are counted.
    """
    asked = {"names": list(names), "end_key": end_key, "most_names": len(names)}
    rows = connection.execute(_pulses(connection.dialect.name, most), asked)
    pulses = {}
    for name, counts, ended, table in rows:
        made, begun, finished = (int(count) for count in counts.split("."))
        pulses[name] = Pulse(made, begun, finished, bool(ended), table)
    return pulses
