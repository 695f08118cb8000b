"""One trial: from a claimed configuration to an outcome. Every end is an outcome; only a stop raises."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.resources.base import duration_seconds
from llmopt_core.resources.search_spaces import complete
from llmopt_core.sampling.pruning import AUTO
from llmopt_core.sampling.refusals import known_refusal
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.storage.records import Claim, Outcome, OutcomeKind, Phase
from llmopt_core.storage.repeats import ended_as
from llmopt_core.storage.studies import Study
from llmopt_runner.datasets.base import TooFewExamples
from llmopt_runner.engine_slot.engine_memory import MemoryExceeded
from llmopt_runner.engine_slot.slot import EngineSlot
from llmopt_runner.engines.diagnosis import DeathWatch, death
from llmopt_runner.engines.failures import EngineNotInstalled, EngineStartFailed
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.host.contention import gpu_shortage, watch_processors
from llmopt_runner.load.conversations import every_turn
from llmopt_runner.load.distinct_prompts import distinct
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.quality.base import ScoringFailed
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.judgement import Judgement
from llmopt_runner.trial.max_rate import MaxRateSearch, known_value
from llmopt_runner.trial.measurement import Measurement, Prune, measure, measure_max_rate, warm_up
from llmopt_runner.trial.outcomes import by_requests, failed, short_names, timed_out
from llmopt_runner.trial.progress import Progress, Stopwatch
from llmopt_runner.trial.prompt_lengths import too_long
from llmopt_runner.trial.repeated_prompts import RepeatedPrompts, Repetition
from llmopt_runner.trial.workload import PreparedWorkload

_WARMUP_TIMEOUT_SECONDS = 120.0
_COLD_START = (
    "the engine compiled kernels in this start: engine_start_seconds is that of a first start, later ones"
    " find the kernels and take less"
)
# Stages whose time a load may spare the trials after it.
_OF_A_LOAD = frozenset({"load", "warmup"})


@dataclass(frozen=True)
class TrialRunner:
    """Runs claimed trials of one study on one engine slot.

    `trial_timeout` is how long a measurement may take, as the manifest writes it.
    """

    trial_timeout: str
    declaration: EngineDeclaration
    fixed: Mapping[str, Value]
    workload: PreparedWorkload
    slot: EngineSlot
    study: Study
    stopping: StopSignal
    progress: Progress
    repeated: RepeatedPrompts = field(default_factory=RepeatedPrompts)

    def configuration(self, claim: Claim) -> Configuration:
        """Return the canonical configuration that `claim` stands for."""
        return complete(dict(claim.parameters), dict(self.fixed), self.declaration)

    def may_work(self, parameters: Mapping[str, Value]) -> bool:
        """Say whether the searched `parameters` are neither known to be refused nor measured already."""
        configuration = complete(dict(parameters), dict(self.fixed), self.declaration)
        return not (
            self._conflicts(configuration)
            or self.study.measured(configuration.key())
            or known_refusal(self.study.trials(), configuration, self.declaration.load_part)
        )

    def _conflicts(self, configuration: Configuration) -> tuple[str, ...]:
        """What the engine refuses whatever it serves, else what it refuses with this model on these GPUs."""
        return self.declaration.conflicts(configuration) or self.slot.unsupported(configuration)

    def run(self, claim: Claim) -> Outcome:
        """Return how the trial ended; raises Interrupted when the runner was asked to stop."""
        watch = Stopwatch()
        self.progress.trial, self.progress.stage = claim.number, "preparing"
        configuration = self.configuration(claim)
        outcome = self._without_start(claim, configuration) or self._started(claim, configuration, watch)
        watch.lap("framework")
        seconds = dict(watch.seconds)
        seconds["total"] = sum(seconds.values())
        return replace(outcome, seconds=seconds)

    def close(self) -> None:
        """Stop the loaded engine, if there is one."""
        self.slot.close()

    def _without_start(self, claim: Claim, configuration: Configuration) -> Outcome | None:
        """What engine or data set would refuse, or what was measured before, costs no start."""
        if failure := self._conflict(configuration):
            return failed(configuration, failure)
        try:
            self.workload.check(configuration)
        except TooFewExamples as error:
            return failed(configuration, replace(error.failure, of_requests=True))
        if claim.phase is Phase.CONFIRM:
            return None
        twin = self.study.measured(configuration.key())
        if twin is not None and twin.outcome is not None:
            return replace(
                twin.outcome, kind=OutcomeKind.COPIED, copied_from=twin.number, warnings=(), items=None
            )
        refusal = known_refusal(self.study.trials(), configuration, self.declaration.load_part)
        return None if refusal is None else failed(configuration, refusal)

    def _conflict(self, configuration: Configuration) -> Failure | None:
        if not (conflicts := self._conflicts(configuration)):
            return None
        text = "take the combination out of the search space, or condition one parameter on the other"
        of_requests = not self._conflicts(Configuration(engine=configuration.engine))
        message = "; ".join(conflicts)
        return Failure(ErrorClass.INVALID_CONFIGURATION, message, text, of_requests=of_requests)

    def _started(self, claim: Claim, configuration: Configuration, watch: Stopwatch) -> Outcome:
        requests = self.workload.requests(claim, configuration, self.slot.engine)
        model = self.slot.settings_for(configuration).model_files
        engine = self.slot.engine
        turns = every_turn(requests)
        if failure := self.stopping.run_apart(lambda: too_long(engine, model, turns, configuration)):
            return failed(configuration, failure)
        watch.lap("framework")
        self.progress.stage = "loading"
        try:
            server, load_seconds = self.slot.ensure(
                configuration,
                claim.parameters,
                lambda: self.stopping.requested,
                start=claim.start,
                served=self._served_before(claim),
            )
        except EngineStartFailed as error:
            watch.lap("load")
            return failed(configuration, error.explained(short_names(configuration)))
        except MemoryExceeded as error:
            watch.lap("framework" if error.predicted else "load")
            return replace(failed(configuration, error.failure), facts=error.facts)
        except EngineNotInstalled as error:
            return failed(configuration, error.failure)
        watch.lap("load")
        with DeathWatch(server, short_names(configuration)) as death_watch:
            outcome = self._on_server(claim, configuration, requests, server, watch)
        if death_watch.failure is not None:
            outcome = failed(configuration, death_watch.failure)
        outcome = self._guarded(outcome)
        if server.alive():
            outcome = by_requests(outcome)
        if load_seconds:
            metrics = {**outcome.metrics, "engine_start_seconds": load_seconds}
            cold = (_COLD_START,) if outcome.facts.get("compile_cache") == "cold" else ()
            outcome = replace(outcome, metrics=metrics, warnings=(*outcome.warnings, *cold))
        if outcome.kind in {OutcomeKind.FAILED, OutcomeKind.INVALID, OutcomeKind.INFEASIBLE}:
            self.slot.close()
        else:
            own = sum(seconds for stage, seconds in watch.seconds.items() if stage not in _OF_A_LOAD)
            self.slot.served(own, watch.seconds["warmup"])
        return replace(outcome, warnings=(*outcome.warnings, *self.slot.memory.take_warnings()))

    def _served_before(self, claim: Claim) -> bool:
        """Say whether a trial of the study, or of the benchmark's candidate, was measured on the engine."""
        candidate = None if self.study.comparison is None else claim.candidate
        return any(
            ended_as(trial) is OutcomeKind.MEASURED and candidate in {None, trial.candidate}
            for trial in self.study.trials()
        )

    def _guarded(self, outcome: Outcome) -> Outcome:
        """Memory is the cause of a trial that it ended; what was observed of it is always reported."""
        facts = {**outcome.facts, **self.slot.memory.facts()}
        if failure := self.slot.memory.failure(ended=outcome.failure is not None) or (
            outcome.failure and self.slot.memory.busy(outcome.failure)
        ):
            outcome = failed(outcome.configuration, failure)
        return replace(outcome, facts=facts)

    def _on_server(
        self,
        claim: Claim,
        configuration: Configuration,
        requests: list[ChatRequest],
        server: EngineServer,
        watch: Stopwatch,
    ) -> Outcome:
        endpoint = Endpoint(server.base_url, server.model, server.api_key)
        engine = self.slot.engine
        self.progress.stage = "warming up"
        if not self.slot.is_warm(configuration):
            requests_before = self.workload.warmup(configuration, engine)
            warm_up(endpoint, requests_before, _WARMUP_TIMEOUT_SECONDS, self.stopping)
        watch.lap("warmup")
        self.stopping.check()
        if failure := death(server, short_names(configuration)):
            return failed(configuration, failure)
        repetition = self._repetition(endpoint, requests, server)
        requests = distinct(requests) if repetition.kept else requests
        watch.lap("warmup")
        self.progress.stage = "measuring"
        before, shortages = server.counters(), watch_processors(server.pids)
        try:
            with self.slot.memory.measuring() as reading:
                measurement = self._measure(claim, configuration, endpoint, requests)
            short = shortages()
        except TimeoutError:
            watch.lap("measure")
            return failed(
                configuration, death(server, short_names(configuration)) or timed_out(self.trial_timeout)
            )
        except ScoringFailed as error:
            watch.lap("measure")
            return failed(configuration, error.failure)
        watch.lap("measure")
        seen = reading()
        short += gpu_shortage(seen.gpu_conditions)
        outcome = self._judgement().outcome(claim, configuration, measurement, server, seen)
        return replace(
            outcome,
            facts={**outcome.facts, **grown(before, server.counters())},
            warnings=(*outcome.warnings, *repetition.warnings, *short.warnings),
            disturbed=short.disturbed,
        )

    def _repetition(
        self, endpoint: Endpoint, requests: list[ChatRequest], server: EngineServer
    ) -> Repetition:
        """Return how the server answers repeated prompts; an engine of this runner forgets them."""
        if server.is_local:
            return Repetition()
        self.progress.stage = "asking for repeated prompts"
        return self.repeated.of(endpoint, requests, self.stopping)

    def _measure(
        self, claim: Claim, configuration: Configuration, endpoint: Endpoint, requests: list[ChatRequest]
    ) -> Measurement:
        timeout_seconds = float(duration_seconds(self.trial_timeout))
        items, scorer = self.workload.asked(claim.phase), self.workload.scorer
        if (search := self._max_rate(claim, endpoint, requests, timeout_seconds)) is not None:
            parameters = configuration.flat()
            return measure_max_rate(search, items=items, evaluator=scorer, parameters=parameters)
        return measure(
            endpoint,
            requests,
            self.workload.shape(claim),
            items=items,
            evaluator=scorer,
            prune=self._prune(claim),
            stopping=self.stopping,
            timeout_seconds=timeout_seconds,
            parameters=configuration.flat(),
        )

    def _max_rate(
        self, claim: Claim, endpoint: Endpoint, requests: list[ChatRequest], timeout_seconds: float
    ) -> MaxRateSearch | None:
        spec = self.workload.spec
        if spec.load.max_rate is None or spec.slo is None:
            return None
        return MaxRateSearch(
            endpoint,
            requests,
            spec.load.max_rate,
            spec.slo,
            seed=claim.number,
            stopping=self.stopping,
            timeout_seconds=timeout_seconds,
            known=known_value(self.study.trials()),
        )

    def _judgement(self) -> Judgement:
        definition = self.study.definition
        return Judgement(
            self.workload,
            definition,
            self.declaration,
            self.fixed,
            self.slot.engine_version,
            self.stopping,
            self.progress,
        )

    def _prune(self, claim: Claim) -> Prune:
        definition = self.study.definition
        if (
            claim.phase is not Phase.SEARCH
            or self.workload.in_conversations
            or (
                definition.pruner != AUTO
                and definition.objectives[0].metric != self.workload.evaluator.metric
            )
        ):
            return lambda _place, _item: False
        return lambda place, item: self.study.report(claim, place, item)


def grown(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return how much each count of a server grew while it was measured, where that is a finite number."""
    grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
    return {name: value for name, value in grown.items() if math.isfinite(value)}
