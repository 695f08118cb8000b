"""A small optimization of the temperature on an endpoint, as tests of the runner ask for it."""


def manifest(
    url, *, trials=8, confirm=None, budget=None, objectives=("accuracy",), samples=24, concurrency=4, **spec
):
    """Return an optimization of the temperature on the endpoint at `url`."""
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "study"},
        "spec": {
            "model": {"source": "hf://nobody/fake-model"},
            "engine": {"name": "openai", "endpoint": {"url": url, "model": "fake-model"}},
            "workload": {
                "dataset": {"name": "arithmetic", "samples": samples},
                "load": {"concurrency": concurrency, "warmupRequests": 1},
                "maxTokens": 16,
            },
            "search": {
                "pruner": {"name": "none"},
                "space": {
                    "sampling": [{"name": "temperature", "float": {"low": "0", "high": "1", "step": "0.1"}}]
                },
            },
            "objectives": [{"metric": metric} for metric in objectives],
            "budget": {"trials": trials, **(budget or {})},
            "confirm": confirm or {"top": 0},
            **spec,
        },
    }
