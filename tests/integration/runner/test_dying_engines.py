"""Engines that cannot serve a configuration, or die while they do: what a study makes of them.

The engine is a stand-in for vLLM; runner, study and files are the real ones.
"""

from pathlib import Path

import pytest
from fakes.fake_vllm import install, starts
from fakes.records import is_made_again
from fakes.runner_folders import Folder

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.results.reading import search_result
from llmopt_core.results.wording import headline
from llmopt_core.storage.records import OutcomeKind, Phase

pytestmark = pytest.mark.slow
LOGS = Path(__file__).parents[2] / "data/engine_logs"
OUT_OF_MEMORY = (LOGS / "vllm-graph-capture-oom.log").read_text()
DEAD = "(APIServer pid=1) ERROR 01-01 00:00:00 [a.py:1] EngineDeadError: EngineCore encountered an issue."
ODD = "(EngineCore pid=101) ERROR 01-01 00:00:00 [core.py:900] OddError: nobody has seen this before"


def manifest(model, *, trials=2, warmups=1, space=(), confirm=0):
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "study"},
        "spec": {
            "model": {"source": f"file://{model}"},
            "engine": {"name": "vllm"},
            "workload": {
                "dataset": {"name": "arithmetic", "samples": 4},
                "load": {"concurrency": 2, "warmupRequests": warmups},
                "maxTokens": 4,
            },
            "search": {
                "sampler": {"name": "random"},
                "pruner": {"name": "none"},
                "space": {"engine": list(space)}
                if space
                else {"sampling": [{"name": "temperature", "float": {"low": "0.1", "high": "1"}}]},
            },
            "objectives": [{"metric": "output_tokens_per_second"}],
            "budget": {"trials": trials, "trialTimeout": "1m", "maxFailedTrials": 10},
            "confirm": {"top": confirm, "repeats": 3},
        },
    }


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


@pytest.fixture
def ordered(tmp_path, monkeypatch):
    """Return what installs the engine with its orders and gives the study's folder."""

    def give(**orders):
        monkeypatch.setenv("LLMOPT_ENGINE_VLLM", str(install(tmp_path / "bin", **orders)))
        return Folder(tmp_path)

    return give


def _outcomes(folder):
    """Return how the trials ended, without what is measured again because the machine was busy."""
    with folder.study() as study:
        outcomes = [trial.outcome for trial in study.trials()]
    return [outcome for outcome in outcomes if not is_made_again(outcome)]


@pytest.mark.parametrize(
    ("serves", "dies_after"),
    [(0, 2), (1, 0), (2, 0), (4, 2)],
    ids=["before it is ready", "at once in the warm-up", "at once after it", "later, in the load"],
)
def test_an_engine_that_dies_while_it_serves_is_diagnosed_from_its_log(ordered, model, serves, dies_after):
    """It answers 500 first, and logs why when it ends, at once or later: the log decides."""
    folder = ordered(serves=serves, dies_after=dies_after, cause=OUT_OF_MEMORY)
    folder.write(manifest(model, trials=1))
    assert folder.run() == RunnerExit.DONE, folder.log()
    (outcome,) = _outcomes(folder)
    assert outcome.kind is OutcomeKind.INFEASIBLE
    assert outcome.failure.error_class is ErrorClass.GPU_OUT_OF_MEMORY
    assert "Tried to allocate 1.27 GiB" in outcome.failure.message


@pytest.mark.parametrize("serves", [0, 2])
def test_an_engine_whose_core_is_dead_is_diagnosed_though_its_server_lives(ordered, model, serves):
    """The server answers 500 for ever; what its core logged is the message."""
    folder = ordered(serves=serves, dies_after=1, cause=f"{ODD}\n{DEAD}", lives=True)
    folder.write(manifest(model, trials=1))
    folder.run()
    for outcome in _outcomes(folder):
        assert outcome.failure.error_class is ErrorClass.ENGINE_CRASHED
        assert outcome.failure.message == "OddError: nobody has seen this before"


def test_requests_that_a_dead_engine_never_answers_are_not_waited_for(ordered, model):
    """It lives, and says in its log that it will not serve: the trial ends long before its time is over."""
    folder = ordered(serves=2, dies_after=1, cause=f"{ODD}\n{DEAD}", lives=True, silent=True)
    document = manifest(model, trials=1)
    document["spec"]["budget"] |= {"trialTimeout": "1h", "maxFailedTrials": 1}
    folder.write(document)
    folder.run()
    (outcome, *_) = _outcomes(folder)
    assert outcome.failure.error_class is ErrorClass.ENGINE_CRASHED
    assert outcome.failure.message == "OddError: nobody has seen this before"


