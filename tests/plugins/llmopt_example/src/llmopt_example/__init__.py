"""An engine, a data set, an evaluator and a metric for llmopt."""
