"""A status in words: the same in the terminal, in the report and in a resource."""

import pytest
from fakes.comparisons import SPEED
from fakes.statuses import choice, compared, effect, ended, found

from llmopt_core.analysis.effects import Interval
from llmopt_core.resources.status import ConstraintStanding, ErrorSummary, StudyObjective, VarianceShares
from llmopt_core.results.wording import (
    advice,
    chosen,
    headline,
    keeps_default,
    offered,
    outcome,
    proof,
    purpose,
    serve_title,
    short_gain,
    variance_text,
)

PROVED = effect(interval=Interval(0.05, 0.15))
OPEN = effect(interval=Interval(-0.05, 0.15))
SAME = effect(difference=0.005, interval=Interval(-0.01, 0.02))
WORSE = effect(difference=-0.1, interval=Interval(-0.15, -0.05))
SLOWER = effect("e2e_ms_p50", 0.1, Interval(0.05, 0.15))
FASTER = effect("output_tokens_per_second", 0.1, Interval(0.05, 0.15))
BROKEN = ConstraintStanding(
    constraint="ttft_ms_p95 <= 500", value=400, bound=500, kept=True, baseline=812, baseline_kept=False
)
CLEAR = compared([50, 51, 49, 50, 52], [60, 61.5, 59, 60.5, 62], [40, 41, 39, 40, 41])


def over_a_broken_baseline(*gain, **fields):
    """Return a verified result whose baseline breaks a constraint that the best keeps."""
    status = found(*gain, confirmed=True, **fields)
    return status.model_copy(update={"best": status.best.model_copy(update={"constraints": [BROKEN]})})


def test_what_a_broken_baseline_costs_to_replace_is_a_choice():
    """All that is verified keeps the constraints, so it is offered though nothing is better."""
    status = over_a_broken_baseline(WORSE, choices=[choice(3, WORSE), choice(7, OPEN)])
    assert [each.trial for each in offered(status)] == [3, 7]
    assert headline(status).startswith("The baseline breaks ttft_ms_p95 <= 500 (812); trial 3 keeps every")
    assert serve_title(status) == "Serve it"
    assert not keeps_default(status)


def test_without_a_proved_gain_the_default_is_to_be_kept():
    """A winner that is not proved better is no reason to change anything."""
    assert "keep the baseline" in advice(found(OPEN, confirmed=True))
    assert advice(found(PROVED, confirmed=True)) == ""
    assert advice(found(effect())) == ""


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (found(trial=None, trials=0), "Nothing was measured yet"),
        (found(trial=None, trials=0, **ended()), "No configuration could be measured"),
        (found(trial=None, trials=1), "1 configuration was measured so far, and none keeps every constraint"),
        (found(), "The baseline was not measured"),
        (found(effect(), trial=0), "No gain: nothing that was tried is better than the baseline"),
        (found(effect(), trial=0, trials=1), "Only the baseline was measured"),
        (found(effect()), "Not verified by repeats: accuracy +0.100 over the baseline"),
        (found(OPEN, confirmed=True), "No significant gain over the baseline (accuracy"),
        (
            found(PROVED, confirmed=True),
            "Significant gain over the baseline: accuracy +0.100 [+0.050 to +0.150]",
        ),
        (
            found(PROVED, SLOWER, confirmed=True),
            "A trade-off against the baseline: accuracy +0.100 [+0.050 to +0.150] for e2e_ms_p50 +20.0 %",
        ),
    ],
)
def test_the_headline_is_honest(shown, text):
    """A gain is called significant only when it is proved and nothing else got worse."""
    assert headline(shown).startswith(text)


def test_better_in_one_and_worse_in_another_is_a_trade_off():
    """A significant loss beside a significant gain: both are reported, without advice for the baseline."""
    text = advice(found(FASTER, WORSE, confirmed=True))
    assert text.startswith("A trade-off: output_tokens_per_second for accuracy.")


def test_without_a_default_gains_are_over_the_trial_in_its_place():
    """Why it cannot run comes first."""
    failure = ErrorSummary(class_="InvalidConfiguration", count=1, last_message="at most 856")
    status = found(PROVED, confirmed=True, default=None, baseline_failure=failure)
    status = status.model_copy(update={"best": status.best.model_copy(update={"reference": 2})})
    assert headline(status).startswith(
        "The baseline cannot run here (InvalidConfiguration: at most 856). Significant gain over trial 2:"
    )


ACCURATE = choice(
    16, effect(difference=0.5, interval=Interval(0.4, 0.6)),
    effect(SPEED, -0.05, Interval(-0.06, -0.04), baseline=1.0), weighted=0.3, best_for=["accuracy"],
)  # fmt: skip
QUICK = choice(
    7, effect(difference=0.0, interval=Interval(-0.1, 0.1)),
    effect(SPEED, 0.3, Interval(0.2, 0.4), baseline=1.0), weighted=0.15, best_for=[SPEED],
)  # fmt: skip
TWO = found(*ACCURATE.gain, trial=16, confirmed=True, choices=[ACCURATE, QUICK])


