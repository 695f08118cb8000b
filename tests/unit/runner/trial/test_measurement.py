"""What of answers is scored and kept, and what ends a measurement."""

import errno
from types import SimpleNamespace

import anyio
import pytest

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.unexpected import failure_of
from llmopt_core.storage.load_curves import LoadCurve
from llmopt_core.storage.measured_items import MeasuredItem
from llmopt_runner.datasets.base import Item
from llmopt_runner.load.requests import ChatRequest, Endpoint, LoadRun, RequestRecord, SentTurn
from llmopt_runner.load.shapes import ClosedLoop, ConstantRate
from llmopt_runner.quality.base import Evaluator, ScoringFailed
from llmopt_runner.quality.distinct import DistinctN
from llmopt_runner.quality.exact import Exact
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial import measurement
from llmopt_runner.trial.max_rate import Found
from llmopt_runner.trial.measurement import Scoring, measure, measure_max_rate, measured_item

ITEM = Item("a", "What is 1 + 1?", "2", "sum")


def _record(**changes):
    answer = {
        "item_id": "a",
        "sent_at": 10.0,
        "first_text_at": 10.02,
        "last_text_at": 10.1,
        "ended_at": 10.125,
        "chunk_times": (10.02, 10.1),
        "text": "2",
        "prompt_tokens": 8,
        "output_tokens": 5,
        "cached_tokens": 0,
        "finish_reason": "stop",
        "error": None,
        "status": 200,
    }
    return RequestRecord(**{**answer, **changes})


def _taken(evaluator, record, prune=lambda _place, _item: False):
    async def take():
        scoring = Scoring(evaluator, {"a": (3, ITEM)}, prune)
        await scoring.take(record)
        return scoring

    return anyio.run(take)


def test_times_are_kept_in_milliseconds():
    """An answer without text has no time to its first token."""
    assert measured_item(_record(), 1.0) == MeasuredItem(1.0, 125.0, 20.0, 5)
    silent = _record(first_text_at=None, output_tokens=None)
    assert measured_item(silent, None) == MeasuredItem(None, 125.0)


@pytest.mark.parametrize(
    ("evaluator", "score", "scores"),
    [(Exact(), 1.0, {"a": 1.0}), (DistinctN(), None, {"a": 1.0}), (None, None, {})],
)
def test_only_scores_whose_mean_is_the_metric_are_compared(evaluator, score, scores):
    """A share of distinct words is kept for its metric, but it is nothing to compare item by item."""
    scoring = _taken(evaluator, _record())
    assert scoring.measured == {3: MeasuredItem(score, 125.0, 20.0, 5)}
    assert scoring.scores == scores


def test_a_failed_request_is_no_item():
    """It fails the trial, and no later trial is compared with it."""
    assert _taken(Exact(), _record(error="HTTP 500")).measured == {}


def test_the_load_is_stopped_where_the_pruner_says_so():
    """The pruner is asked once for each item, and not again after it stopped the trial."""
    asked = []

    def prune(place, item):
        asked.append((place, item.score))
        return True

    scoring = _taken(Exact(), _record(), prune)
    assert scoring.pruned
    assert scoring.stop.is_set()
    assert asked == [(3, 1.0)]


