"""Prompts that a model cannot take: reported before they are sent, where its server would take them."""

from collections.abc import Sequence
from pathlib import Path

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import Engine
from llmopt_runner.load.requests import ChatRequest


def too_long(
    engine: Engine, model: Path | None, requests: Sequence[ChatRequest], configuration: Configuration
) -> Failure | None:
    """Return why the model at `model` cannot answer `requests`; None: it can, or nobody knows."""
    limit = None if model is None else engine.context_tokens(model)
    if model is None or limit is None:
        return None
    prompts = ["\n".join(str(message["content"]) for message in request.messages) for request in requests]
    # A token has a byte at least: most workloads need not be counted.
    suspects = [prompt for prompt in prompts if len(prompt.encode()) >= limit]
    counts = engine.count_tokens(model, suspects) if suspects else None
    beyond = [count for count in counts or () if count >= limit]
    if not beyond:
        return None
    return Failure(
        ErrorClass.KV_CACHE_TOO_SMALL,
        f"{len(beyond)} of {len(prompts)} prompts do not fit into the model's context of {limit} tokens: the"
        f" longest has {max(beyond)}",
        _suggestion(configuration, limit),
        of_requests=True,
    )


def _suggestion(configuration: Configuration, limit: int) -> str:
    examples = int(configuration.prompt.get("few_shot", 0))
    fewer = f"lower prompt.few_shot ({examples}), " if examples else ""
    return (
        f"{fewer}leave items of {limit} tokens and more out of the data set, or take a model with a longer"
        " context."
    )
