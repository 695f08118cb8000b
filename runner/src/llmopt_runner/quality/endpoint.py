"""`endpoint`: a user's own scoring code, in a process of its own, called over HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

from llmopt_core.search.configurations import Value
from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import Evaluator, EvaluatorInvalid, EvaluatorSettings, ScoringFailed
from llmopt_runner.quality.scoring_endpoints import ScoringClient, quoted_document

# What of an item says when and after what it is asked.
_OF_THE_LOAD = ("traced", "later")


class EndpointScore(Evaluator):
    """What the service answers: `{"item": {…}, "answer": "…"}` is posted, `{"score": 0.5}` is read.

    `item` has id, question, answer (the expected one), kind, choices, alternatives and solution. The score
    is a number from 0 to 1. With `whole_set`, all answers of a measurement are posted at once, when it has
    ended: `{"items": […], "answers": […], "parameters": {…}}`, and `{"scores": […]}` is read, one for each.
    """

    metric = "score"

    def __init__(self, client: ScoringClient, *, whole_set: bool = False) -> None:
        self._client = client
        self.whole_set = whole_set

    @classmethod
    def from_settings(cls, settings: EvaluatorSettings) -> Self:
        """Take the endpoint's URL, its key, `timeout_seconds` (30) and `whole_set` ('false')."""
        settings.refuse_unknown(("timeout_seconds", "whole_set"))
        whole_set = str(settings.args.get("whole_set", "false"))
        if whole_set not in ("true", "false"):
            raise EvaluatorInvalid(
                f"workload.evaluator.args.whole_set is {whole_set!r}: write 'true' or 'false'"
            )
        client = scoring_client(settings, settings.endpoint_url)
        return cls(client, whole_set=whole_set == "true")

    async def score(self, item: Item, answer: str) -> float:
        """Return the service's score; raises ScoringFailed when it gives none."""
        document = await self._client.ask({"item": _document(item), "answer": answer})
        return self._checked(item, document.get("score"))

    async def score_set(
        self, items: Sequence[Item], answers: Sequence[str], parameters: Mapping[str, Value]
    ) -> Sequence[float]:
        """Return the service's scores of all `answers`; raises ScoringFailed when it gives not as many."""
        asked = {"items": [_document(item) for item in items], "answers": list(answers)}
        document = await self._client.ask({**asked, "parameters": dict(parameters)})
        scores = document.get("scores")
        if not isinstance(scores, list) or len(scores) != len(items):
            raise ScoringFailed(
                f"{self._client.shown} answered {quoted_document(document)} for {len(items)} answers: "
                'it must answer {"scores": [x, ...]} with a number from 0 to 1 for each of them'
            )
        return [self._checked(item, score) for item, score in zip(items, scores, strict=True)]

    def _checked(self, item: Item, score: Any) -> float:
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise ScoringFailed(
                f"{self._client.shown} scored {item.id} with {quoted_document(score)}: "
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


def _document(item: Item) -> Mapping[str, Any]:
    """Return an item as services read it: what is its own, not when a trace sent it."""
    return {name: value for name, value in asdict(item).items() if name not in _OF_THE_LOAD}
