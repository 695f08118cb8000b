"""Expressions that several panels have in common."""

BY_STUDY = "by (namespace, resource)"
HOUR = 3600


def of_study(metric: str, selector: str = "", by: str = BY_STUDY) -> str:
    """Return what stands for a whole study: the highest that one of its runners knows."""
    return f"max {by} ({_selected(f'llmopt_runner_{metric}', selector)})"


def left(name: str, selector: str = "") -> str:
    """Return what is left of a budget, in seconds; nothing where there is none."""
    limit, used = of_study(f"budget_{name}_seconds", selector), of_study(f"study_{name}_seconds", selector)
    return f"clamp_min({limit} - {used}, 0)"


def trials(state: str, selector: str = "") -> str:
    """Return how many trials of each study are in a state."""
    return of_study("study_trials", f'state="{state}"' + (f", {selector}" if selector else ""))


def time_left(selector: str = "") -> str:
    """Return the time that the trials left will take, at their mean so far, with the runners there are."""
    seconds, ended = (
        f"sum {BY_STUDY} ({_selected(f'llmopt_runner_trial_duration_seconds_{part}', selector)})"
        for part in ("sum", "count")
    )
    runners = f"count {BY_STUDY} ({_selected('llmopt_runner_build_info', selector)})"
    remaining = f"clamp_min({trials('planned', selector)} - {trials('finished', selector)}, 0)"
    return f"{remaining} * ({seconds} / ({ended} > 0)) / {runners}"


def quantile(share: float, histogram: str, selector: str = "", by: str = "le") -> str:
    """Return a quantile over the dashboard's range: single events are too few for a shorter one."""
    buckets = _selected(f"{histogram}_bucket", selector)
    return f"histogram_quantile({share}, sum by ({by}) (increase({buckets}[$__range])))"


def grown(metric: str, selector: str = "", by: str = "") -> str:
    """Return how much a counter grew in the time shown, added up."""
    grouped = f"sum {by} " if by else "sum"
    return f"{grouped}(increase({_selected(metric, selector)}[$__range]))"


def most(series: str) -> str:
    """Return the eight largest of `series`."""
    return f"topk(8, {series})"


def _selected(metric: str, selector: str) -> str:
    return f"{metric}{{{selector}}}" if selector else metric
