"""The grammar of single options: objectives, constraints, durations. Each error shows the value."""

import re
from decimal import Decimal

from llmopt.manifests.option_faults import OptionInvalid
from llmopt.manifests.spellings import OPTIMIZE, Spelling
from llmopt.option_labels import labelled
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources.faults import nearest

_CONSTRAINT = re.compile(
    r"(?P<metric>\w+) *(?P<sign>>=|<=) *(?:(?P<baseline>baseline) *)?"
    r"(?P<number>(?(baseline)[+-] *)\d+(?:\.\d+)?)?(?P<percent>%)?",
    re.ASCII,
)
# A sign without =, or a number with its unit.
_BARE = re.compile(r"(?P<metric>\w+) *(?P<sign>[<>]=?) *(?P<number>\d+(?:\.\d+)?) *(?:ms|MiB|s)?", re.ASCII)
_METRIC = re.compile(r"[\w.-]+", re.ASCII)
_EXPECTED = (
    "expected METRIC>=NUMBER or METRIC<=NUMBER, such as accuracy>=0.6, or a change from the baseline, such as"
    " peak_memory_mib<=baseline+10% or accuracy>=baseline-0.02"
)


def objective(text: str, spelled: Spelling = OPTIMIZE) -> dict[str, str]:
    """Return the objective that `METRIC`, `METRIC:maximize` or `METRIC:minimize` stands for."""
    metric, _, goal = text.partition(":")
    if goal not in {"", "maximize", "minimize"} or not re.fullmatch(_METRIC, metric):
        raise OptionInvalid(
            f"{labelled(spelled('objectives'), text)}: expected METRIC, METRIC:maximize or METRIC:minimize"
            f"{_objective_hint(metric, goal)}"
        )
    return {"metric": metric, "goal": goal} if goal else {"metric": metric}


def _objective_hint(metric: str, goal: str) -> str:
    """Return what is known of why this is no objective: several in one, or another word for the goal."""
    if "," in metric:
        return f"; several are given one by one: {' and '.join(metric.split(','))}"
    near = nearest(goal, ("maximize", "minimize")) if goal else None
    return f" (did you mean {metric}:{near}?)" if near else ""


def constraint(text: str, spelled: Spelling = OPTIMIZE) -> dict[str, str]:
    """Return the constraint that `text` stands for, such as `accuracy>=0.6`; raises OptionInvalid.

    `baseline`, alone or with a signed number, is the baseline's value and the change from it: a difference
    for scores from 0 to 1, a percentage for all other metrics.
    """
    label = labelled(spelled("constraints"), text)
    found = _CONSTRAINT.fullmatch(text.strip())
    if found is None or (found["number"] is None and (found["percent"] or not found["baseline"])):
        raise OptionInvalid(f"{label}: {_EXPECTED}{_constraint_hint(text)}")
    metric, relative = found["metric"], found["baseline"] is not None
    number = (found["number"] or "0").replace(" ", "").removeprefix("+")
    _check_unit(label, metric, relative=relative, percent=found["percent"] is not None, number=number)
    bound = _share(number) if found["percent"] else number
    side = "min" if found["sign"] == ">=" else "max"
    return {"metric": metric, side: bound, **({"relativeTo": "baseline"} if relative else {})}


def _constraint_hint(text: str) -> str:
    """Return what is known of why `text` is no constraint: no sign, for the shell took it, or a unit."""
    if re.fullmatch(r"\w*", text):
        return "; in quotes, or the shell takes < and > for a file"
    metric = CATALOG.get(text.partition(">" if ">" in text else "<")[0].rstrip("= "))
    with_unit = re.search(r"\d *[A-Za-z/]+$", text)
    if metric and with_unit:
        return f"; {metric.name} is in {metric.unit}, which is not written"
    bare = _BARE.fullmatch(text.strip())
    return f" (did you mean {bare['metric']}{bare['sign'][0]}={bare['number']}?)" if bare else ""


def _check_unit(label: str, metric: str, *, relative: bool, percent: bool, number: str) -> None:
    """Refuse a number whose unit could be read in two ways; an unknown metric is the manifest's fault."""
    known = CATALOG.get(metric)
    is_score = known is not None and known.scale == "bounded"
    if relative and is_score and percent:
        raise OptionInvalid(
            f"{label}: {metric} is a score from 0 to 1, whose change is a difference: expected"
            f" baseline{'' if number.startswith('-') else '+'}{_share(number)}"
        )
    if relative and not is_score and not percent and Decimal(number):
        raise OptionInvalid(
            f"{label}: the change of {metric} from the baseline is a percentage: expected such"
            " as baseline+10% or baseline-5%"
        )
    if percent and not relative and not is_score:
        raise OptionInvalid(
            f"{label}: a percentage of what? expected a number in the metric's own unit, or"
            " baseline+10% for a change from the baseline"
        )


def _share(percent: str) -> str:
    """Return a percentage as a share, as a manifest writes it."""
    return format((Decimal(percent) / 100).normalize(), "f")


def kubernetes_duration(text: str, spelled: Spelling = OPTIMIZE) -> str:
    """Return a duration such as `90`, `45s`, `10m` or `1h30m` in the manifest's notation."""
    if text.isdigit() and int(text) > 0:
        return f"{int(text)}s"
    if re.fullmatch(r"(\d+h)?(\d+m)?(\d+s)?", text) and re.search(r"[1-9]", text):
        return text
    raise OptionInvalid(
        f"{labelled(spelled('timeout'), text)}: expected seconds, or a duration such as 45s, 10m or 1h30m"
    )
