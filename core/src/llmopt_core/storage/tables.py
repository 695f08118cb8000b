"""The one place that knows how Optuna 5.0 lays its record out in a database.

Optuna's public calls cost some fifty statements per trial; writing the same rows in one transaction costs
ten. So this package reads and writes Optuna's tables itself, and `optuna.load_study` and Optuna Dashboard
read them as ever. The tables are declared here, so that a program that only reads studies loads neither
Optuna nor SQLAlchemy's ORM; a test compares them with those that Optuna makes.
"""

import json
import math
from enum import Enum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    case,
    cast,
    insert,
    inspect,
    select,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, IntDimension

# What Optuna 5.0 stamps a new database with.
SCHEMA_VERSION = 12
REVISION = "v3.2.0.a"
CONSTRAINT_PREFIX = "constraints:"
METRIC_NAMES_KEY = "study:metric_names"

_LIBRARY_VERSION = "5.0.0"
_KEY_CHARACTERS, _VERSION_CHARACTERS = 512, 256


class StudyDirection(Enum):
    """Which values of an objective are better."""

    NOT_SET = 0
    MINIMIZE = 1
    MAXIMIZE = 2


class TrialState(Enum):
    """In which state Optuna keeps a trial."""

    RUNNING = 0
    COMPLETE = 1
    PRUNED = 2
    FAIL = 3
    WAITING = 4


class TrialValueType(Enum):
    """Whether an objective's value is finite."""

    FINITE = 1
    INF_POS = 2
    INF_NEG = 3


class TrialIntermediateValueType(Enum):
    """Whether an intermediate value is finite."""

    FINITE = 1
    INF_POS = 2
    INF_NEG = 3
    NAN = 4


_TABLES = MetaData()


def _of_study(*, indexed: bool = False, required: bool = False) -> Column[int]:
    return Column("study_id", Integer, ForeignKey("studies.study_id"), index=indexed, nullable=not required)


def _of_trial(*, required: bool = False) -> Column[int]:
    return Column("trial_id", Integer, ForeignKey("trials.trial_id"), nullable=not required)


def _attributes(name: str, identifier: str, owner: Column[int]) -> Table:
    """Return a table of JSON documents by key, each key once per study or trial."""
    return Table(
        name,
        _TABLES,
        Column(identifier, Integer, primary_key=True),
        owner,
        Column("key", String(_KEY_CHARACTERS)),
        Column("value_json", Text),
        UniqueConstraint(owner.name, "key"),
    )


STUDIES = Table(
    "studies",
    _TABLES,
    Column("study_id", Integer, primary_key=True),
    Column("study_name", String(_KEY_CHARACTERS), index=True, unique=True, nullable=False),
)
DIRECTIONS = Table(
    "study_directions",
    _TABLES,
    Column("study_direction_id", Integer, primary_key=True),
    Column("direction", EnumType(StudyDirection), nullable=False),
    _of_study(required=True),
    Column("objective", Integer, nullable=False),
    UniqueConstraint("study_id", "objective"),
)
STUDY_ATTRIBUTES = _attributes("study_user_attributes", "study_user_attribute_id", _of_study())
STUDY_SYSTEM_ATTRIBUTES = _attributes("study_system_attributes", "study_system_attribute_id", _of_study())
TRIALS = Table(
    "trials",
    _TABLES,
    Column("trial_id", Integer, primary_key=True),
    Column("number", Integer),
    _of_study(indexed=True),
    Column("state", EnumType(TrialState), nullable=False),
    Column("datetime_start", DateTime),
    Column("datetime_complete", DateTime),
)
TRIAL_ATTRIBUTES = _attributes("trial_user_attributes", "trial_user_attribute_id", _of_trial())
TRIAL_SYSTEM_ATTRIBUTES = _attributes("trial_system_attributes", "trial_system_attribute_id", _of_trial())
PARAMETERS = Table(
    "trial_params",
    _TABLES,
    Column("param_id", Integer, primary_key=True),
    _of_trial(),
    Column("param_name", String(_KEY_CHARACTERS)),
    Column("param_value", Float(53)),
    Column("distribution_json", Text),
    UniqueConstraint("trial_id", "param_name"),
)
VALUES = Table(
    "trial_values",
    _TABLES,
    Column("trial_value_id", Integer, primary_key=True),
    _of_trial(required=True),
    Column("objective", Integer, nullable=False),
    Column("value", Float(53)),
    Column("value_type", EnumType(TrialValueType), nullable=False),
    UniqueConstraint("trial_id", "objective"),
)
INTERMEDIATE_VALUES = Table(
    "trial_intermediate_values",
    _TABLES,
    Column("trial_intermediate_value_id", Integer, primary_key=True),
    _of_trial(required=True),
    Column("step", Integer, nullable=False),
    Column("intermediate_value", Float(53)),
    Column("intermediate_value_type", EnumType(TrialIntermediateValueType), nullable=False),
    UniqueConstraint("trial_id", "step"),
)
HEARTBEATS = Table(
    "trial_heartbeats",
    _TABLES,
    Column("trial_heartbeat_id", Integer, primary_key=True),
    _of_trial(required=True),
    Column("heartbeat", DateTime, nullable=False),
    UniqueConstraint("trial_id"),
)
_VERSION = Table(
    "version_info",
    _TABLES,
    Column("version_info_id", Integer, primary_key=True),
    Column("schema_version", Integer),
    Column("library_version", String(_VERSION_CHARACTERS)),
    CheckConstraint("version_info_id=1"),
)
# Alembic's own, by which Optuna decides whether a database must be upgraded.
_REVISIONS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
OF_TRIALS = (
    TRIAL_ATTRIBUTES, TRIAL_SYSTEM_ATTRIBUTES, PARAMETERS, VALUES, INTERMEDIATE_VALUES, HEARTBEATS,
)  # fmt: skip
OF_STUDIES = (STUDY_ATTRIBUTES, STUDY_SYSTEM_ATTRIBUTES, DIRECTIONS)


