"""What a runner loads before its first trial: each of hundreds of short runners pays for it."""

import json
import subprocess
import sys


def loaded_by(module: str) -> set[str]:
    program = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(printed.stdout))


def test_what_only_some_studies_need_is_not_loaded_at_the_start():
    """Other samplers than `auto`, maximum rates and metrics cost a runner no time that asks for none."""
    loaded = loaded_by("llmopt_runner.main")
    assert not loaded & {"optuna", "prometheus_client", "scipy.optimize", "sklearn", "torch"}


def test_a_search_loads_forests_only_where_it_has_trials_enough_for_one():
    """They take two seconds of a processor, which a baseline or the first trials need not wait for."""
    loaded = loaded_by("llmopt_core.sampling.auto_studies")
    assert "scipy.optimize" in loaded
    assert not loaded & {"sklearn", "pandas", "scipy.stats"}
