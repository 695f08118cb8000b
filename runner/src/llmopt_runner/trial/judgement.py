"""What a measurement is worth: its metrics, whether it is valid, and what is kept and reported of it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.recommendations import decided_arguments
from llmopt_core.engines.registry import patterns_for
from llmopt_core.errors.classes import Failure
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.sampling.pruning import AUTO
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.storage.answers import kept_answers
from llmopt_core.storage.keys import MESSAGES_FACT
from llmopt_core.storage.measured_items import MeasuredItems, all_items
from llmopt_core.storage.records import Answer, Claim, Outcome, OutcomeKind, Phase, StudyDefinition
from llmopt_runner.engines.diagnosis import WITHOUT_CAUSE, diagnosis
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.guard.guard import GuardReading
from llmopt_runner.load.precision import spreads
from llmopt_runner.load.shapes import ClosedLoop
from llmopt_runner.load.summary import RequestsFailed, load_warnings, summarise
from llmopt_runner.quality.baseline import baseline_warning
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.costs import good_answers, highest_load, per_gpu, token_costs, undefined_costs
from llmopt_runner.trial.measurement import Measurement
from llmopt_runner.trial.outcomes import judged, short_names, without_requests
from llmopt_runner.trial.progress import Progress
from llmopt_runner.trial.validity import Validity, check_validity, unusable
from llmopt_runner.trial.workload import PreparedWorkload

log = logging.getLogger(__name__)

# Longer messages are not kept: every trial of a study would hold them.
_MOST_MESSAGE_BYTES = 16 * 1024


@dataclass(frozen=True)
class Judgement:
    """Judges measurements of one study's trials.

    `fixed` are the engine's parameters that the manifest fixes, by full name.
    """

    workload: PreparedWorkload
    definition: StudyDefinition
    declaration: EngineDeclaration
    fixed: Mapping[str, Value]
    engine_version: str
    stopping: StopSignal
    progress: Progress

    def outcome(
        self,
        claim: Claim,
        configuration: Configuration,
        measurement: Measurement,
        server: EngineServer,
        reading: GuardReading,
    ) -> Outcome:
        """Return what `measurement` on `server` is worth; `reading` is what its guard saw meanwhile."""
        outcome = self._observed(claim, configuration, measurement, server)
        try:
            speed = self._speed(measurement)
        except RequestsFailed as error:
            return self._without_requests(error, configuration, server)
        validity = _validity(measurement, server)
        metrics = {
            **speed,
            **self._quality(measurement),
            **self._costs(speed, measurement, reading),
            **reading.metrics(),
        }
        undefined, missing = self._lacking(metrics)
        # What a stopped trial measured of its first items may lack a metric that whole ones have.
        invalid = validity.invalid if measurement.pruned else (*validity.invalid, *missing)
        warnings = (
            *server.doubts(),
            *measurement.warnings,
            *load_warnings(measurement.run),
            *validity.warnings,
            *self._quality_warnings(claim, measurement),
            *invalid,
        )
        outcome = replace(outcome, metrics=metrics, warnings=warnings)
        return judged(outcome, validity, invalid=invalid, undefined=undefined, pruned=measurement.pruned)

    def _observed(
        self, claim: Claim, configuration: Configuration, measurement: Measurement, server: EngineServer
    ) -> Outcome:
        """Return the outcome with all but its metrics and warnings."""
        return Outcome(
            OutcomeKind.MEASURED,
            configuration,
            samples=dict(self.workload.item_scores(measurement.scores)),
            sample_metric=self._sample_metric(measurement),
            facts=self._facts(claim, configuration, server),
            items=self._kept_items(claim, measurement),
            curve=measurement.curve,
            spreads=spreads(measurement.steady.run),
            answers=self._kept_answers(claim, measurement),
        )

    def _sample_metric(self, measurement: Measurement) -> str:
        """Return the metric that is the mean of the scores; empty where none is, as of distinct words."""
        evaluator = self.workload.evaluator
        return evaluator.metric if measurement.scores and evaluator.pairable else ""

    def _quality(self, measurement: Measurement) -> Mapping[str, float]:
        scores = self.workload.item_scores(measurement.scores)
        return self.workload.evaluator.aggregate(scores, measurement.answers) if scores else {}

    def _speed(self, measurement: Measurement) -> dict[str, float]:
        """Return the metrics of the load. Raises RequestsFailed."""
        spec = self.workload.spec
        speed = summarise(
            measurement.run,
            spec.slo,
            max_error_ratio=float(spec.tolerate_failed_requests),
            steady=measurement.steady,
        )
        return speed | highest_load(measurement.curve)

    def _without_requests(
        self, error: RequestsFailed, configuration: Configuration, server: EngineServer
    ) -> Outcome:
        failure = self._requests_failure(error, server, short_names(configuration))
        return without_requests(
            configuration,
            failure,
            failed_ratio=error.failed / max(error.total, 1),
            tolerated=self.workload.spec.tolerate_failed_requests,
        )

    def _kept_items(self, claim: Claim, measurement: Measurement) -> MeasuredItems | None:
        """Return what later trials are compared with; None where nothing compares with this one."""
        unread = self.definition.pruner != AUTO or claim.phase is Phase.CONFIRM or measurement.pruned
        if unread or self.workload.in_conversations:
            return None
        shape = self.workload.shape(claim)
        concurrency = shape.concurrency if isinstance(shape, ClosedLoop) else None
        return all_items(measurement.items, len(self.workload.items(claim.phase)), concurrency)

    def _kept_answers(self, claim: Claim, measurement: Measurement) -> tuple[Answer, ...]:
        """Return the answers that people can look at, in the order of the items; none of a stopped trial."""
        if measurement.pruned:
            return ()
        order = (item.id for item in self.workload.asked(claim.phase))
        texts = {item: measurement.answers[item] for item in order if item in measurement.answers}
        return kept_answers(texts, measurement.scores, claim.phase)

    def _quality_warnings(self, claim: Claim, measurement: Measurement) -> tuple[str, ...]:
        """What is said before the search begins, where the baseline leaves nothing to compare."""
        if claim.phase is not Phase.BASELINE or not self.workload.evaluator.pairable:
            return ()
        items = self.workload.asked(claim.phase)
        warning = baseline_warning(items, measurement.scores, measurement.answers)
        if warning is None:
            return ()
        log.warning(warning)
        return (warning,)

    def _costs(
        self, speed: Mapping[str, float], measurement: Measurement, reading: GuardReading
    ) -> dict[str, float]:
        price = self.workload.spec.hourly_price
        tokens = token_costs(speed, measurement.run, hourly_price=price, energy_joules=reading.energy_joules)
        tokens |= per_gpu(speed, reading.gpus()[0])
        if not self.workload.evaluator.pairable:
            return tokens
        answers = good_answers(
            measurement.scores, measurement.scored, hourly_price=price, gpus=reading.gpus()
        )
        return tokens | answers

    def _requests_failure(
        self, error: RequestsFailed, server: EngineServer, numbers: Mapping[str, Value]
    ) -> Failure:
        """A request's own message may name its cause; an engine that fails or has died logs it."""
        patterns = patterns_for(server.engine.declaration)
        seen = classify(Evidence(str(error), numbers=numbers, patterns=patterns, served=True))
        if server.alive() and seen.error_class not in WITHOUT_CAUSE:
            return seen
        self.progress.stage = "reading the engine's log"
        return diagnosis(server, numbers, check=self.stopping.check) or error.failure

    def _lacking(self, metrics: Mapping[str, float]) -> tuple[Sequence[str], Sequence[str]]:
        """Return the asked metrics that no good answer leaves undefined, and what else is missing."""
        objectives = [part.metric for part in self.definition.objectives]
        constraints = [part.metric for part in self.definition.constraints]
        undefined = undefined_costs((*objectives, *constraints), metrics)
        return undefined, unusable(
            metrics, objectives=objectives, constraints=constraints, undefined=undefined
        )

    def _facts(self, claim: Claim, configuration: Configuration, server: EngineServer) -> dict[str, object]:
        engine = server.engine
        return {
            **server.facts(),
            **self._mergeable(claim, configuration),
            "engine_version": self.engine_version,
            **self._asked(configuration),
            "serve_command": engine.serve_arguments(configuration, server.settings),
            "request_fields": engine.request_fields(
                self.declaration.request_part(self.declaration.changed(configuration))
            ),
        }

    def _asked(self, configuration: Configuration) -> dict[str, object]:
        """The messages of a request, unless they are the question alone, or long: each trial stores them."""
        messages = self.workload.messages(configuration)
        alone = [each["content"] for each in messages] == ["{question}"]
        long = sum(len(each["content"].encode()) for each in messages) > _MOST_MESSAGE_BYTES
        return {} if alone or long else {MESSAGES_FACT: list(messages)}

    def _mergeable(self, claim: Claim, configuration: Configuration) -> dict[str, object]:
        """What to pass to a server elsewhere: what was searched, and what the engine was fixed to."""
        arguments = decided_arguments(
            self.declaration, configuration, searched=claim.parameters, fixed=self.fixed
        )
        return {} if arguments is None else {"serve_arguments": arguments.document()}


def _validity(measurement: Measurement, server: EngineServer) -> Validity:
    model = server.settings.model_files
    return check_validity(
        measurement.run,
        measurement.requests,
        ClosedLoop(1) if measurement.curve else measurement.shape,
        None if model is None else server.engine.context_tokens(model),
    )
