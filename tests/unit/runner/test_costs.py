"""Money and energy per token, worked out by hand."""

import pytest

from llmopt_runner.costs import token_costs
from llmopt_runner.load.requests import LoadRun, RequestRecord


def _record(tokens, error=None):
    return RequestRecord("item", 0.0, 0.1, 1.0, 1.0, (0.1, 1.0), "text", 10, tokens, None, "stop", error, 200)


RUN = LoadRun((_record(30), _record(70), _record(500, "reset")), 0.0, 10.0, 3, 3)
SPEED = {"output_tokens_per_second": 10.0}


def test_money_is_the_price_of_the_time_that_a_million_tokens_take():
    """At 10 tokens/s a million tokens take 27.8 hours: at 3.60 an hour, 100."""
    costs = token_costs(SPEED, RUN, hourly_price="3.60", energy_joules=None)
    assert costs == {"cost_per_million_tokens": pytest.approx(100.0)}


def test_energy_is_shared_by_the_tokens_that_were_answered():
    """500 J for 100 good tokens are 5 J each; tokens of failed requests are not counted."""
    assert token_costs(SPEED, RUN, hourly_price=None, energy_joules=500.0) == {"energy_joules_per_token": 5.0}


def test_what_cannot_be_told_is_left_out():
    """Without tokens, a price or a counter there is no figure, rather than a wrong one."""
    empty = LoadRun((), 0.0, 1.0, 0, 0)
    assert token_costs({}, empty, hourly_price="1", energy_joules=1.0) == {}
    assert token_costs(SPEED, RUN, hourly_price=None, energy_joules=None) == {}
