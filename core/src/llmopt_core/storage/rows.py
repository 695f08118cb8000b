"""The statements that write a study: few of them, each naming all the columns it needs.

Those that make a study and its trials are built once: building them each time took a fifth of the whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.documents import Assignment, Ending, dump
from llmopt_core.storage.errors import StudyDropped, StudyUnreadable
from llmopt_core.storage.keys import ANSWERS_KEY, ASSIGNMENT_KEY, ENDING_KEY
from llmopt_core.storage.points import contains, dimensions
from llmopt_core.storage.records import Answer
from llmopt_core.storage.tables import (
    CONSTRAINT_PREFIX,
    DIRECTIONS,
    METRIC_NAMES_KEY,
    OF_STUDIES,
    OF_TRIALS,
    PARAMETERS,
    STUDIES,
    STUDY_ATTRIBUTES,
    STUDY_SYSTEM_ATTRIBUTES,
    TRIAL_ATTRIBUTES,
    TRIAL_SYSTEM_ATTRIBUTES,
    TRIALS,
    VALUES,
    StudyDirection,
    TrialState,
    limited,
    octets,
    stored_parameter,
    stored_value,
)

# A definition holds a whole manifest, which the API server limits to half of this.
MOST_ATTRIBUTE_BYTES = 4 * 2**20
# What a runner says of itself has a few hundred bytes.
_MOST_SMALL, _MOST_SMALL_BYTES = 1_000, 8 * 1024
_MOST_NAMES = 20_000
# Names and keys have 512 characters, unless a column was altered.
_MOST_NAME_BYTES = 4 * 512
# As a number, whatever became of the column.
_STUDY_ID = sa.cast(STUDIES.c.study_id, sa.Integer)
_INSERT_TRIAL = sa.insert(TRIALS).returning(TRIALS.c.trial_id)
_INSERT_TRIAL_ATTRIBUTE = sa.insert(TRIAL_ATTRIBUTES)


@cache
def _insert_of_study(dialect: str) -> Any:
    return _upsert(dialect, STUDIES).on_conflict_do_nothing().returning(STUDIES.c.study_id)


@cache
def _insert_of_attributes(count: int) -> sa.Insert:
    """One statement for `count` rows, of a form that SQLAlchemy compiles once."""
    rows = (
        sa.select(
            sa.bindparam("study_id", type_=sa.Integer),
            sa.bindparam(f"key_{place}", type_=sa.String),
            sa.bindparam(f"value_{place}", type_=sa.Text),
        )
        for place in range(count)
    )
    return sa.insert(STUDY_ATTRIBUTES).from_select(["study_id", "key", "value_json"], sa.union_all(*rows))


@cache
def _put_attribute(dialect: str) -> Any:
    insert = _upsert(dialect, STUDY_ATTRIBUTES)
    keys = [STUDY_ATTRIBUTES.c.study_id, STUDY_ATTRIBUTES.c.key]
    return insert.on_conflict_do_update(index_elements=keys, set_={"value_json": insert.excluded.value_json})


@cache
def _put_first_attribute(dialect: str) -> Any:
    return _upsert(dialect, STUDY_ATTRIBUTES).on_conflict_do_nothing().returning(sa.literal_column("1"))


def _upsert(dialect: str, table: sa.Table) -> Any:
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table)


def insert_study(connection: Connection, name: str, directions: Mapping[str, str]) -> int | None:
    """Create study `name` with the direction of each objective by metric; None where another created it."""
    study_id = connection.execute(_insert_of_study(connection.dialect.name), {"study_name": name}).scalar()
    if study_id is None:
        return None
    rows = [
        {"study_id": study_id, "objective": place, "direction": StudyDirection[direction.upper()]}
        for place, direction in enumerate(directions.values())
    ]
    connection.execute(sa.insert(DIRECTIONS), rows)
    names = {"study_id": study_id, "key": METRIC_NAMES_KEY, "value_json": dump(list(directions))}
    connection.execute(sa.insert(STUDY_SYSTEM_ATTRIBUTES), names)
    return int(study_id)


def find_study(connection: Connection, name: str) -> int | None:
    """Return the identifier of study `name`, or None."""
    here = STUDIES.c.study_name == name
    return connection.execute(sa.select(_STUDY_ID).where(here).limit(1)).scalar()


@cache
def _study_with() -> sa.Select[Any]:
    attributes = STUDY_ATTRIBUTES.c
    own = (attributes.study_id == STUDIES.c.study_id) & (attributes.key == sa.bindparam("key"))
    return (
        sa.select(_STUDY_ID, attributes.key, limited(attributes.value_json, MOST_ATTRIBUTE_BYTES))
        .outerjoin(STUDY_ATTRIBUTES, own)
        .where(STUDIES.c.study_name == sa.bindparam("name"))
        .limit(1)
    )


def find_study_with(connection: Connection, name: str, key: str) -> tuple[int, str] | None:
    """Return the identifier of study `name` and its attribute `key`, None where there is no such study.

    Raises StudyUnreadable where the attribute is missing, or longer than any that llmopt writes.
    """
    found = connection.execute(_study_with(), {"name": name, "key": key}).one_or_none()
    if found is None:
        return None
    study_id, there, text = found
    if there is None:
        raise StudyUnreadable(f"study {name!r} has no {key}: its row is missing, or it is not llmopt's")
    return int(study_id), _whole(text, key)


def find_newest_study(connection: Connection, key: str, document: str) -> str | None:
    """Return the name of the study made last whose attribute `key` is `document`, or None."""
    attributes = STUDY_ATTRIBUTES.c
    query = (
        sa.select(STUDIES.c.study_name)
        .join(STUDY_ATTRIBUTES, attributes.study_id == STUDIES.c.study_id)
        .where(attributes.key == key, attributes.value_json == document, _short(STUDIES.c.study_name))
        .order_by(STUDIES.c.study_id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar()


def find_studies(connection: Connection, key: str, document: str, other: str) -> dict[str, str | None]:
    """Return the studies whose attribute `key` is `document`: their attribute `other` (or None) by name.

    Left out are studies whose name or attribute is longer than any that llmopt writes.
    """
    first, second = STUDY_ATTRIBUTES.alias(), STUDY_ATTRIBUTES.alias()
    query = (
        sa.select(STUDIES.c.study_name, second.c.value_json)
        .join(first, first.c.study_id == STUDIES.c.study_id)
        .outerjoin(second, (second.c.study_id == STUDIES.c.study_id) & (second.c.key == other))
        .where(first.c.key == key, first.c.value_json == document, _short(STUDIES.c.study_name))
        .where(second.c.value_json.is_(None) | _short(second.c.value_json))
        .order_by(STUDIES.c.study_name)
        .limit(_MOST_NAMES)
    )
    return {name: found for name, found in connection.execute(query)}  # noqa: C416 - rows are no pairs to mypy


def find_ended_studies(
    connection: Connection, key: str, prefix: str, end_key: str, most: int
) -> tuple[str, ...]:
    """Return the names of the `most` studies made last that have an attribute `end_key`.

    Their attribute `key` begins with `prefix`.
    """
    first, end = STUDY_ATTRIBUTES.alias(), STUDY_ATTRIBUTES.alias()
    query = (
        sa.select(STUDIES.c.study_name)
        .join(first, first.c.study_id == STUDIES.c.study_id)
        .join(end, end.c.study_id == STUDIES.c.study_id)
        .where(first.c.key == key, first.c.value_json.startswith(prefix, autoescape=True))
        .where(end.c.key == end_key, _short(STUDIES.c.study_name))
        .order_by(STUDIES.c.study_id.desc())
        .limit(most)
    )
    return tuple(connection.execute(query).scalars())


def list_studies(connection: Connection) -> tuple[str, ...]:
    """Return the names of all studies, sorted."""
    name = STUDIES.c.study_name
    return tuple(connection.execute(sa.select(name).where(_short(name)).order_by(name)).scalars())


def _short(text: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return the condition that `text` is no longer than a name: what is longer is not sent."""
    return octets(text) <= _MOST_NAME_BYTES


