"""The strategies that are compared, by name."""

import functools
from collections.abc import Callable
from importlib.util import find_spec

from optuna.samplers import BaseSampler

from surfaces import optuna_rivals
from surfaces.auto_rival import AutoRival
from surfaces.grid_rival import GridRival
from surfaces.rivals import Rival, RivalKind, Setting

AUTO = "auto"
GROUPED = "tpe-grouped"


def _optuna(sampler: Callable[[int], BaseSampler]) -> Callable[[Setting], Rival]:
    return functools.partial(optuna_rivals.OptunaRival, sampler=sampler)


def _smac(setting: Setting) -> Rival:
    from surfaces.smac_rival import SmacRival  # noqa: PLC0415 - of the group `bench`, which tests do not need

    return SmacRival(setting)


KINDS = {
    kind.name: kind
    for kind in (
        RivalKind(AUTO, "llmopt `auto`", one_start=False, make=AutoRival),
        RivalKind(GROUPED, "Optuna TPE, grouped by engine", one_start=False, make=optuna_rivals.GroupedTpe),
        RivalKind("random", "random", one_start=True, make=_optuna(optuna_rivals.random_choice)),
        RivalKind("tpe", "Optuna TPE", one_start=True, make=_optuna(optuna_rivals.tpe)),
        RivalKind("gp", "Optuna GP", one_start=True, make=_optuna(optuna_rivals.gaussian_process), slow=True),
        RivalKind("nsga2", "NSGA-II", one_start=True, make=_optuna(optuna_rivals.nsga2)),
        RivalKind("smac", "SMAC3", one_start=True, make=_smac, slow=True),
        RivalKind("grid", "grid, engine by engine", one_start=False, make=GridRival),
    )
}
_NEEDS = {"gp": ("torch", "--extra gp"), "smac": ("smac", "--group bench")}


def missing(name: str) -> str | None:
    """Return what must be installed for the strategy `name`, None where nothing is missing."""
    module, source = _NEEDS.get(name, ("optuna", ""))
    return (
        None if find_spec(module) else f"{name} needs {module}: scripts/uv sync --frozen --inexact {source}"
    )
