"""The one place that knows how Optuna 5.0 lays its record out in a database.

Optuna's public calls cost some fifty statements per trial; writing the same rows in one transaction costs
ten. So this room reads and writes Optuna's tables itself, and `optuna.load_study` and Optuna Dashboard
read them as ever. Everything of Optuna that is not public is named here and nowhere else.
"""

from typing import Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import Table

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
VERSION: Table = models.VersionInfoModel.__table__
OF_TRIALS = (
    TRIAL_ATTRIBUTES, TRIAL_SYSTEM_ATTRIBUTES, PARAMETERS, VALUES, INTERMEDIATE_VALUES, HEARTBEATS,
)  # fmt: skip
OF_STUDIES = (STUDY_ATTRIBUTES, STUDY_SYSTEM_ATTRIBUTES, DIRECTIONS)

__all__ = ["BaseDistribution", "StudyDirection", "TrialState"]


def quieten() -> None:
    """Keep Optuna from logging each study that it makes in memory."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def create_tables(url: str) -> None:
    """Create Optuna's tables at `url`, or raise RuntimeError where they are of another version."""
    # Optuna fills `{SCHEMA_VERSION}` into addresses; ours are meant literally.
    storage = RDBStorage(url.replace("{", "{{").replace("}", "}}"))
    storage.remove_session()
    storage.engine.dispose()


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
