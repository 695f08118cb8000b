"""What an evaluator is: one item's expected answer and a model's answer in, a score out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from statistics import fmean
from typing import ClassVar, Self

from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.search.configurations import Value
from llmopt_runner.datasets.base import Item

Argument = int | str


class EvaluatorInvalid(LlmoptError):
    """An evaluator cannot be set up as the manifest says, or cannot score this data set."""

    error_class = ErrorClass.INVALID_CONFIGURATION


class ScoringFailed(LlmoptError):
    """An answer could not be scored: there is no score, and no score is made up."""

    retryable = True
    error_class = ErrorClass.REQUESTS_FAILED


@dataclass(frozen=True)
class EvaluatorSettings:
    """What a manifest says about an evaluator. `endpoint_url` is the judge's or the scoring service's."""

    name: str
    args: Mapping[str, Argument] = field(default_factory=dict)
    endpoint_url: str | None = None
    endpoint_model: str | None = None
    api_key: str | None = field(default=None, repr=False)

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Raise EvaluatorInvalid when an argument is not one of `known`."""
        for name in self.args:
            if name not in known:
                raise EvaluatorInvalid(
                    f"workload.evaluator.args.{name} is not known to {self.name}: "
                    f"it takes {', '.join(known) or 'no arguments'}"
                )

    def refuse_endpoint(self) -> None:
        """Raise EvaluatorInvalid when an endpoint is given to an evaluator that asks none."""
        if self.endpoint_url is not None:
            raise EvaluatorInvalid(
                f"workload.evaluator.endpoint means nothing to {self.name}: "
                "remove it, or set workload.evaluator.name to judge or endpoint"
            )

    def decimal(self, name: str, default: str) -> Decimal:
        """Return the argument `name` as a finite number; raises EvaluatorInvalid."""
        text = str(self.args.get(name, default))
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite():
            raise EvaluatorInvalid(
                f"workload.evaluator.args.{name} is {text!r}: write a decimal number like '0.01'"
            )
        return number


class Evaluator(ABC):
    """Scores answers. `metric` is the catalogue's name of what comes out.

    `pairable` says that the metric is the mean of one score per item, so that two configurations can be
    compared item by item. An evaluator whose `aggregate` gives several metrics names them all in `metrics`.
    With `whole_set` all answers of a measurement are scored at once, by `score_set`, when it has ended.
    `needs_answers` says that it compares with the expected answer: items without one cannot be scored.
    """

    metric: ClassVar[str]
    pairable: ClassVar[bool] = True
    needs_answers: ClassVar[bool] = False
    whole_set: bool = False

    @classmethod
    def from_settings(cls, settings: EvaluatorSettings) -> Self:
        """Return the evaluator that `settings` describe; this one takes no arguments and no endpoint."""
        settings.refuse_unknown(())
        settings.refuse_endpoint()
        return cls()

    def can_score(self, item: Item) -> bool:
        """Say whether there is what an answer to `item` is compared with, where that is needed."""
        return bool(item.answer) or not self.needs_answers

    def check(self, items: Sequence[Item]) -> None:
        """Raise EvaluatorInvalid, before anything is measured, if some item cannot be scored."""
        unknown = [item.id for item in items if not self.can_score(item)]
        if unknown:
            raise EvaluatorInvalid(
                f"{len(unknown)} of {len(items)} items, such as {unknown[0]}, have no expected answer to"
                " compare with: set workload.evaluator.name to judge or endpoint, which need none, add"
                " the answers, or set workload.outputTokens to measure speed alone"
            )

    @abstractmethod
    async def score(self, item: Item, answer: str) -> float:
        """Return how good `answer` is, from 0 to 1; raises ScoringFailed."""

    async def score_set(
        self, items: Sequence[Item], answers: Sequence[str], parameters: Mapping[str, Value]
    ) -> Sequence[float]:
        """Return one score from 0 to 1 for each of `items`, whose `answers` are in the same order.

        `parameters` are the configuration's, by full name. Raises ScoringFailed.
        """
        del parameters
        return [await self.score(item, answer) for item, answer in zip(items, answers, strict=True)]

    def aggregate(self, scores: Mapping[str, float], answers: Mapping[str, str]) -> dict[str, float]:
        """Return metrics by catalogue name from the scores and the answers by item id.

        Raises EvaluatorInvalid when there are none: a mean of nothing is not zero.
        """
        del answers
        if not scores:
            raise EvaluatorInvalid(f"{self.metric} needs at least one scored answer")
        return {self.metric: fmean(scores.values())}
