"""What a report offers to deploy, and how the page shows it."""

import json
import re
from dataclasses import replace

import pytest
from fakes.comparisons import SPEED
from fakes.local_runs import document
from fakes.statuses import choice, compared, effect, ended, found

from llmopt.report.choices import Change, cards_of, changes, effect_rows
from llmopt.report.content import Measured, content_of
from llmopt.report.marks import Span, marks
from llmopt.report.pages import report_markdown, report_page
from llmopt_core.analysis.effects import Interval
from llmopt_core.resources.loading import resource_of
from llmopt_core.resources.status import ErrorSummary, TrialResult, VarianceShares
from llmopt_core.results.results import OptimizationResult

GAIN = effect(difference=0.5, interval=Interval(0.4, 0.6), baseline=0.2)
SLOWER = effect(SPEED, -2.0, Interval(-3.0, -1.0), baseline=40.0)
FASTER = effect(SPEED, 10.0, Interval(8.0, 12.0), baseline=40.0)
SAME = effect(difference=0.0, interval=Interval(-0.1, 0.1), baseline=0.2)
ACCURATE = choice(
    16, GAIN, SLOWER, weighted=0.3, best_for=["accuracy"], parameters={"prompt.few_shot": 3},
    serve_args="llama-server -np 4", request_fields='{"temperature": 0.2}',
)  # fmt: skip
QUICK = choice(
    7, SAME, FASTER, best_for=[SPEED], parameters={"engine.n_parallel": 8}, serve_args="llama-server -np 8"
)
PLAIN = [{"role": "user", "content": "Q: {question}"}]
SHOTS = [{"role": "user", "content": "Q: 1 + 1"}, {"role": "assistant", "content": "2"}, *PLAIN]


def result(*choices, **fields):
    outcome = ended() | fields
    status = found(GAIN, SLOWER, trial=16, confirmed=True, choices=list(choices), **outcome)
    return OptimizationResult("mine", status, engine="llamacpp")


def asked_as(shown, prompts):
    """Return the result with the messages of its configurations."""
    return replace(shown, prompts=prompts)


def page(shown):
    """Return the page's text without what only lays it out."""
    content = content_of(shown, resource_of(document()).spec, Measured(), manifest_text="metadata: x")
    return report_page(content)


def test_each_verified_choice_has_its_gains_and_what_to_copy():
    """The recommended comes first, and all are drawn on one scale for each metric."""
    first, second = cards_of(asked_as(result(ACCURATE, QUICK), {16: SHOTS, 0: PLAIN}), {"prompt.few_shot": 0})
    assert (first.title, first.recommended) == ("For accuracy: trial 16", True)
    assert (second.title, second.recommended) == (f"For {SPEED}: trial 7", False)
    assert [(row.gain, row.interval, row.tone) for row in first.rows] == [
        ("+0.500", "+0.400 to +0.600", "good"),
        ("-5.0 %", "-7.5 % to -2.5 %", "bad"),
    ]
    assert (first.command, first.fields) == ("llama-server -np 4", '{\n  "temperature": 0.2\n}')
    assert (json.loads(first.messages), second.messages) == (SHOTS, "")
    assert first.changes == (Change("prompt.few_shot", "0", "3"),)
    assert second.changes == (Change("engine.n_parallel", "", "8"),)
    assert first.rows[0].mark.zero == second.rows[0].mark.zero
    assert first.rows[0].mark.low > second.rows[0].mark.value


def test_only_what_differs_is_a_change():
    """Values are compared as they are written: 1 and 1.0 are the same."""
    assert changes({"a": 1.0, "b": True}, {"a": 1, "b": False, "c": "x"}) == (
        Change("b", "true", "false"),
        Change("c", "", "x"),
    )


@pytest.mark.parametrize("baseline", [0.123456, 9.87654, 12.3456, 99.99, 123.456, 987.654, 12345.6])
@pytest.mark.parametrize("share", [0.021, 0.046, -0.31, 1.4])
def test_a_gain_agrees_with_the_means_beside_it(baseline, share):
    """A user who divides the two means as they are shown finds the gain, to a tenth of a percent."""
    (row,) = effect_rows([effect(SPEED, baseline * share, baseline=baseline)])
    before, after = (float(text.replace(",", "")) for text in (row.baseline, row.value))
    assert after / before - 1 == pytest.approx(float(row.gain.split()[0]) / 100, abs=2e-3)


def test_one_verified_configuration_is_what_to_deploy():
    """There is nothing to choose, and its card is the best's."""
    (card,) = cards_of(asked_as(result(ACCURATE), {16: SHOTS}), {})
    assert card.title == "Best parameters: trial 16"
    assert (card.recommended, json.loads(card.messages)) == (False, SHOTS)


def test_where_the_default_is_kept_nothing_else_can_be_copied():
    """The default's command comes first; what was tried is shown with its numbers only."""
    worse = choice(7, SAME, SLOWER, serve_args="other")
    kept = result(choice(16, SAME, SLOWER, serve_args="tried"), worse)
    changed = {"gain": [SAME, SLOWER], "serve_args": "default", "reference": 0}
    best = kept.status.best.model_copy(update=changed)
    kept = OptimizationResult("mine", kept.status.model_copy(update={"best": best}), engine="llamacpp")
    first, *others = cards_of(asked_as(kept, {0: PLAIN, 7: SHOTS, 16: SHOTS}), {})
    assert (first.title, first.recommended, first.command) == ("Keep the baseline", True, "default")
    assert json.loads(first.messages) == PLAIN
    copied = [(card.command, card.fields, card.messages, bool(card.rows)) for card in others]
    assert copied == [("", "", "", True)] * 2
    assert "What to deploy: choose one" not in page(kept)


