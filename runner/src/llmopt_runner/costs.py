"""What a token costs, in money and in energy, where these are known."""

from collections.abc import Mapping
from decimal import Decimal

from llmopt_runner.load.requests import LoadRun

_SECONDS_PER_HOUR = 3600
_MILLION = 1_000_000


def token_costs(
    speed: Mapping[str, float], run: LoadRun, *, hourly_price: str | None, energy_joules: float | None
) -> dict[str, float]:
    """Return `cost_per_million_tokens` and `energy_joules_per_token`, each where it can be told.

    `speed` are the speed metrics of `run`; `hourly_price` is the manifest's, `energy_joules` what the GPUs
    took while it was measured.
    """
    costs = {}
    rate = speed.get("output_tokens_per_second", 0.0)
    if hourly_price is not None and rate > 0:
        costs["cost_per_million_tokens"] = float(Decimal(hourly_price)) / _SECONDS_PER_HOUR / rate * _MILLION
    tokens = [record.output_tokens for record in run.records if record.error is None]
    counted = sum(count for count in tokens if count is not None)
    if energy_joules is not None and None not in tokens and counted > 0:
        costs["energy_joules_per_token"] = energy_joules / counted
    return costs
