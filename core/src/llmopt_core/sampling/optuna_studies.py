"""Optuna's studies in this process's memory, which samplers, pruners and figures read."""

from collections.abc import Sequence
from typing import Literal

import optuna
from optuna.pruners import BasePruner
from optuna.storages import BaseStorage
from optuna.trial import TrialState

from llmopt_core.storage.outcomes import trial_state
from llmopt_core.storage.records import OutcomeKind


def study_in_memory(
    directions: Sequence[Literal["minimize", "maximize"]],
    storage: BaseStorage | None = None,
    pruner: BasePruner | None = None,
) -> optuna.Study:
    """Return a new study, in `storage` where that is given; Optuna does not log that it was made."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(storage=storage, directions=list(directions), pruner=pruner)


def optuna_state(kind: OutcomeKind) -> TrialState:
    """Return the state that Optuna has for a trial that ended so."""
    return TrialState[trial_state(kind).name]
