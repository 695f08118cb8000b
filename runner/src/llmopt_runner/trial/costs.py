"""What tokens and good answers cost, in money, time and energy, where these are known."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from statistics import fmean

from llmopt_core.storage.load_curves import LoadCurve
from llmopt_runner.load.requests import LoadRun
from llmopt_runner.load.steady_state import SteadyPart

_SECONDS_PER_HOUR = 3600
_THOUSAND = 1000
_MILLION = 1_000_000
_BY_GPU = ("goodput_requests_per_second", "max_request_rate")
_OF_GOOD_ANSWERS = ("cost_per_thousand_good_answers", "cost_per_thousand_good_answers_per_gpu")


def token_costs(
    speed: Mapping[str, float], run: LoadRun, *, hourly_price: str | None, energy_joules: float | None
) -> dict[str, float]:
    """Return `cost_per_million_tokens` and `energy_joules_per_token`, each where it is known.

    `speed` are the speed metrics of `run`; `hourly_price` is the manifest's, `energy_joules` what the GPUs
    took while it was measured.
    """
    costs = {}
    rate = speed.get("output_tokens_per_second", 0.0)
    if hourly_price is not None and rate > 0:
        costs["cost_per_million_tokens"] = _price_per_second(hourly_price) / rate * _MILLION
    tokens = [record.output_tokens for record in run.records if record.error is None]
    counted = sum(count for count in tokens if count is not None)
    if energy_joules is not None and None not in tokens and counted > 0:
        costs["energy_joules_per_token"] = energy_joules / counted
    return costs


def good_answers(
    scores: Mapping[str, float], part: SteadyPart, *, hourly_price: str | None, gpus: tuple[int, int]
) -> dict[str, float]:
    """Return the rate and the cost of good answers, in all and by GPU, each where it is known.

    `scores` (0 to 1) are by item, `part` is what of the run counts; `gpus` says how many the engine used, and
    how many the runner has. Without a good answer the rates are 0, and there is no cost: `undefined_costs`.
    """
    if not scores:
        return {}
    used, there = gpus
    answered = sum(record.error is None for record in part.run.records)
    rate = fmean(scores.values()) * answered / part.seconds
    rates = {"good_answers_per_second": rate}
    if used:
        rates["good_answers_per_second_per_gpu"] = rate / used
    if hourly_price is None or rate <= 0:
        return rates
    cost = _price_per_second(hourly_price) / rate * _THOUSAND
    costs = {"cost_per_thousand_good_answers": cost}
    if used:
        costs["cost_per_thousand_good_answers_per_gpu"] = cost * used / there
    return rates | costs


def highest_load(curve: LoadCurve | None) -> dict[str, float]:
    """Return the metric that a search for the highest load gives."""
    if curve is None:
        return {}
    return {"max_request_rate" if curve.by == "rate" else "max_concurrency": curve.value}


def per_gpu(metrics: Mapping[str, float], used_gpus: int) -> dict[str, float]:
    """Return the rates that are also known by GPU, where the engine used any."""
    if not used_gpus:
        return {}
    return {f"{name}_per_gpu": metrics[name] / used_gpus for name in _BY_GPU if name in metrics}


def undefined_costs(asked: Iterable[str], metrics: Mapping[str, float]) -> list[str]:
    """Return which of the metrics `asked` for have no value because no answer was good."""
    if metrics.get("good_answers_per_second") != 0:
        return []
    return [name for name in asked if name in _OF_GOOD_ANSWERS]


def _price_per_second(hourly_price: str) -> float:
    return float(Decimal(hourly_price)) / _SECONDS_PER_HOUR