def test_a_draft_model_that_is_missing_is_one_infeasible_configuration(ordered, model):
    """What is fatal of the model itself ends no study where it is said of the one that guesses."""
    folder = ordered(no_draft="RuntimeError: Cannot find any model weights with `/no/draft`\n")
    guessing = {"name": "speculative_method", "categorical": {"choices": ["none", "draft_model"]}}
    document = manifest(model, trials=2, space=[guessing])
    document["spec"]["engine"]["args"] = {"speculative_model": "/no/draft", "num_speculative_tokens": 3}
    document["spec"]["search"]["enqueue"] = [{"engine.speculative_method": "draft_model"}]
    folder.write(document)
    assert folder.run() == RunnerExit.DONE, folder.log()
    without, with_draft = _outcomes(folder)
    assert without.kind is OutcomeKind.MEASURED
    assert with_draft.kind is OutcomeKind.INFEASIBLE
    assert with_draft.failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert "speculative_model (/no/draft), cannot be used" in with_draft.failure.suggestion


def test_nothing_is_started_beyond_a_limit_that_the_engine_named(ordered, model, tmp_path):
    """One start is refused with the limit; another runner reads it, and starts nothing beyond it."""
    folder = ordered(most_seqs=856)
    space = [{"name": "max_num_seqs", "int": {"low": 512, "high": 2048}}]
    folder.write(manifest(model, trials=1, space=space))
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert "; 1 repaired configurations were not tried" in study.ended.message
    folder.write(manifest(model, trials=12, space=space))
    assert folder.go_on() == RunnerExit.DONE, folder.log()
    outcomes = _outcomes(folder)
    refused = [outcome for outcome in outcomes if outcome.kind is OutcomeKind.INFEASIBLE]
    assert len(outcomes) == 12
    assert len(refused) > 2
    assert {outcome.failure.error_class for outcome in refused} == {ErrorClass.INVALID_CONFIGURATION}
    assert all("at most 856" in outcome.failure.text for outcome in refused)
    assert [count for count in starts(tmp_path / "bin") if count > 856] == [1024]


def test_a_refused_configuration_is_tried_once_more_within_the_limit(ordered, model, tmp_path):
    """What the engine refused runs at the limit that it named, as a trial of the budget that says so."""
    folder = ordered(most_seqs=856)
    space = [{"name": "max_num_seqs", "int": {"low": 512, "high": 2048}}]
    folder.write(manifest(model, trials=3, space=space))
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        trials, status = study.trials(), search_result(study, folder.spec).status
    repaired = next(trial for trial in trials if trial.repaired_from is not None)
    assert (repaired.number, repaired.repaired_from) == (1, 0)
    assert repaired.parameters == {"engine.max_num_seqs": 856}
    assert repaired.outcome.kind is OutcomeKind.MEASURED
    assert starts(tmp_path / "bin")[:2] == [1024, 856]
    assert status.progress.repaired == 1
    assert status.progress.finished == 3
    assert {trial.trial: trial.repaired_from for trial in status.top}[1] == 0


def test_a_default_that_cannot_run_is_said_and_the_best_becomes_the_reference(ordered, model):
    """Trial 0 keeps its class, the search goes on, and repeats compare the best with the next best."""
    folder = ordered(most_seqs=856)
    space = [{"name": "max_num_seqs", "int": {"low": 256, "high": 800}}]
    folder.write(manifest(model, trials=4, space=space, confirm=1))
    assert folder.run() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        trials, plan, found = study.trials(), study.confirm_plan, search_result(study, folder.spec)
    assert trials[0].phase is Phase.BASELINE
    assert trials[0].outcome.failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert len(plan.candidates) == 2
    assert plan.source_trials[0] == found.reference
    assert trials[plan.source_trials[0]].parameters == plan.candidates[0] != {}
    repeats = [trial for trial in trials if trial.phase is Phase.CONFIRM]
    assert sum(not is_made_again(trial.outcome) for trial in repeats) == 6
    assert found.confirmed
    assert "at most 856" in found.default_failure.suggestion
    assert "The baseline cannot run here (InvalidConfiguration: " in headline(
        found.status
    )  # after disturbances
    assert f"trial {found.reference}" in headline(found.status)
