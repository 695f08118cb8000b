"""How far one study is, and what it found against its baseline."""

from expressions import HOUR, grown, left, most, of_study, quantile, time_left, trials
from panels import Dashboard, Panel, Variable, number

_CHOSEN = 'namespace="$namespace", resource="$resource"'

STUDY = Dashboard(
    "llmopt-study",
    "llmopt: one study",
    "How far one study is, what it found against its baseline, and what it met.",
    [
        number(
            "Progress",
            "Trials of the search that have ended, of those planned; a benchmark's repeats.",
            f"{trials('finished', _CHOSEN)} / {trials('planned', _CHOSEN)}",
            "percentunit",
            maximum=1,
        ),
        number(
            "Repeats",
            "Measured again on held-out items, to verify what was found.",
            of_study("study_repeats", f'state="finished", {_CHOSEN}'),
        ),
        number(
            "Time left",
            "At the mean time of a trial so far, and with the runners there are. Repeats come on top.",
            time_left(_CHOSEN),
            "s",
        ),
        number("Budget left", "Of budget.duration.", left("active", _CHOSEN), "s"),
        number("GPU hours left", "Of budget.gpuHours.", f"{left('gpu', _CHOSEN)} / {HOUR}", decimals=2),
        number(
            "GPU hours spent",
            "By its runners so far.",
            f"{of_study('study_gpu_seconds', _CHOSEN)} / {HOUR}",
            decimals=2,
        ),
        Panel(
            "$metric",
            "Best trial so far, baseline, and the latest trial of each runner, in the metric's own unit.",
            {
                "best": of_study("objective_best", f'metric="$metric", {_CHOSEN}', "by (metric)"),
                "baseline": of_study("objective_baseline", f'metric="$metric", {_CHOSEN}', "by (metric)"),
                "latest, {{pod}}": f'llmopt_runner_objective_current{{metric="$metric", {_CHOSEN}}}',
            },
            width=24,
            repeat="metric",
        ),
        Panel(
            "Trials",
            "By state, as of the latest end of a trial.",
            {"{{state}}": of_study("study_trials", _CHOSEN, "by (state)")},
        ),
        Panel(
            "Trials by end",
            "Of its runners since each began.",
            {"{{kind}}": f"sum by (kind) (llmopt_runner_trials_total{{{_CHOSEN}}})"},
        ),
        Panel(
            "Errors by class",
            "The most frequent classes, in the time shown.",
            {"{{error_class}}": most(grown("llmopt_runner_errors_total", _CHOSEN, "by (error_class)"))},
        ),
        Panel(
            "Where the time goes",
            "Time of ended trials by stage, in the time shown.",
            {"{{stage}}": grown("llmopt_runner_stage_seconds_total", _CHOSEN, "by (stage)")},
            "s",
        ),
        Panel(
            "Trial duration",
            "Trials that asked an engine, in the time shown.",
            {
                "half below": quantile(0.5, "llmopt_runner_trial_duration_seconds", _CHOSEN),
                "95 % below": quantile(0.95, "llmopt_runner_trial_duration_seconds", _CHOSEN),
            },
            "s",
        ),
        Panel(
            "Engine start",
            "Until the first completion, in the time shown.",
            {
                "half below": quantile(0.5, "llmopt_runner_engine_start_seconds", _CHOSEN),
                "95 % below": quantile(0.95, "llmopt_runner_engine_start_seconds", _CHOSEN),
            },
            "s",
        ),
        Panel(
            "Memory in use",
            "Of each device that its runners watch, engines and others together.",
            {
                "{{pod}} {{device}}": f"llmopt_runner_memory_used_bytes{{{_CHOSEN}}}"
                f" / llmopt_runner_memory_total_bytes{{{_CHOSEN}}}"
            },
            "percentunit",
            maximum=1,
        ),
        Panel(
            "Memory level",
            "0 safe, 1 warning, 2 critical (the measurement ends), 3 emergency (the engine is killed).",
            {"{{pod}} {{device}}": f"llmopt_runner_memory_level{{{_CHOSEN}}}"},
            maximum=3,
        ),
        Panel(
            "Memory incidents",
            "What the guard did: refused a start, ended a measurement, killed an engine.",
            {"{{action}}": f"sum by (action) (llmopt_runner_guard_actions_total{{{_CHOSEN}}})"},
        ),
    ],
    [
        Variable("namespace", "namespace", "llmopt_runner_build_info"),
        Variable("resource", "resource", 'llmopt_runner_build_info{namespace="$namespace"}'),
        Variable("metric", "metric", f"llmopt_runner_objective_best{{{_CHOSEN}}}", several=True, hidden=True),
    ],
)
