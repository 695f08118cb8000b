"""Every end of a trial is an outcome: refused, copied, failed to start, invalid."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes.records import outcome, trial

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.records import (
    Claim,
    ConstraintDefinition,
    ObjectiveDefinition,
    OutcomeKind,
    Phase,
    StudyDefinition,
)
from llmopt_runner.engine_slot.engine_memory import MemoryExceeded
from llmopt_runner.engines.failures import EngineStartFailed, EngineStartTimeout
from llmopt_runner.load.requests import ChatRequest
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial.progress import Progress
from llmopt_runner.trial.trial_runner import TrialRunner, grown

DEFINITION = StudyDefinition(
    "study",
    "f",
    SearchSpace(()),
    (
        ObjectiveDefinition("accuracy", "maximize"),
        ObjectiveDefinition("output_tokens_per_second", "maximize"),
    ),
    (ConstraintDefinition("ttft_ms_p95", maximum=500.0),),
)
REFUSED = {"engine.cache_type_v": "q8_0", "engine.flash_attn": "off"}


class SilentEngine:
    """Stands for an engine that goes on beyond the context of its model, which is 100 tokens."""

    def context_tokens(self, _model):
        return 100

    def count_tokens(self, _model, prompts):
        return [len(prompt) for prompt in prompts]


def runner(
    *,
    fault=None,
    twin=None,
    trials=(),
    prompt="What is 1 + 1?",
    starts=None,
    unsupported=(),
    comparison=None,
):
    """Return a trial runner whose engine is not to be started, or whose start raises `fault`.

    Which start of a plan it was asked for, and whether the engine served before, is appended to `starts`.
    """

    def ensure(_configuration, _asked, _cancelled, *, start, served):
        assert fault is not None, "this trial must not start an engine"
        if starts is not None:
            starts.append((start, served))
        fault.patterns = LLAMACPP.logs.patterns  # as the program that starts it does
        raise fault

    return TrialRunner(
        trial_timeout="10m",
        declaration=LLAMACPP,
        fixed={},
        workload=SimpleNamespace(
            check=lambda _configuration: None,
            requests=lambda *_: [ChatRequest("a", ({"role": "user", "content": prompt},), 4)],
        ),
        slot=SimpleNamespace(
            ensure=ensure,
            engine=SilentEngine(),
            unsupported=lambda configuration: tuple(unsupported) if configuration else (),
            settings_for=lambda _configuration: SimpleNamespace(model_files=Path("/model")),
        ),
        study=SimpleNamespace(
            measured=lambda _key: twin,
            trials=lambda: trials,
            definition=DEFINITION,
            comparison=comparison,
        ),
        stopping=StopSignal(),
        progress=Progress(),
    )


def claim(phase=Phase.SEARCH, **parameters):
    return Claim(number=7, phase=phase, parameters=parameters)


def test_what_the_engine_refuses_costs_no_start():
    """A combination that llama.cpp is known to refuse is infeasible, with the rule as its message."""
    ended = runner().run(claim(**REFUSED))
    assert ended.kind is OutcomeKind.INFEASIBLE
    assert ended.failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert "flash" in ended.failure.message
    assert not ended.failure.of_requests


def test_sampling_that_the_engine_refuses_is_a_failure_of_the_requests():
    """The engine itself may serve others."""
    ended = runner().run(claim(**{"sampling.repeat_penalty": 0.0}))
    assert ended.kind is OutcomeKind.INFEASIBLE
    assert ended.failure.of_requests


def test_what_the_engine_refuses_with_this_model_on_these_gpus_costs_no_start():
    """The sentence is the message; the sampler learns not to propose it."""
    why = "engine.kv_cache_dtype fp8 is not supported"
    refusing = runner(unsupported=[why])
    ended = refusing.run(claim())
    assert (ended.kind, ended.failure.message) == (OutcomeKind.INFEASIBLE, why)
    assert ended.failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert not refusing.may_work({})


def test_prompts_that_the_model_cannot_take_cost_no_start():
    """Sent to a server that does not look, they would be answered with nonsense, and late."""
    ended = runner(prompt="x" * 101).run(claim())
    assert ended.kind is OutcomeKind.INFEASIBLE
    assert ended.failure.error_class is ErrorClass.KV_CACHE_TOO_SMALL
    assert "the longest has 101" in ended.failure.message
    assert ended.failure.of_requests


def test_a_configuration_measured_before_is_copied():
    """The twin's values are taken, and it is said whose they are."""
    twin = trial(3, outcome(metrics={"accuracy": 0.5}))
    ended = runner(twin=twin).run(claim())
    assert (ended.kind, ended.copied_from) == (OutcomeKind.COPIED, 3)
    assert ended.metrics == {"accuracy": 0.5}