def _whole(text: str | None, key: str) -> str:
    if text is None:
        raise StudyUnreadable(f"the study's {key} is empty or has more than {MOST_ATTRIBUTE_BYTES} bytes")
    return text


def delete_study(connection: Connection, study_id: int) -> None:
    """Remove the study with all its trials; the caller holds its lock.

    Its rows are locked at first, the trials before the study as runners do: who still writes is waited for.
    """
    trials = sa.select(TRIALS.c.trial_id).where(TRIALS.c.study_id == study_id)
    study = sa.select(STUDIES.c.study_id).where(STUDIES.c.study_id == study_id)
    for rows in (trials, study):  # counted, so that millions of them are not sent
        connection.execute(sa.select(sa.func.count()).select_from(rows.with_for_update().subquery()))
    for table in OF_TRIALS:
        connection.execute(sa.delete(table).where(table.c.trial_id.in_(trials)))
    for table in (TRIALS, *OF_STUDIES, STUDIES):
        connection.execute(sa.delete(table).where(table.c.study_id == study_id))


def insert_attributes(connection: Connection, study_id: int, documents: Mapping[str, str]) -> None:
    """Set the first attributes of a study that was just created."""
    keys = {f"key_{place}": key for place, key in enumerate(documents)}
    values = {f"value_{place}": text for place, text in enumerate(documents.values())}
    connection.execute(_insert_of_attributes(len(documents)), {"study_id": study_id, **keys, **values})


