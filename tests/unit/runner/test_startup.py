"""What a runner loads before its first trial: each of hundreds of short runners pays for it."""

import json
import subprocess
import sys


def test_what_only_some_studies_need_is_not_loaded_at_the_start():
    """Other samplers than `auto`, maximum rates and metrics cost a runner no time that asks for none."""
    program = "import json, sys, llmopt_runner.main; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(printed.stdout))
    assert not loaded & {"optuna", "prometheus_client", "scipy.optimize", "sklearn", "torch"}