def test_a_later_turn_is_scored_after_what_was_said_before():
    """A judge reads the conversation; a turn without a reference is answered and not scored."""
    asked = []

    class Listening(Exact):
        async def score(self, item, answer):
            asked.append(item.question)
            return await super().score(item, answer)

    said = ({"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "2"})
    turns = [Item("a/turn-2", "Add 1.", "3", "sum"), Item("a/turn-3", "Thanks.", "", "sum")]
    scoring = Scoring(
        Listening(), {item.id: (place, item) for place, item in enumerate(turns)}, lambda *_: False
    )

    async def take():
        for number, text in ((2, "3"), (3, "Welcome.")):
            turn = SentTurn("a", number, said)
            await scoring.take(_record(item_id=f"a/turn-{number}", text=text, turn=turn))

    anyio.run(take)
    assert asked == ["User: 1 + 1?\n\nAssistant: 2\n\nUser: Add 1."]
    assert scoring.scores == {"a/turn-2": 1.0}
    assert scoring.answers == {"a/turn-2": "3", "a/turn-3": "Welcome."}


class Ranked(Evaluator):
    """Scores all answers at once: the longest of them gets 1, and what it was asked is kept."""

    metric = "score"
    whole_set = True
    asked = None

    async def score(self, item, answer):
        raise AssertionError(f"a whole set is scored at once, not {item.id} with {answer!r}")

    async def score_set(self, items, answers, parameters):
        self.asked = ([item.id for item in items], parameters)
        if "" in answers:
            raise ScoringFailed("an empty answer")
        longest = max(map(len, answers))
        return [len(answer) / longest for answer in answers]


def _scored_together(texts, prune=lambda _place, _item: False):
    items = {name: (place, Item(name, "?", "x", "k")) for place, name in enumerate(texts)}
    scoring = Scoring(Ranked(), items, prune)

    async def take():
        for name, text in texts.items():
            await scoring.take(_record(item_id=name, text=text))
        await scoring.score_all({"sampling.temperature": 0.5})

    anyio.run(take)
    return scoring


def test_an_evaluator_of_a_whole_set_gets_all_answers_and_the_parameters():
    """When all answers are there they are scored together, each with a score of its own."""
    scoring = _scored_together({"a": "four", "b": "to"})
    assert scoring.scores == {"a": 1.0, "b": 0.5}
    assert scoring.evaluator.asked == (["a", "b"], {"sampling.temperature": 0.5})
    assert scoring.measured[0].score is None


def test_a_set_that_cannot_be_scored_fails_the_measurement():
    """No score is made up where the whole set could not be scored."""
    scoring = _scored_together({"a": "four", "b": ""})
    assert str(scoring.failure) == "an empty answer"
    assert scoring.scores == {}


@pytest.mark.parametrize("score", [float("nan"), float("inf"), None, "1"])
def test_a_score_that_is_no_number_fails_the_measurement(score):
    """A plug-in's score of an item, or of a set, is never stored where it is no finite number."""

    class Broken(Exact):
        async def score(self, _item, _answer):
            return score

    class BrokenSet(Ranked):
        async def score_set(self, items, _answers, _parameters):
            return [score for _ in items]

    for evaluator in (Broken(), BrokenSet()):
        scoring = _taken(evaluator, _record())
        anyio.run(scoring.score_all, {})
        assert f"the evaluator scored a with {score!r}" in str(scoring.failure)
        assert scoring.scores == {}


def test_a_stopped_measurement_is_not_scored_as_a_set():
    """What a pruner stopped holds a part of the answers, which is no set."""
    assert _scored_together({"a": "four"}, lambda _place, _item: True).scores == {}


class Hanging(Exact):
    """Never ends; what `then` does is done once it was asked for a score."""

    def __init__(self, then=lambda: None, *, whole_set=False):
        self.then, self.whole_set = then, whole_set

    async def score(self, _item, _answer):
        self.then()
        await anyio.sleep_forever()

    async def score_set(self, items, answers, _parameters):
        await self.score(items[0], answers[0])


def _measured(evaluator, stopping, seconds):
    """Measure one answer, which comes at once."""
    return measure(
        Endpoint("http://127.0.0.1:9", "m"),
        [ChatRequest("a", (), 4)],
        ClosedLoop(1),
        items=[ITEM],
        evaluator=evaluator,
        prune=lambda _place, _item: False,
        stopping=stopping,
        timeout_seconds=seconds,
        parameters={},
    )


def _highest_load(evaluator, stopping, seconds):
    """Score the answer of a search for the highest load, which ended."""
    run = LoadRun((_record(item_id="a#0"),), 10.0, 11.0, 1, 1)
    found = Found(LoadCurve("rate", 0.95, 1.0, 1.0, None, ()), (), ConstantRate(1.0), run)
    search = SimpleNamespace(run=lambda: found, stopping=stopping, timeout_seconds=seconds)
    return measure_max_rate(search, items=[ITEM], evaluator=evaluator, parameters={})


@pytest.fixture
def answered(monkeypatch):
    """Every load is answered at once."""

    async def run_load(_endpoint, requests, _shape, *, on_record, stop, request_timeout_seconds):
        records = tuple(_record(item_id=request.item_id) for request in requests)
        for record in records:
            on_record(record)
        return LoadRun(records, 10.0, 11.0, len(records), len(records))

    monkeypatch.setattr(measurement, "run_load", run_load)


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("how", [_measured, _highest_load])
@pytest.mark.parametrize("whole_set", [False, True])
def test_a_stop_while_answers_are_scored_ends_the_measurement_at_once(how, whole_set):
    """The load is over, the judge is not: the trial is given back without waiting for it."""
    stopping = StopSignal()
    evaluator = Hanging(stopping.set, whole_set=whole_set)
    with pytest.raises(Interrupted):
        how(evaluator, stopping, 60.0)


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("how", [_measured, _highest_load])
@pytest.mark.parametrize("whole_set", [False, True])
def test_scores_that_come_too_late_end_the_measurement(how, whole_set):
    """The time of a trial is for all of it, the scoring included."""
    with pytest.raises(TimeoutError):
        how(Hanging(whole_set=whole_set), StopSignal(), 0.05)


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("how", [_measured, _highest_load])
def test_an_error_of_an_evaluator_has_its_own_class(how):
    """Raised among tasks that run together, a full disk is still one, which ends the study."""

    class Full(Exact):
        async def score(self, _item, _answer):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ExceptionGroup) as caught:
        how(Full(), StopSignal(), 60.0)
    assert failure_of(caught.value).error_class is ErrorClass.DISK_FULL


@pytest.mark.usefixtures("answered")
@pytest.mark.parametrize("how", [_measured, _highest_load])
@pytest.mark.parametrize("evaluator", [Exact(), Ranked()])
def test_answers_are_scored_within_the_measurement(how, evaluator):
    """Item by item, or all at once when the load has ended."""
    assert how(evaluator, StopSignal(), 60.0).scores == {"a": 1.0}
