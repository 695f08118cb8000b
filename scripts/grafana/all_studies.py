"""Which studies run, what they cost, and what fails."""

from expressions import BY_STUDY, HOUR, grown, left, most, of_study, time_left, trials
from panels import Dashboard, Panel, number

_KILOWATT_HOUR = "3.6e6"

STUDIES = Dashboard(
    "llmopt-studies",
    "llmopt: all studies",
    "Which studies run, what they cost and have left, and what fails.",
    [
        number(
            "Running studies",
            "Studies with a runner.",
            f"count(count {BY_STUDY} (llmopt_runner_build_info)) or vector(0)",
        ),
        number("Runners", "Runners that are scraped.", "count(llmopt_runner_build_info) or vector(0)"),
        number(
            "GPU hours spent",
            "In the time shown, of all runners.",
            f"{grown('llmopt_runner_gpu_seconds_total')} / {HOUR} or vector(0)",
            decimals=2,
        ),
        number(
            "GPU hours left",
            "What running studies with budget.gpuHours may still use.",
            f"sum({left('gpu')}) / {HOUR} or vector(0)",
            decimals=2,
        ),
        number(
            "Energy",
            "Of the GPUs that runners held, in the time shown.",
            f"{grown('llmopt_runner_gpu_energy_joules_total')} / {_KILOWATT_HOUR} or vector(0)",
            "kwatth",
            decimals=2,
        ),
        number(
            "Failed trials",
            "In the time shown.",
            grown("llmopt_runner_trials_total", 'kind="failed"') + " or vector(0)",
            decimals=0,
        ),
        Panel(
            "Progress",
            "Trials of the search that have ended, of those planned; a benchmark's repeats.",
            {"{{namespace}}/{{resource}}": f"{trials('finished')} / {trials('planned')}"},
            "percentunit",
            maximum=1,
        ),
        Panel(
            "Time left",
            "At the mean time of a trial so far, and with the runners there are. Repeats come on top.",
            {"{{namespace}}/{{resource}}": time_left()},
            "s",
        ),
        Panel(
            "GPU hours by study",
            "What its runners have held so far.",
            {"{{namespace}}/{{resource}}": f"{of_study('study_gpu_seconds')} / {HOUR}"},
        ),
        Panel(
            "GPU hours left by study",
            "Only of studies with budget.gpuHours.",
            {"{{namespace}}/{{resource}}": f"{left('gpu')} / {HOUR}"},
        ),
        Panel(
            "Failures by class",
            "The most frequent classes; docs/reference says what each means and what to do.",
            {"{{error_class}}": most(grown("llmopt_runner_errors_total", by="by (error_class)"))},
        ),
        Panel(
            "Failures by study",
            "In the time shown.",
            {"{{namespace}}/{{resource}}": grown("llmopt_runner_errors_total", by=BY_STUDY)},
        ),
        Panel(
            "Trials by end",
            "In the time shown.",
            {"{{kind}}": grown("llmopt_runner_trials_total", by="by (kind)")},
        ),
        Panel(
            "Resources by phase",
            "As the operator last saw them; also those that have ended.",
            {"{{kind}} {{phase}}": "sum by (kind, phase) (llmopt_operator_resources)"},
        ),
        Panel(
            "Memory incidents",
            "What the guards of all runners did, in the time shown.",
            {"{{action}}": grown("llmopt_runner_guard_actions_total", by="by (action)")},
        ),
    ],
)