def create_tables(connection: Connection) -> None:
    """Create what is missing of Optuna's tables, as it would: its own way loads a migration tool for that."""
    _TABLES.create_all(connection)
    _REVISIONS.create(connection, checkfirst=True)
    if stored_version(connection) is None:
        version = {"schema_version": SCHEMA_VERSION, "library_version": _LIBRARY_VERSION}
        connection.execute(insert(_VERSION).values(version))
        connection.execute(insert(_REVISIONS).values(version_num=REVISION))


def stored_version(connection: Connection) -> tuple[int, str] | None:
    """Return which schema and revision the tables are of, None where there are none."""
    if not inspect(connection).has_table(_REVISIONS.name):
        return None
    number = cast(_VERSION.c.schema_version, Integer)
    revision = connection.execute(select(limited(_REVISIONS.c.version_num, 32)).limit(1)).scalar()
    schema = connection.execute(select(number).limit(1)).scalar()
    return None if revision is None or schema is None else (int(schema), str(revision))


def limited(text: ColumnElement[Any], most_bytes: ColumnElement[int] | int) -> ColumnElement[Any]:
    """Return the expression `text`, NULL where it is longer than `most_bytes`: it is not sent."""
    return case((octets(text) <= most_bytes, text))


class octets(GenericFunction[int]):  # noqa: N801 - named as SQL's functions are
    """How many bytes a text has, which Postgres knows without reading it."""

    type = Integer()
    inherit_cache = True


@compiles(octets)
def _octets(element: Any, compiler: Any, **options: Any) -> str:
    # The schema is named: a tenant may have a function of the same name.
    return f"pg_catalog.octet_length({compiler.process(element.clauses, **options)})"


@compiles(octets, "sqlite")
def _octets_of_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"length(CAST({compiler.process(element.clauses, **options)} AS BLOB))"


def stored_value(objective: int, value: float) -> dict[str, Any]:
    """Return the columns of one objective's `value` (finite or infinite)."""
    if math.isfinite(value):
        return {"objective": objective, "value": value, "value_type": TrialValueType.FINITE}
    kind = TrialValueType.INF_POS if value > 0 else TrialValueType.INF_NEG
    return {"objective": objective, "value": None, "value_type": kind}


def stored_parameter(name: str, value: Value, dimension: Dimension) -> dict[str, Any]:
    """Return the columns of parameter `name`, whose `value` lies in `dimension`."""
    place = dimension.choices.index(value) if isinstance(dimension, ChoiceDimension) else value
    return {
        "param_name": name,
        "param_value": float(place),
        "distribution_json": _distribution_json(dimension),
    }


def _distribution_json(dimension: Dimension) -> str:
    """Return `dimension` as Optuna writes a distribution."""
    if isinstance(dimension, ChoiceDimension):
        attributes: dict[str, Any] = {"choices": list(dimension.choices)}
        return json.dumps({"name": "CategoricalDistribution", "attributes": attributes})
    attributes = {
        "log": dimension.log,
        "step": dimension.step,
        "low": dimension.low,
        "high": dimension.last,
    }
    kind = "IntDistribution" if isinstance(dimension, IntDimension) else "FloatDistribution"
    return json.dumps({"name": kind, "attributes": attributes})