def put_attribute(connection: Connection, study_id: int, key: str, document: str) -> None:
    """Set study attribute `key`."""
    row = {"study_id": study_id, "key": key, "value_json": document}
    connection.execute(_put_attribute(connection.dialect.name), row)


def put_first_attribute(connection: Connection, study_id: int, key: str, document: str) -> bool:
    """Set study attribute `key` unless it is set; say whether it was set now."""
    row = {"study_id": study_id, "key": key, "value_json": document}
    return connection.execute(_put_first_attribute(connection.dialect.name), row).scalar() is not None


def delete_attribute(connection: Connection, study_id: int, key: str) -> bool:
    """Remove study attribute `key`, and say whether it was there."""
    here = (STUDY_ATTRIBUTES.c.study_id == study_id) & (STUDY_ATTRIBUTES.c.key == key)
    return connection.execute(sa.delete(STUDY_ATTRIBUTES).where(here)).rowcount > 0


def get_attribute(connection: Connection, study_id: int, key: str) -> str | None:
    """Return study attribute `key`, or None; raises StudyUnreadable where it is too long."""
    return get_attributes(connection, study_id, (key,)).get(key)


def get_attributes(connection: Connection, study_id: int, keys: Sequence[str]) -> dict[str, str]:
    """Return the study attributes `keys` that are there; raises StudyUnreadable where one is too long."""
    asked = {"study_id": study_id, "keys": keys, "most": len(keys)}
    return {key: _whole(text, key) for key, text in connection.execute(_named_attributes(), asked)}


@cache
def _named_attributes() -> sa.Select[Any]:
    attributes = STUDY_ATTRIBUTES.c
    return (
        sa.select(attributes.key, limited(attributes.value_json, MOST_ATTRIBUTE_BYTES))
        .where(
            attributes.study_id == sa.bindparam("study_id"),
            attributes.key.in_(sa.bindparam("keys", expanding=True)),
        )
        .limit(sa.bindparam("most"))
    )


def newest_attributes(connection: Connection, study_id: int, prefix: str) -> dict[str, str | None]:
    """Return the study attributes whose key starts with `prefix`, None for one that is too long.

    Of thousands only the newest are returned, and none whose key is longer than any that llmopt writes.
    """
    rows = connection.execute(_newest_attributes(prefix), {"study_id": study_id})
    return {row.key: row[1] for row in rows}


@cache
def _newest_attributes(prefix: str) -> sa.Select[Any]:
    attributes = STUDY_ATTRIBUTES.c
    return (
        sa.select(attributes.key, limited(attributes.value_json, _MOST_SMALL_BYTES))
        .where(
            attributes.study_id == sa.bindparam("study_id"),
            attributes.key.startswith(prefix, autoescape=True),
            _short(attributes.key),
        )
        .order_by(attributes.study_user_attribute_id.desc())
        .limit(_MOST_SMALL)
    )