def test_the_verified_choices_are_the_headline():
    """Each says what it is for and what it costs; what is not significant is called so."""
    assert headline(TWO).split(". ") == [
        "Verified over the baseline",
        f"For accuracy: trial 16 (accuracy +0.500, {SPEED} -5.0 %)",
        f"For {SPEED}: trial 7 (accuracy +0.000, not significant, {SPEED} +30.0 %)",
    ]


def test_a_choice_that_is_best_for_nothing_is_a_compromise():
    """The knee lies between the others; the recommended one is the best by the weights."""
    knee = choice(5, PROVED, FASTER)
    assert purpose(knee, TWO) == "Between the others"
    assert purpose(knee, TWO.model_copy(update={"choices": [knee]})) == "Best by the weights"


def test_how_the_best_was_chosen_is_one_sentence_with_numbers():
    """The weights, its mean gain and that of the next."""
    weighted = [
        StudyObjective(metric="accuracy", goal="maximize", weight=2.0),
        StudyObjective(metric=SPEED, goal="maximize"),
    ]
    assert chosen(TWO.model_copy(update={"objectives": weighted})) == (
        f"Trial 16 is recommended because its mean gain by the weights (accuracy 2, {SPEED} 1)"
        " is the largest of 2 verified choices: 0.3 against 0.15 of trial 7."
    )


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (found(PROVED, confirmed=True, choices=[choice(3, PROVED)]),
         "because it is the only one verified with a significant gain, 0.1 by accuracy."),
        (found(OPEN, confirmed=True, choices=[choice(3, OPEN)]),
         "trial 3 has the largest gain by accuracy, 0.1; none is significant."),
        (over_a_broken_baseline(OPEN, choices=[choice(3, OPEN)]),
         "recommended because its gain by accuracy is the largest (0.1), though none is significant."),
        (found(effect(), trials=12), "Trial 3 is the best of 12 measured configurations by accuracy."),
        (found(effect(), trial=0), ""),
        (CLEAR.status, ""),
    ],
)  # fmt: skip
def test_how_the_best_was_chosen_without_rivals(status, text):
    """One verified choice, none that is significant, nothing verified, nothing to choose."""
    assert chosen(status).endswith(text)
    assert bool(chosen(status)) == bool(text)


def test_what_was_disturbed_is_said_first():
    """A machine that never was quiet makes all numbers doubtful."""
    doubt = "Other programs or virtual machines disturbed the measurements: speeds may be wrong"
    status = found(PROVED, notes=[doubt])
    assert headline(status).startswith(f"{doubt}. Not verified by repeats:")
    assert outcome(status).startswith("Not verified by repeats:")


def test_the_variance_is_split_and_a_remedy_named():
    """A user who wants narrower intervals knows whether to pay for starts or for items."""
    shares = VarianceShares(metric="accuracy", start=0.2, item=0.7, time=0.1, remedy="more items")
    assert variance_text(shares) == (
        "accuracy: 20 % between engine starts, 70 % between items, 10 % over time;"
        " more items would make the interval narrower"
    )


def test_of_a_speed_repeats_take_the_place_of_items():
    """A speed is one value a repeat: more items would not help."""
    shares = VarianceShares(metric=SPEED, start=0.0, item=1.0, time=0.0, remedy="more items")
    assert "100 % between repeats" in variance_text(shares)
    assert "more repeats would make" in variance_text(shares)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (found(PROVED, confirmed=True), "+0.100 (+0.050 to +0.150)"),
        (found(effect()), "+0.100 (not verified)"),
        (found(effect(), trial=0), "none"),
        (found(trial=None), "none"),
    ],
)
def test_a_gain_fits_into_a_table(status, text):
    """The first objective's, with its interval."""
    assert short_gain(status) == text


def test_a_benchmarks_headline_begins_like_a_sentence_or_a_name():
    """The winner's name is written as it is; everything else as a sentence."""
    assert headline(CLEAR.status).startswith("a wins: ")
    assert headline(compared([50, 51], [50, 51]).status).startswith("No significant difference")
    assert headline(compared([50], [51], done=False).status).startswith("No")


@pytest.mark.parametrize(
    ("found", "said"), [(CLEAR, "95 % intervals, right for all differences together."),
                       (compared([50, 51]), "95 % intervals.")],
)  # fmt: skip
def test_it_is_said_what_the_intervals_mean(found, said):
    """A user who reads an interval knows its level, and whether it was corrected."""
    assert said in proof(found.status)
