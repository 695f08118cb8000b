"""The one place that knows how Optuna 5.0 lays its record out in a database.

Optuna's public calls cost some fifty statements per trial; writing the same rows in one transaction costs
ten. So this package reads and writes Optuna's tables itself, and `optuna.load_study` and Optuna Dashboard
read them as ever. Everything of Optuna that is not public is named here and nowhere else.
"""

from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    case,
    cast,
    insert,
    inspect,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

# What Optuna 5.0 stamps a new database with.
SCHEMA_VERSION = 12
REVISION = "v3.2.0.a"
CONSTRAINT_PREFIX = "constraints:"
METRIC_NAMES_KEY = "study:metric_names"

STUDIES: Table = models.StudyModel.__table__
DIRECTIONS: Table = models.StudyDirectionModel.__table__
STUDY_ATTRIBUTES: Table = models.StudyUserAttributeModel.__table__
STUDY_SYSTEM_ATTRIBUTES: Table = models.StudySystemAttributeModel.__table__
TRIALS: Table = models.TrialModel.__table__
TRIAL_ATTRIBUTES: Table = models.TrialUserAttributeModel.__table__
TRIAL_SYSTEM_ATTRIBUTES: Table = models.TrialSystemAttributeModel.__table__
PARAMETERS: Table = models.TrialParamModel.__table__
VALUES: Table = models.TrialValueModel.__table__
INTERMEDIATE_VALUES: Table = models.TrialIntermediateValueModel.__table__
HEARTBEATS: Table = models.TrialHeartbeatModel.__table__
_VERSION: Table = models.VersionInfoModel.__table__
# Alembic's own, by which Optuna tells whether a database must be upgraded.
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

__all__ = ["BaseDistribution", "StudyDirection", "TrialState"]


def quieten() -> None:
    """Keep Optuna from logging each study that it makes in memory."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def create_tables(connection: Connection) -> None:
    """Create what is missing of Optuna's tables, as it would: its own way loads a migration tool for that."""
    models.BaseModel.metadata.create_all(connection)
    _REVISIONS.create(connection, checkfirst=True)
    if stored_version(connection) is None:
        version = {"schema_version": SCHEMA_VERSION, "library_version": optuna.__version__}
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
    stored, kind = models.TrialValueModel.value_to_stored_repr(value)
    return {"objective": objective, "value": stored, "value_type": kind}


def stored_parameter(name: str, value: Any, distribution: BaseDistribution) -> dict[str, Any]:
    """Return the columns of parameter `name`, which lies in `distribution`."""
    return {
        "param_name": name,
        "param_value": distribution.to_internal_repr(value),
        "distribution_json": distribution_to_json(distribution),
    }
