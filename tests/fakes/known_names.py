"""What an installation knows, for validation: built-in engines and metrics, some data sets and evaluators."""

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources.known import Known

_EVALUATORS = {"exact": ("accuracy",), "numeric": ("accuracy",), "f1": ("token_f1",)}
KNOWN = Known(
    engines=tuple(BUILT_IN),
    declaration=BUILT_IN.get,
    metrics=tuple(CATALOG),
    datasets=("arithmetic", "korean_math"),
    evaluators=(*_EVALUATORS, "foreign"),
    metrics_of=_EVALUATORS.get,
    evaluator_of={"arithmetic": "numeric"}.get,
    holds_conversations={"arithmetic": False}.get,
)
