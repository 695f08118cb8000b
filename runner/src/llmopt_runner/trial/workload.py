"""The workload of a manifest, made ready once: items split, prompts built, answers scored."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypedDict

from llmopt_core.metrics.catalog import GOOD_ANSWER_METRICS, is_scored
from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.load import Conversations, Load
from llmopt_core.resources.serving import Workload as WorkloadSpec
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.answers import Question, kept_question
from llmopt_core.storage.records import Claim, Phase, TrialRecord
from llmopt_runner.datasets.base import DatasetInvalid, DatasetSource, Item, Split
from llmopt_runner.datasets.dialogues import (
    recorded_answer,
    require_conversations,
    scores_of_items,
    turns_of,
)
from llmopt_runner.datasets.loading import load_dataset
from llmopt_runner.datasets.prompts import build_messages, messages_of_any, question_text
from llmopt_runner.datasets.synthetic_prompts import synthetic_prompt
from llmopt_runner.engines.base import Engine
from llmopt_runner.load.conversations import chained
from llmopt_runner.load.requests import ChatRequest
from llmopt_runner.load.shapes import ClosedLoop, ConstantRate, LoadShape, Poisson
from llmopt_runner.quality.base import Evaluator, EvaluatorInvalid
from llmopt_runner.quality.loading import load_evaluator
from llmopt_runner.trial.replays import replay
from llmopt_runner.trial.shared_prefixes import begun_alike, own_tokens
from llmopt_runner.trial.think_times import think_seconds

_SEED_LIMIT = 2**31


class _Prompt(TypedDict):
    system: str | None
    template: str | None
    shots: Sequence[Item]
    instruction: str | None


@dataclass(frozen=True)
class PreparedWorkload:
    """The items of the search, those held out for the confirmation, the examples; and what scores answers."""

    spec: WorkloadSpec
    instruction: str | None
    split: Split
    evaluator: Evaluator

    @property
    def scorer(self) -> Evaluator | None:
        """What scores answers; None where they go on beyond their end, to a fixed length."""
        fixed = self.spec.output_tokens is not None or self.spec.load.trace is not None
        return None if fixed else self.evaluator

    @property
    def in_conversations(self) -> bool:
        """Whether requests depend on each other: a part of a trial then says too little of the rest."""
        return self.spec.load.conversations is not None

    @classmethod
    def prepare(cls, spec: WorkloadSpec, *, api_key: str | None = None) -> Self:
        """Load and split what `spec` names; `api_key` is that of the judge's endpoint.

        Raises DatasetInvalid, EvaluatorInvalid, PluginNotFound or PluginBroken.
        """
        source = load_dataset(spec.dataset)
        count = spec.dataset.samples
        split = source.split(count, count, spec.dataset.seed)
        _require_trace(spec, split)
        evaluator = load_evaluator(spec.evaluator, _own_evaluator(source, spec, split), api_key=api_key)
        prepared = cls(spec, source.instruction, split, evaluator)
        if prepared.scorer is not None:
            evaluator.check(prepared._to_score())
        return prepared

    def _to_score(self) -> Sequence[Item]:
        """Return what must have an answer to compare with: of conversations, the turns that have one."""
        asked = self.asked(Phase.SEARCH) + self.asked(Phase.CONFIRM)
        if not self.in_conversations:
            return asked
        return [item for item in asked if self.evaluator.can_score(item)] or asked

    def require_same_items(self, trials: Sequence[TrialRecord]) -> None:
        """Raise DatasetInvalid where `trials` were measured on items that the data set no longer has.

        Scores of other questions would be compared with those of these. A file was changed since, or a newer
        version of llmopt asks a built-in data set in other words.
        """
        known = {item.id for item in (*self.split.search, *self.split.held_out)}
        asked = {item for trial in trials if trial.outcome is not None for item in trial.outcome.samples}
        if gone := sorted(asked - known):
            raise DatasetInvalid(
                f"workload.dataset: {len(gone)} items that this study was measured on, such as {gone[0]!r},"
                " are no longer in the data set: it was changed since the study began; start a new study"
            )

    def require_metrics(self, asked: Sequence[str]) -> None:
        """Raise EvaluatorInvalid where a metric of the scores that is `asked` for is not what answers get.

        A manifest does not show it where the evaluator follows from the data.
        """
        evaluator = self.evaluator
        given = {evaluator.metric, *getattr(evaluator, "metrics", ())}
        given |= set(GOOD_ANSWER_METRICS) if evaluator.pairable else set()
        missing = [name for name in asked if is_scored(name) and name not in given]
        if missing and self.scorer is not None:
            raise EvaluatorInvalid(
                f"the study asks for {missing[0]}, but its answers are scored by {type(evaluator).__name__},"
                f" which gives {evaluator.metric}: set workload.evaluator.name, or ask for {evaluator.metric}"
            )

    def questions(self) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
        """Return what is stored of the items of the search and of those held out; nothing unscored."""
        if self.scorer is None:
            return (), ()
        return _questions(self.asked(Phase.SEARCH)), _questions(self.asked(Phase.CONFIRM))

    def items(self, phase: Phase) -> tuple[Item, ...]:
        """Return the items that a trial of `phase` is asked."""
        return self.split.held_out if phase is Phase.CONFIRM else self.split.search

    def asked(self, phase: Phase) -> tuple[Item, ...]:
        """Return an item for each request of a trial of `phase`: of conversations, each of their turns."""
        items = self.items(phase)
        if (conversations := self.spec.load.conversations) is None:
            return items
        return tuple(turn for item in items for turn in turns_of(item, conversations.max_turns))

    def item_scores(self, scores: Mapping[str, float]) -> Mapping[str, float]:
        """Return the score of each item from the `scores` of what was asked: a conversation counts once."""
        return scores_of_items(scores) if self.in_conversations else scores

    def shape(self, claim: Claim) -> LoadShape:
        """Return how the requests of a trial arrive; its number fixes the arrivals of an open loop."""
        if (trace := self.spec.load.trace) is not None:
            return replay(trace, self.items(claim.phase))
        return _shape(self.spec.load, claim.number)

    def requests(self, claim: Claim, configuration: Configuration, engine: Engine) -> list[ChatRequest]:
        """Return the requests of a trial, each with a seed of its own where the engine takes one.

        Of a conversation it is the first turn, which the others follow.
        """
        seeds = random.Random(f"{self.spec.dataset.seed}/{claim.number}")  # noqa: S311 - repeatable, not secret
        fixed = "seed" in configuration.sampling
        seedable = "sampling.seed" in engine.declaration.parameters and not fixed

        def request(item: Item) -> ChatRequest:
            seed = seeds.randrange(_SEED_LIMIT) if seedable else None
            return self._request(item, configuration, engine, seed)

        return [
            begun_alike(self._opening(item, request), item, self._shared) for item in self.items(claim.phase)
        ]

    def _opening(self, item: Item, request: Callable[[Item], ChatRequest]) -> ChatRequest:
        conversations = self.spec.load.conversations
        return request(item) if conversations is None else self._conversation(item, conversations, request)

    def _conversation(
        self, item: Item, spec: Conversations, request: Callable[[Item], ChatRequest]
    ) -> ChatRequest:
        turns = turns_of(item, spec.max_turns)
        thinks = think_seconds(spec.think_time, item.id, len(turns) - 1, self.spec.dataset.seed)
        answers = [recorded_answer(turn) for turn in turns] if spec.history == "recorded" else None
        return chained(item.id, [request(turn) for turn in turns], thinks, answers)

    def warmup(self, configuration: Configuration, engine: Engine) -> list[ChatRequest]:
        """Return requests that warm the engine up with questions that no trial is measured on."""
        pool: Sequence[Item] = self.split.shots[::-1]
        count = self.spec.load.warmup_requests
        items = [pool[index % len(pool)] for index in range(count if pool else 0)]
        return [
            begun_alike(self._request(item, configuration, engine, None), item, self._shared)
            for item in items
        ]

    def messages(self, configuration: Configuration) -> Sequence[Mapping[str, str]]:
        """Return the messages of a request as they are deployed: with `{question}` in place of an item."""
        return messages_of_any(**self._prompt(configuration))

    def check(self, configuration: Configuration) -> None:
        """Raise TooFewExamples where `configuration` wants more of them than the data set has left."""
        self._shots(configuration)

    def _prompt(self, configuration: Configuration) -> _Prompt:
        """Return what of `configuration` and the data set makes an item the messages of a request."""
        return {
            "system": _text(configuration.prompt.get("system")),
            "template": _text(configuration.prompt.get("template")),
            "shots": self._shots(configuration),
            "instruction": self.instruction,
        }

    def _shots(self, configuration: Configuration) -> tuple[Item, ...]:
        return self.split.first_shots(int(configuration.prompt.get("few_shot", 0)))

    @property
    def _shared(self) -> float:
        """Which share of each prompt begins all others."""
        return float(self.spec.prompt.shared_prefix)

    def _with_prompt(self, item: Item) -> Item:
        """Return `item` with words in place of a prompt of which a trace keeps the length only."""
        traced = item.traced
        if traced is None or traced.prompt_tokens is None:
            return item
        length = own_tokens(item, self._shared)
        text = synthetic_prompt(length, item.id, blocks=traced.blocks, block_tokens=traced.block_tokens)
        return replace(item, question=text)

    def _request(
        self, item: Item, configuration: Configuration, engine: Engine, seed: int | None
    ) -> ChatRequest:
        messages = build_messages(self._with_prompt(item), **self._prompt(configuration))
        sampling: dict[str, Any] = engine.declaration.request_part(configuration)
        if seed is not None:
            sampling["seed"] = seed
        traced = item.traced
        length = self.spec.output_tokens or (traced.output_tokens if traced else None)
        asked = traced.prompt_tokens if traced else None
        if length is not None:
            fields = engine.fixed_length_fields(sampling, length)
            return ChatRequest(item.id, messages, length, fields, exact_tokens=True, prompt_tokens=asked)
        return ChatRequest(item.id, messages, self.spec.max_tokens, engine.request_fields(sampling))


def _require_trace(spec: WorkloadSpec, split: Split) -> None:
    """Raise DatasetInvalid where a trace is to be replayed and there is none, or the other way round."""
    traced = all(item.traced is not None for item in split.search)
    if spec.load.trace is not None and not traced:
        raise DatasetInvalid(
            "workload.load.trace: the data set has no arrival times: use a trace (BurstGPT, Azure, Mooncake,"
            " or rows with timestamp, input_tokens or prompt, and output_tokens), or load.rate"
        )
    if spec.load.trace is None and traced:
        raise DatasetInvalid("workload.dataset is a trace: set workload.load to `trace: {}` to replay it")


def _own_evaluator(source: DatasetSource, spec: WorkloadSpec, split: Split) -> str:
    """Return what scores the items if nothing else is said; raises DatasetInvalid."""
    if (conversations := spec.load.conversations) is None:
        return source.evaluator
    items = split.search + split.held_out
    require_conversations(items, conversations)
    return source.evaluator_of([turn for item in items for turn in turns_of(item, conversations.max_turns)])


def _questions(items: Sequence[Item]) -> tuple[Question, ...]:
    return tuple(kept_question(item.id, question_text(item), item.answer) for item in items)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _shape(load: Load, seed: int) -> LoadShape:
    if load.rate is not None:
        duration = None if load.duration is None else float(duration_seconds(load.duration))
        if load.arrivals == "constant":
            return ConstantRate(float(load.rate), duration)
        return Poisson(float(load.rate), seed, duration)
    return ClosedLoop(load.concurrency or 1)
