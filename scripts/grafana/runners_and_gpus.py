"""What each runner does with its time, its memory and its GPUs."""

from expressions import HOUR, grown, quantile
from panels import Dashboard, Panel, Variable

_PODS = 'namespace=~"$namespace", pod=~"$pod"'

RUNNERS = Dashboard(
    "llmopt-runners",
    "llmopt: runners and GPUs",
    "What each runner does with its time, its memory and its GPUs.",
    [
        Panel(
            "Measuring",
            "Share of the time in which trials measured; the rest is starts, warm-up, waiting and overhead.",
            {
                "{{pod}}": "sum by (pod)"
                f' (increase(llmopt_runner_stage_seconds_total{{stage="measure", {_PODS}}}[$__range]))'
                f" / (sum by (pod) (increase(llmopt_runner_stage_seconds_total{{{_PODS}}}[$__range])) > 0)"
            },
            "percentunit",
            maximum=1,
        ),
        Panel(
            "Where the time goes",
            "Time of ended trials by stage, in the time shown.",
            {"{{stage}}": grown("llmopt_runner_stage_seconds_total", _PODS, "by (stage)")},
            "s",
        ),
        Panel(
            "Waiting for other runners",
            "Share of the time without a trial: fewer runners would cost less.",
            {"{{pod}}": f"rate(llmopt_runner_wait_seconds_total{{{_PODS}}}[$__rate_interval])"},
            "percentunit",
            maximum=1,
        ),
        Panel(
            "GPUs held",
            "As they count against budget.gpuHours.",
            {"{{pod}}": f"rate(llmopt_runner_gpu_seconds_total{{{_PODS}}}[$__rate_interval])"},
        ),
        Panel(
            "Power of the GPUs",
            "Where they count their energy: data-centre GPUs since Volta, no MIG slices.",
            {"{{pod}}": f"rate(llmopt_runner_gpu_energy_joules_total{{{_PODS}}}[$__rate_interval])"},
            "watt",
        ),
        Panel(
            "Trials per hour",
            "By runner, over the time shown.",
            {"{{pod}}": f"sum by (pod) (rate(llmopt_runner_trials_total{{{_PODS}}}[$__range])) * {HOUR}"},
        ),
        Panel(
            "Memory in use",
            "Engines and others together.",
            {"{{pod}} {{device}}": f"llmopt_runner_memory_used_bytes{{{_PODS}}}"},
            "bytes",
        ),
        Panel(
            "Memory level",
            "0 safe, 1 warning, 2 critical (the measurement ends), 3 emergency (the engine is killed).",
            {"{{pod}} {{device}}": f"llmopt_runner_memory_level{{{_PODS}}}"},
            maximum=3,
        ),
        Panel(
            "Memory incidents",
            "What the guards did, in the time shown.",
            {"{{pod}} {{action}}": grown("llmopt_runner_guard_actions_total", _PODS, "by (pod, action)")},
        ),
        Panel(
            "Engine starts",
            "Until the first completion, in the time shown.",
            {
                "half below": quantile(0.5, "llmopt_runner_engine_start_seconds", _PODS),
                "95 % below": quantile(0.95, "llmopt_runner_engine_start_seconds", _PODS),
            },
            "s",
        ),
        Panel(
            "Storage failures",
            "How often the database did not answer a runner, in the time shown.",
            {"{{pod}}": f"increase(llmopt_runner_storage_failures_total{{{_PODS}}}[$__range])"},
        ),
        Panel(
            "Runners by version",
            "Runners of a study that goes on keep their version through an upgrade.",
            {"{{version}}, {{engine}}": f"count by (version, engine) (llmopt_runner_build_info{{{_PODS}}})"},
        ),
    ],
    [
        Variable("namespace", "namespace", "llmopt_runner_build_info", several=True),
        Variable("pod", "pod", 'llmopt_runner_build_info{namespace=~"$namespace"}', several=True),
    ],
)