def test_a_baseline_that_is_the_best_is_not_compared_with_itself():
    """Its command is what to take over; a gain of zero over itself says nothing."""
    status = found(SAME, SLOWER, trial=0, **ended())
    best = status.best.model_copy(update={"serve_args": "default", "others": [FASTER]})
    shown = OptimizationResult("mine", status.model_copy(update={"best": best}), engine="llamacpp")
    (card,) = cards_of(shown, {})
    assert (card.title, card.rows, card.command) == ("Keep the baseline", (), "default")
    assert "Other metrics of the best" not in page(shown)


def test_a_winner_is_what_to_deploy():
    """Of a benchmark it is the candidate that won; without one there is no card."""
    won = compared([50, 51, 49, 50, 52], [60, 61.5, 59, 60.5, 62])
    (card,) = cards_of(asked_as(won, {"a": SHOTS}), {})
    assert (card.title, json.loads(card.messages)) == ("Winner: a", SHOTS)
    assert card.rows[0].verdict == "better, significant"
    assert card.rows[0].mark.zero < card.rows[0].mark.low
    assert cards_of(compared([50, 51], [50, 51]), {}) == ()


def test_the_page_begins_with_the_doubts_and_the_choices():
    """What was disturbed comes before the headline, each choice is a line of it, the reason follows."""
    note = "Other programs or virtual machines disturbed the measurements: speeds may be wrong"
    text = re.sub(r"</?span[^>]*>", "", page(result(ACCURATE, QUICK, notes=[note])))
    places = [
        text.index(said)
        for said in (
            f"{note}.",
            "Verified over the baseline",
            "For accuracy: trial 16 (accuracy +0.500",
            f"For {SPEED}: trial 7 (accuracy +0.000, not significant",
            "Trial 16 is recommended because",
            "What to deploy: choose one",
            "llama-server -np 4",
        )
    ]
    assert places == sorted(places)


def test_the_page_says_which_trials_were_repaired():
    """How many, and beside each of the top the refused trial that it comes from."""
    shown = result(ACCURATE, top=[TrialResult(trial=5, metrics={"accuracy": 0.5}, repaired_from=3)])
    progress = shown.status.progress.model_copy(update={"repaired": 1})
    text = page(replace(shown, status=shown.status.model_copy(update={"progress": progress})))
    assert "(trial 3 repaired)" in text
    assert "1 trials of refused configurations, changed as the engine asked" in text


def test_the_page_says_where_the_uncertainty_comes_from():
    """Shares of the variance and what would help are a table of their own."""
    shares = VarianceShares(metric="accuracy", start=0.2, item=0.7, time=0.1, remedy="more items")
    text = page(result(ACCURATE, variances=[shares]))
    assert "Where the uncertainty comes from" in text
    assert "70 %" in text
    assert "more items" in text


def test_text_of_servers_is_no_markup():
    """A command that holds a tag is shown as it is."""
    forged = ACCURATE.model_copy(update={"serve_args": "<script>alert(1)</script>"})
    text = page(result(forged, QUICK))
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("with_zero", [True, False])
def test_marks_share_a_scale(with_zero):
    """All ends lie on it, in the order of their values, and zero where it is asked for."""
    low, missing, high = marks([Span(2, 1, 3), None, Span(8, 7, 9)], with_zero=with_zero)
    assert missing is None
    assert 0 <= low.low < low.value < high.low < high.value < high.low + high.width <= 100
    assert (low.zero is not None) == with_zero
    if with_zero:
        assert 0 <= low.zero < low.low


def test_a_single_value_is_in_the_middle():
    """A scale without extent has space on both sides."""
    (mark,) = marks([Span(5, 5, 5)])
    assert (mark.value, mark.width) == (50.0, 0.0)
    assert marks([None]) == (None,)


@pytest.mark.parametrize("stop", ["", "."])
def test_an_error_in_markdown_is_whole_sentences(stop):
    """Messages come with a full stop or without; what to do is a sentence of its own."""
    error = ErrorSummary(
        class_="RunnerLost", count=1, last_message=f"the runner ended{stop}", suggestion=f"read its log{stop}"
    )
    shown = result(ACCURATE, errors=[error])
    content = content_of(shown, resource_of(document()).spec, Measured(), manifest_text="metadata: x")
    assert "the runner ended. What to do: read its log.\n" in report_markdown(content)


def test_the_messages_of_a_prompt_are_there_to_copy():
    """Also as Markdown; a configuration that asks the question alone has none."""
    title = "Ask with these messages"
    assert title not in page(result(ACCURATE, QUICK))
    asked = [{"role": "user", "content": "<b>{question}"}]
    text = page(asked_as(result(ACCURATE, QUICK), {16: asked}))
    assert title in text
    assert ('id="messages-1"' in text, 'id="messages-2"' in text) == (True, False)
    assert "&lt;b&gt;{question}" in text
