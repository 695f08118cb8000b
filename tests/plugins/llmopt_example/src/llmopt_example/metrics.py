"""The metric that `brevity` gives."""

from llmopt_core.metrics.catalog import Metric

BREVITY = Metric(
    name="brevity",
    unit="score 0..1",
    direction="maximize",
    scale="bounded",
    formula="mean over items of 1 / words of the answer",
    source="llmopt-example",
)
