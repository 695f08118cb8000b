"""Money, energy and time for tokens and good answers, worked out by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.storage.load_curves import LoadCurve
from llmopt_runner.load.requests import LoadRun, RequestRecord
from llmopt_runner.load.steady_state import whole_part
from llmopt_runner.trial.costs import good_answers, highest_load, per_gpu, token_costs, undefined_costs


def _record(tokens, error=None):
    return RequestRecord("item", 0.0, 0.1, 1.0, 1.0, (0.1, 1.0), "text", 10, tokens, None, "stop", error, 200)


RUN = LoadRun((_record(30), _record(70), _record(500, "reset")), 0.0, 10.0, 3, 3)
SPEED = {"output_tokens_per_second": 10.0}
# From the first send at 0 s to the last end at 4 s.
FOUR_SECONDS = whole_part(LoadRun((_record(30), replace(_record(70), ended_at=4.0)), 0.0, 10.0, 2, 2))
NO_GPU = (0, 0)


def test_money_is_the_price_of_the_time_that_a_million_tokens_take():
    """At 10 tokens/s a million tokens take 27.8 hours: at 3.60 an hour, 100."""
    costs = token_costs(SPEED, RUN, hourly_price="3.60", energy_joules=None)
    assert costs == {"cost_per_million_tokens": pytest.approx(100.0)}


def test_energy_is_shared_by_the_tokens_that_were_answered():
    """500 J for 100 good tokens are 5 J each; tokens of failed requests are not counted."""
    assert token_costs(SPEED, RUN, hourly_price=None, energy_joules=500.0) == {"energy_joules_per_token": 5.0}


def test_what_cannot_be_computed_is_left_out():
    """Without tokens, scores, a price or a counter there is no figure, rather than a wrong one."""
    empty = LoadRun((), 0.0, 1.0, 0, 0)
    assert token_costs({}, empty, hourly_price="1", energy_joules=1.0) == {}
    assert token_costs(SPEED, RUN, hourly_price=None, energy_joules=None) == {}
    assert good_answers({}, whole_part(empty), hourly_price="1", gpus=(1, 1)) == {}


def test_a_good_answer_is_counted_by_its_score():
    """Scores of 1 and 0.5 in 4 s are 0.375 good answers/s; at 1.35 an hour a thousand of them cost 1."""
    rates = good_answers({"a": 1.0, "b": 0.5}, FOUR_SECONDS, hourly_price="1.35", gpus=NO_GPU)
    assert rates == {
        "good_answers_per_second": 0.375,
        "cost_per_thousand_good_answers": pytest.approx(1.0),
    }
    unpriced = good_answers({"a": 1.0, "b": 0.5}, FOUR_SECONDS, hourly_price=None, gpus=NO_GPU)
    assert unpriced == {"good_answers_per_second": 0.375}


def test_by_gpu_only_the_used_ones_are_paid_for():
    """Two of eight GPUs give half of the rate each, and a quarter of the machine's price is theirs."""
    rates = good_answers({"a": 1.0, "b": 0.5}, FOUR_SECONDS, hourly_price="1.35", gpus=(2, 8))
    assert rates["good_answers_per_second_per_gpu"] == 0.1875
    assert rates["cost_per_thousand_good_answers_per_gpu"] == pytest.approx(0.25)


def test_without_a_good_answer_there_is_a_rate_of_zero_and_no_cost():
    """An infinite cost could be neither stored nor compared."""
    rates = good_answers({"a": 0.0, "b": 0.0}, FOUR_SECONDS, hourly_price="1", gpus=(1, 1))
    assert rates == {"good_answers_per_second": 0.0, "good_answers_per_second_per_gpu": 0.0}
    asked = ("accuracy", "cost_per_thousand_good_answers")
    assert undefined_costs(asked, rates) == ["cost_per_thousand_good_answers"]
    assert undefined_costs(asked, {"good_answers_per_second": 0.1}) == []
    assert undefined_costs(asked, {}) == []


def test_items_that_were_asked_again_are_good_answers_again():
    """A search for the highest rate asks items repeatedly: their mean score counts for all answers."""
    run = LoadRun(tuple(replace(_record(9), ended_at=4.0) for _ in range(6)), 0.0, 10.0, 6, 6)
    rates = good_answers({"a": 1.0, "b": 0.5}, whole_part(run), hourly_price=None, gpus=NO_GPU)
    assert rates == {"good_answers_per_second": pytest.approx(6 * 0.75 / 4)}


def test_the_highest_load_is_a_metric_and_known_by_gpu():
    """A rate is divided by the GPUs that the engine used; a concurrency and goodput have their own names."""
    curve = LoadCurve("rate", 0.95, 12.0, 11.0, 12.5, ())
    assert highest_load(curve) == {"max_request_rate": 12.0}
    assert highest_load(replace(curve, by="concurrency")) == {"max_concurrency": 12.0}
    assert highest_load(None) == {}
    rates = {"max_request_rate": 12.0, "goodput_requests_per_second": 10.0}
    assert per_gpu(rates, 4) == {
        "max_request_rate_per_gpu": 3.0,
        "goodput_requests_per_second_per_gpu": 2.5,
    }
    assert per_gpu(rates, 0) == {}


@given(
    scores=st.lists(st.floats(0.01, 1), min_size=1, max_size=20),
    price=st.decimals("0.01", "1000", places=2),
    there=st.integers(1, 16),
    data=st.data(),
)
def test_cost_and_rate_multiply_to_the_price(scores, price, there, data):
    """Cost of a thousand good answers times good answers in an hour are a thousand prices of the hour."""
    used = data.draw(st.integers(1, there))
    by_item = {str(place): score for place, score in enumerate(scores)}
    rates = good_answers(by_item, FOUR_SECONDS, hourly_price=str(price), gpus=(used, there))
    rate, cost = rates["good_answers_per_second"], rates["cost_per_thousand_good_answers"]
    assert rate * 3600 * cost == pytest.approx(1000 * float(price))
    by_gpu = rates["good_answers_per_second_per_gpu"] * rates["cost_per_thousand_good_answers_per_gpu"]
    assert by_gpu * 3600 == pytest.approx(1000 * float(price) / there)
