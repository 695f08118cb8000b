import io

import pytest
from rich.console import Console

from llmopt.progress import LinePrinter, line, panel, shown
from llmopt_core.api.conditions import Phase
from llmopt_core.resources.status import (
    BenchmarkStatus,
    Best,
    ErrorSummary,
    OptimizationStatus,
    Progress,
    RunnerStatus,
    StudyObjective,
    TrialResult,
    WarningSummary,
)


def progress(*, elapsed=65, finished=3, left=120, best=2, level="", phase=Phase.RUNNING, **fields):
    counts = Progress(
        budget=10, finished=finished, running=1, confirm_planned=6, measured=3,
        elapsed_seconds=elapsed, eta_seconds=left,
    )  # fmt: skip
    warned = {
        "baseline": TrialResult(trial=0, metrics={"accuracy": 0.5}),
        "errors": [ErrorSummary(class_="CudaFault", count=2)],
    }
    return OptimizationStatus(
        phase=phase,
        progress=counts,
        objectives=[StudyObjective(metric="accuracy", goal="maximize")],
        best=Best(trial=best, metrics={"accuracy": 0.6}),
        runners=[
            RunnerStatus(name="a", stage="measure", memory_mib=512, memory_total_mib=4096, memory_level=level)
        ],
        **(warned | fields),
    )


def console(**options):
    return Console(file=io.StringIO(), width=100, **options)


def test_a_line_says_all_that_a_person_asks():
    """Elapsed time, phase, trials, best with its gain, memory, errors and time left are in the line."""
    assert line(progress()) == (
        "[1 min 05 s] search; 3/10 trials, 1 running; best trial 2: accuracy 0.6 (+0.100 over the baseline, "
        "not verified); memory 512 of 4,096 MiB; errors CudaFault x2; about 2 min 00 s left"
    )


def test_without_a_default_there_is_no_gain():
    """Why it cannot run is said, and the best trial's values stand alone."""
    failure = ErrorSummary(class_="InvalidConfiguration", count=1)
    text = line(progress(baseline_failure=failure, baseline=None))
    assert "the baseline cannot run here: InvalidConfiguration" in text
    assert "best trial 2: accuracy 0.6;" in text


def test_a_level_of_memory_is_said_once_it_is_not_safe():
    """A user who watches sees that memory runs out before a trial ends for it."""
    assert "memory 512 of 4,096 MiB (CRITICAL);" in line(progress(level="critical"))


def test_the_panel_says_the_same():
    """The panel for terminals holds the same facts."""
    output = console()
    output.print(panel("mine", progress()))
    text = output.file.getvalue()
    for fact in (
        "mine",
        "3 of 10 done, 1 running",
        "accuracy 0.6",
        "512 of 4,096 MiB",
        "CudaFault x2",
        "2 min 00 s left",
    ):
        assert fact in text


def test_the_panel_says_how_many_trials_were_repaired():
    """They are among those that are counted by how they ended."""
    output, status = console(), progress()
    output.print(panel("mine", status.model_copy(update={"progress": Progress(measured=3, repaired=1)})))
    assert "3 measured; 1 of them repaired" in output.file.getvalue()


def test_an_ended_study_has_no_best_so_far():
    """What the search took for the best may not be what the repeats proved, and the result follows."""
    assert "best" not in line(progress(phase=Phase.COMPLETE, left=None))


@pytest.mark.parametrize("left", [None, 0])
def test_the_beginning_has_no_forecast(left):
    """Before a trial has ended nothing is promised."""
    assert "left" not in line(progress(left=left))


def test_news_is_printed_at_once_and_counts_seldom():
    """A new best is a line at once; a mere count waits, so that ten thousand trials are no flood."""
    output = console()
    printer = LinePrinter(output)
    for second in range(40):
        printer.progress(progress(elapsed=second, finished=second + 1, errors=[]))
    printer.progress(progress(elapsed=40, finished=40, best=9, errors=[]))
    lines = output.file.getvalue().splitlines()
    assert len(lines) == 4 + 1
    assert "trial 9" in lines[-1]


def test_nothing_new_is_not_printed_again():
    """The same look twice is one line."""
    output = console()
    printer = LinePrinter(output)
    for second in (0, 20, 40):
        printer.progress(progress(elapsed=second))
    assert len(output.file.getvalue().splitlines()) == 1


def test_a_terminal_gets_a_panel_and_events_stay():
    """On a terminal the panel goes away at the end and events stay above it."""
    output = console(force_terminal=True)
    with shown(output, "mine", live=True) as audience:
        audience.progress(progress())
        audience.event("runner 0 was killed by SIGKILL")
    assert "runner 0 was killed" in output.file.getvalue()


def test_text_of_others_is_not_taken_for_markup():
    """Brackets in an event are shown as they are."""
    output = console()
    with shown(output, "mine", live=False) as audience:
        audience.event("[red]error[/red] in [item]")
    assert output.file.getvalue() == "[red]error[/red] in [item]\n"


def test_a_benchmark_counts_repeats_and_names_what_is_measured():
    """Its trials are repeats of its candidates, and it compares from the first one on."""
    status = BenchmarkStatus(
        phase=Phase.RUNNING,
        progress=Progress(budget=10, finished=4, running=2),
        runners=[RunnerStatus(name="a", repeat="slots (repeat 3 of 5)")],
    )
    assert line(status) == "[0 s] comparison; 4/10 repeats; measuring slots (repeat 3 of 5)"


def test_a_confirmation_counts_repeats_beside_the_trials():
    """A user who waits sees how many are to come."""
    status = progress(phase=Phase.CONFIRMING, left=None)
    assert "verification; 3/10 trials, 1 running; 0/6 repeats" in line(status)


def test_memory_and_runners_are_of_those_that_are_there():
    """What a runner that ended last used is not in use."""
    runners = [
        RunnerStatus(name="a", stage="measure", memory_mib=512, memory_total_mib=4096),
        RunnerStatus(name="b", stage="load", memory_mib=256),
        RunnerStatus(name="c", stage="measure", memory_mib=999, ended="done"),
    ]
    status = progress().model_copy(update={"runners": runners})
    assert "memory 768 of 4,096 MiB" in line(status)
    output = console()
    output.print(panel("mine", status))
    assert "2 (measure, load)" in output.file.getvalue()


def test_a_warning_is_printed_once():
    """What a trial warns of is printed when it is first there, and not again with another count."""
    text = console()
    printer = LinePrinter(text)
    for count in (1, 2):
        warned = WarningSummary(
            count=count, last_message=f"the baseline scored 0 on all {count} items", last_trial=0
        )
        printer.progress(progress(warnings=[warned]))
    assert text.file.getvalue().count("warning: the baseline scored 0") == 1
