import io

import pytest
from rich.console import Console

from llmopt.progress import LinePrinter, line, panel, shown
from llmopt_core.results.optimizations import compare
from llmopt_core.results.progress import Progress


def progress(**changes):
    fields = {
        "phase": "search", "finished": 3, "running": 1, "budget": 10, "repeats": 0, "repeats_planned": 6,
        "elapsed_seconds": 65.0, "left_seconds": 120.0, "best_trial": 2,
        "gains": (compare("accuracy", 0.5, 0.6),), "memory_mib": 512.0,
        "memory_total_mib": 4096.0, "outcomes": (("measured", 3),), "errors": (("CudaFault", 2),),
        "runners": 1, "stages": ("measure",),
    }  # fmt: skip
    return Progress(**(fields | changes))


def console(**options):
    return Console(file=io.StringIO(), width=100, **options)


def test_a_line_says_all_that_a_person_asks():
    """Elapsed time, phase, trials, best with its gain, memory, errors and time left are in the line."""
    assert line(progress()) == (
        "[1 min 05 s] search; 3/10 trials, 1 running; best trial 2: accuracy 0.6 (+0.100 over the default, "
        "not confirmed); memory 512 of 4,096 MiB; errors CudaFault x2; about 2 min 00 s left"
    )


def test_without_a_default_there_is_no_gain():
    """Why it cannot run is said, and the best trial's values stand alone."""
    text = line(progress(default_failure="InvalidConfiguration"))
    assert "the default cannot run here: InvalidConfiguration" in text
    assert "over the default" not in text


def test_a_level_of_memory_is_said_once_it_is_not_safe():
    """Whoever watches sees that memory runs out before a trial ends for it."""
    assert "memory 512 of 4,096 MiB (CRITICAL);" in line(progress(memory_level="critical"))


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


def test_an_ended_study_has_no_best_so_far():
    """What the search took for the best may not be what the repeats proved, and the result follows."""
    assert "best" not in line(progress(phase="ended", left_seconds=None))


@pytest.mark.parametrize("left", [None, 0.0])
def test_the_beginning_has_no_forecast(left):
    """Before a trial has ended nothing is promised."""
    assert "left" not in line(progress(left_seconds=left))


def test_news_is_printed_at_once_and_counts_seldom():
    """A new best is a line at once; a mere count waits, so that ten thousand trials are no flood."""
    output = console()
    printer = LinePrinter(output)
    for second in range(40):
        printer.progress(progress(elapsed_seconds=float(second), finished=second, errors=()))
    printer.progress(progress(elapsed_seconds=40.5, best_trial=9, errors=()))
    lines = output.file.getvalue().splitlines()
    assert len(lines) == 4 + 1
    assert "trial 9" in lines[-1]


def test_nothing_new_is_not_printed_again():
    """The same look twice is one line."""
    output = console()
    printer = LinePrinter(output)
    for second in (0.0, 20.0, 40.0):
        printer.progress(progress(elapsed_seconds=second))
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