class TrialWriter:
    """Writes trials of one study; its callers hold the study's lock where they create trials."""

    def __init__(self, study_id: int, space: SearchSpace) -> None:
        self._study_id = study_id
        self._space = dimensions(space)

    def create(self, connection: Connection, number: int, assignment: Assignment, *, run: bool) -> int:
        """Insert trial `number`, running or waiting; return its identifier."""
        trial = {
            "study_id": self._study_id,
            "number": number,
            "state": TrialState.RUNNING if run else TrialState.WAITING,
            "datetime_start": _now() if run else None,
        }
        trial_id = int(connection.execute(_INSERT_TRIAL, trial).scalar_one())
        connection.execute(
            _INSERT_TRIAL_ATTRIBUTE,
            {"trial_id": trial_id, "key": ASSIGNMENT_KEY, "value_json": dump(assignment)},
        )
        if run:
            self._put_parameters(connection, trial_id, assignment.parameters)
        return trial_id

    def start(self, connection: Connection, trial_id: int, assignment: Assignment) -> None:
        """Turn a waiting trial into a running one; raises StudyDropped where it is not there any more."""
        begin = (
            sa.update(TRIALS)
            .where(TRIALS.c.trial_id == trial_id)
            .values(state=TrialState.RUNNING, datetime_start=_now())
        )
        if connection.execute(begin).rowcount != 1:
            raise StudyDropped
        here = (TRIAL_ATTRIBUTES.c.trial_id == trial_id) & (TRIAL_ATTRIBUTES.c.key == ASSIGNMENT_KEY)
        connection.execute(sa.update(TRIAL_ATTRIBUTES).where(here).values(value_json=dump(assignment)))
        self._put_parameters(connection, trial_id, assignment.parameters)

    def finish(
        self,
        connection: Connection,
        trial_id: int,
        state: TrialState,
        ending: Ending,
        *,
        values: Iterable[float] = (),
        constraints: Mapping[str, float] | None = None,
        answers: Sequence[Answer] = (),
        waiting: bool = False,
    ) -> bool:
        """Finish a running (or `waiting`) trial, whole; False, and nothing written, where it is not so."""
        before = TrialState.WAITING if waiting else TrialState.RUNNING
        open_ = (TRIALS.c.trial_id == trial_id) & (TRIALS.c.state == before)
        finish = sa.update(TRIALS).where(open_).values(state=state, datetime_complete=_now())
        if connection.execute(finish).rowcount != 1:
            return False
        documents = {ENDING_KEY: ending, **({ANSWERS_KEY: answers} if answers else {})}
        connection.execute(
            _INSERT_TRIAL_ATTRIBUTE,
            [
                {"trial_id": trial_id, "key": key, "value_json": dump(document)}
                for key, document in documents.items()
            ],
        )
        _insert_all(connection, VALUES, trial_id, (stored_value(*each) for each in enumerate(values)))
        _insert_all(
            connection,
            TRIAL_SYSTEM_ATTRIBUTES,
            trial_id,
            (
                {"key": f"{CONSTRAINT_PREFIX}{name}", "value_json": dump(value)}
                for name, value in (constraints or {}).items()
            ),
        )
        return True

    def _put_parameters(self, connection: Connection, trial_id: int, values: Mapping[str, Value]) -> None:
        rows = (
            stored_parameter(name, value, self._space[name])
            for name, value in values.items()
            if name in self._space and contains(self._space[name], value)
        )
        _insert_all(connection, PARAMETERS, trial_id, rows)


def retry_assignment(assignment: Assignment, *, lost: bool) -> Assignment:
    """Return the assignment of the trial that runs `assignment` again, with the same parameters."""
    return replace(
        assignment,
        complete=True,
        attempt=assignment.attempt + 1,
        losses=assignment.losses + lost,
        runner=None,
        session=None,
        token=None,
    )


def _insert_all(
    connection: Connection, table: sa.Table, trial_id: int, rows: Iterable[Mapping[str, Any]]
) -> None:
    complete = [{"trial_id": trial_id, **row} for row in rows]
    if complete:
        connection.execute(sa.insert(table), complete)


def _now() -> datetime:
    """Return the time as Optuna stores it: UTC without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)