def test_a_repeat_of_the_confirmation_is_never_copied():
    """A repeat is there to be measured again."""
    twin = trial(3, outcome(metrics={"accuracy": 0.5}))
    with pytest.raises(Interrupted):
        runner(twin=twin, fault=Interrupted("asked to stop")).run(claim(Phase.CONFIRM))


@pytest.mark.parametrize("start", [None, 3])
def test_a_repeat_asks_for_the_engine_start_of_its_plan(start):
    """What the plan measures on one start is not measured on another; None takes any running engine."""
    starts = []
    repeat = replace(claim(Phase.CONFIRM), start=start)
    with pytest.raises(Interrupted):
        runner(fault=Interrupted("asked to stop"), starts=starts).run(repeat)
    assert starts == [(start, False)]


@pytest.mark.parametrize(
    ("comparison", "candidate", "served"),
    [(None, 1, True), ("a benchmark", 0, True), ("a benchmark", 1, False)],
)
def test_whether_the_engine_served_before_is_read_from_the_study(comparison, candidate, served):
    """All trials of a search are of one engine; each candidate of a benchmark has one of its own."""
    starts, before = [], [trial(0, outcome(metrics={"accuracy": 0.5}), candidate=0, repeat=0)]
    asked = replace(claim(Phase.CONFIRM), candidate=candidate, repeat=1)
    with pytest.raises(Interrupted):
        runner(fault=Interrupted("asked to stop"), trials=before, starts=starts, comparison=comparison).run(
            asked
        )
    assert starts == [(None, served)]


@pytest.mark.parametrize(
    ("error", "kind", "error_class"),
    [
        (
            EngineStartFailed("ended", log="failed to allocate buffer for kv cache", exit_code=1),
            OutcomeKind.INFEASIBLE,
            ErrorClass.KV_CACHE_TOO_SMALL,
        ),
        (
            EngineStartFailed("ended", log="loading", signal=11),
            OutcomeKind.FAILED,
            ErrorClass.ENGINE_CRASHED,
        ),
        (EngineStartTimeout("hangs"), OutcomeKind.FAILED, ErrorClass.ENGINE_START_TIMEOUT),
        (
            EngineStartTimeout("answers 500", log="failed to allocate buffer for kv cache"),
            OutcomeKind.INFEASIBLE,
            ErrorClass.KV_CACHE_TOO_SMALL,
        ),
    ],
)
def test_a_failed_start_is_an_outcome_of_its_class(error, kind, error_class):
    """What does not fit is asked to the sampler; what crashed is a failure; both say why."""
    ended = runner(fault=error).run(claim())
    assert (ended.kind, ended.failure.error_class) == (kind, error_class)
    assert ended.seconds["total"] >= ended.seconds["load"]


def test_too_little_memory_is_reported_to_the_sampler():
    """What was refused, or ended while it loaded, is infeasible, with what was seen among its facts."""
    failure = Failure(ErrorClass.HOST_OUT_OF_MEMORY, "5000 MiB", "lower n_ctx")
    ended = runner(fault=MemoryExceeded(failure, {"memory_need_mib": {"weights_mib": 1.0}})).run(claim())
    assert (ended.kind, ended.failure) == (OutcomeKind.INFEASIBLE, failure)
    assert ended.facts["memory_need_mib"] == {"weights_mib": 1.0}


def test_memory_of_others_is_tried_again():
    """An engine that others left no memory has failed: the sampler learns nothing from it."""
    failure = Failure(ErrorClass.MEMORY_BUSY, "held by a database", "end it")
    assert runner(fault=MemoryExceeded(failure, {})).run(claim()).kind is OutcomeKind.FAILED


def test_memory_explains_whatever_a_trial_looked_like():
    """An engine that was ended by the guard may look measured, or crashed: its memory is the reason."""
    failure = Failure(ErrorClass.GPU_OUT_OF_MEMORY, "full", "lower it")
    asked = []

    def reason(*, ended):
        asked.append(ended)
        return failure

    trials = runner()
    trials.slot.memory = SimpleNamespace(facts=lambda: {"memory_guard": 1}, failure=reason)
    for seen in (
        outcome(metrics={"accuracy": 1.0}),
        outcome(OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED),
    ):
        judged = trials._guarded(seen)
        assert (judged.kind, judged.failure, judged.metrics) == (OutcomeKind.INFEASIBLE, failure, {})
        assert judged.facts == {"memory_guard": 1}
    assert asked == [False, True]


def test_counts_that_grew_beyond_numbers_are_left_out():
    """Each count may be finite, and their difference not; one that was not there before began at 0."""
    assert grown({"a": -1e308, "b": 2.0}, {"a": 1e308, "b": 5.0, "c": 1.0}) == {"b": 3.0, "c": 1.0}
