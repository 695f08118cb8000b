"""`endpoint`: a user's own scoring code, in a process of its own, called over HTTP."""

from dataclasses import asdict
from typing import Self

from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator, EvaluatorInvalid, EvaluatorSettings, ScoringFailed
from llmopt_runner.quality.scoring_endpoints import ScoringClient


class EndpointScore(Evaluator):
    """What the service answers: `{"item": {…}, "answer": "…"}` is posted, `{"score": 0.5}` is read.

    `item` has id, question, answer (the expected one), kind and choices. The score is a number from 0 to 1.
    """

    metric = "score"

    def __init__(self, client: ScoringClient) -> None:
        self._client = client

    @classmethod
    def from_settings(cls, settings: EvaluatorSettings) -> Self:
        """Take the endpoint's URL, its key, and the argument `timeout_seconds` (30)."""
        settings.refuse_unknown(("timeout_seconds",))
        return cls(scoring_client(settings, settings.endpoint_url))

    async def score(self, item: Item, answer: str) -> float:
        """Return the service's score; raises ScoringFailed when it gives none."""
        document = await self._client.ask({"item": asdict(item), "answer": answer})
        score = document.get("score")
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise ScoringFailed(
                f"{self._client.shown} scored {item.id} with {score!r}: "
                'it must answer {"score": x} with a number from 0 to 1'
            )
        return float(score)


def scoring_client(settings: EvaluatorSettings, url: str | None) -> ScoringClient:
    """Return the client for `url`; raises EvaluatorInvalid without one or with a wrong timeout."""
    if url is None:
        raise EvaluatorInvalid(
            f"{settings.name} asks another server: write its address in workload.evaluator.endpoint.url"
        )
    timeout = settings.decimal("timeout_seconds", "30")
    if timeout <= 0:
        raise EvaluatorInvalid(
            f"workload.evaluator.args.timeout_seconds is {timeout}: it must be more than 0"
        )
    return ScoringClient(url, settings.api_key, float(timeout))
