"""When a study has cost enough."""

from dataclasses import replace

import pytest
from fakes.records import outcome, trial

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources.optimization import Budget, Confirm, Target
from llmopt_core.results.durations import active_seconds
from llmopt_core.storage.records import OutcomeKind, Phase, RunnerRecord
from llmopt_runner.loop.budgets import confirm_seconds, nothing_left, search_ending, untried_text

NO_CONFIRM = Confirm(top=0)


def runner(name, index, seconds):
    return RunnerRecord(name=name, index=index, beat=1, active_seconds=seconds)


def measured(number, seconds=4.0, **metrics):
    return trial(number, outcome(metrics=metrics or {"accuracy": 0.5}, seconds={"total": seconds}))


def test_active_time_adds_restarts_and_takes_the_longest_index():
    """Runners of one index follow each other, those of different indexes run side by side."""
    assert active_seconds([runner("a", 0, 10), runner("b", 0, 5), runner("c", 1, 12)]) == 15


def test_no_runner_has_cost_no_time():
    """Before the first heartbeat nothing was spent."""
    assert active_seconds([]) == 0


def test_the_confirmation_is_estimated_from_measured_trials_only():
    """Copies and failures cost no time and say nothing of a repeat's length."""
    copy = outcome(kind=OutcomeKind.COPIED, seconds={"total": 0})
    trials = [measured(0, 4), measured(1, 6), trial(2, copy)]
    assert confirm_seconds(trials, Confirm(top=2, repeats=5), 1) == 5 * 15
    assert confirm_seconds(trials, Confirm(top=2, repeats=5), 3) == 5 * 5
    assert confirm_seconds(trials, NO_CONFIRM, 1) == 0


WAITING, RUNNING = "waiting", "running"


def in_state(number, state, phase=Phase.SEARCH):
    return replace(trial(number, phase=phase), state=state, outcome=None)


@pytest.mark.parametrize(
    ("trials", "budget", "expected"),
    [
        ([], 2, True),
        ([measured(0), measured(1)], 2, True),
        ([measured(0), measured(1), in_state(2, WAITING)], 2, True),  # enqueued beyond the budget
        ([measured(0), in_state(1, WAITING)], 2, False),
        ([measured(0), in_state(1, RUNNING), in_state(2, WAITING)], 2, False),  # it may be given back
        ([measured(0), trial(1, outcome(OutcomeKind.RETURNED)), in_state(2, WAITING)], 2, False),
        ([measured(0), measured(1), in_state(2, WAITING, Phase.CONFIRM)], 2, True),
        ([measured(0), in_state(1, WAITING, Phase.CONFIRM)], None, False),
        ([in_state(0, WAITING), trial(1, outcome(), phase=Phase.CONFIRM)], None, True),
    ],
)
def test_what_waits_beyond_the_budget_is_nothing_left(trials, budget, expected):
    """A study ends when no trial runs and none that waits will ever be claimed."""
    assert nothing_left(trials, budget) is expected


@pytest.mark.parametrize(
    ("given", "repaired", "text"),
    [
        (0, 0, ""),
        (3, 0, "; 3 given configurations were not tried, for the budget is spent"),
        (0, 1, "; 1 repaired configurations were not tried, for the budget is spent"),
        (2, 1, "; 2 given and 1 repaired configurations were not tried, for the budget is spent"),
    ],
)
def test_what_the_budget_left_untried_is_reported(given, repaired, text):
    """Both those of the manifest and those that were repaired, by their number."""
    waiting = [in_state(number, WAITING) for number in range(given + repaired)]
    trials = [*waiting[:given], *(replace(each, repaired_from=0) for each in waiting[given:])]
    assert untried_text([measured(9), *trials]) == text


def test_the_search_goes_on_within_its_budget():
    """Nothing is ended that has neither failed, nor reached its target, nor spent its time."""
    assert search_ending(Budget(duration="1m"), NO_CONFIRM, [measured(0)], [runner("a", 0, 10)]) is None


def test_the_deadline_keeps_the_time_of_the_confirmation_free():
    """With 60 s in all and 20 s of confirmation the search ends at 40 s, not at 60."""
    trials, confirm = [measured(0, 2.0)], Confirm(top=1, repeats=5)
    assert search_ending(Budget(duration="1m"), confirm, trials, [runner("a", 0, 39)]) is None
    ending = search_ending(Budget(duration="1m"), confirm, trials, [runner("a", 0, 41)])
    assert ending is not None
    assert (ending.reason, ending.failed) == ("DeadlineExceeded", False)
    assert ending.message == (
        "the search has spent its part of spec.budget.duration, 40 s of 60 s;"
        " the rest is for the verification"
    )
    whole = search_ending(Budget(duration="1m"), NO_CONFIRM, trials, [runner("a", 0, 61)])
    assert whole is not None
    assert whole.message == "spec.budget.duration of 60 s is spent"


def test_gpu_hours_are_counted_over_runners_and_their_gpus():
    """Two runners of two GPUs each spend four GPU seconds a second; the confirmation's share is kept."""
    runners = [replace(runner("a", 0, 300), gpus=2), replace(runner("b", 1, 300), gpus=2)]
    trials, confirm = [measured(0, 20.0)], Confirm(top=1, repeats=5)  # 10 repeats of 20 s on 2 GPUs: 400
    assert search_ending(Budget(gpu_hours="0.5"), confirm, trials, runners) is None  # 1200 of 1800 - 400
    ending = search_ending(Budget(gpu_hours="0.4"), confirm, trials, runners)  # 1200 of 1440 - 400
    assert ending is not None
    assert (ending.reason, ending.failed) == ("BudgetSpent", False)
    assert ending.message == (
        "the search has spent its part of spec.budget.gpuHours, 0.289 of 0.4;"
        " the rest is for the verification"
    )


def test_gpu_hours_do_not_bind_a_runner_without_gpus():
    """What holds no GPU spends none."""
    assert search_ending(Budget(gpu_hours="0.001"), NO_CONFIRM, [], [runner("a", 0, 9999)]) is None


def test_too_many_failed_trials_fail_the_study():
    """The third failed trial ends a study that may have three; infeasible ones are no failures."""
    failed = [trial(n, outcome(kind=OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED)) for n in range(3)]
    infeasible = [trial(9, outcome(kind=OutcomeKind.INFEASIBLE))]
    budget = Budget(max_failed_trials=3)
    assert search_ending(budget, NO_CONFIRM, failed[:2] + infeasible, []) is None
    ending = search_ending(budget, NO_CONFIRM, failed, [])
    assert ending is not None
    assert (ending.reason, ending.failed) == ("TooManyFailures", True)


def test_the_target_ends_the_search_in_the_metrics_own_direction():
    """A latency reaches its target from above, a score from below; pruned trials reach nothing."""
    low = Budget(target=Target(metric="ttft_ms_p95", value="100"))
    high = Budget(target=Target(metric="accuracy", value="0.9"))
    assert search_ending(low, NO_CONFIRM, [measured(0, ttft_ms_p95=101)], []) is None
    assert search_ending(low, NO_CONFIRM, [measured(0, ttft_ms_p95=99)], []).reason == "GoalReached"
    assert search_ending(high, NO_CONFIRM, [measured(0, accuracy=0.95)], []).reason == "GoalReached"
    pruned = trial(1, outcome(kind=OutcomeKind.PRUNED, metrics={"accuracy": 1.0}))
    assert search_ending(high, NO_CONFIRM, [pruned], []) is None
