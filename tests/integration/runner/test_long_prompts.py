"""Prompts beyond the context of a real `transformers serve`: reported with numbers, then made shorter.

The server itself does not look at the model's context: it would compute for minutes, and answer nonsense.
"""

import json
import time

import pytest
from fakes.engine_environments import safetensors_folder, use_engine
from fakes.runner_folders import Folder

from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import OutcomeKind
from llmopt_runner.engines.transformers.engine import Transformers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
LIMIT_SECONDS = 400
CONTEXT = 8192
BATCHED = {"continuous_batching": "true", "cb_block_size": 32, "cb_num_blocks": 8}


@pytest.fixture(autouse=True)
def engine():
    use_engine("transformers")


SAMPLING = {"sampling": [{"name": "temperature", "float": {"low": "0.1", "high": "1"}}]}


def _study(path, words, **engine):
    """Run a study of two trials and return how they ended."""
    return [trial.outcome for trial in _trials(path, words, SAMPLING, **engine)]


def _trials(path, words, space, **engine):
    """Run a study of two trials, each asked four questions, one of them of `words` words."""
    path.mkdir()
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(1, 13)]
    for row in rows[::2]:
        row["question"] = "word " * words + row["question"]
    (path / "items.jsonl").write_text("\n".join(map(json.dumps, rows)))
    folder = Folder(path)
    folder.write(_manifest(path / "items.jsonl", engine, space))
    assert folder.start().wait(LIMIT_SECONDS) == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        return study.trials()


def _manifest(items, engine, space):
    return {
        "apiVersion": "llmopt.dev/v1alpha1",
        "kind": "LLMOptimization",
        "metadata": {"name": "study"},
        "spec": {
            "model": {"source": f"file://{safetensors_folder()}"},
            "engine": {
                "name": "transformers",
                "args": {"device": "cpu", "dtype": "float32", "threads": 1, **engine},
            },
            "workload": {
                "dataset": {"path": str(items), "samples": 4},
                "load": {"concurrency": 2, "warmupRequests": 0},
                "maxTokens": 4,
            },
            "search": {
                "sampler": {"name": "random"},
                "pruner": {"name": "none"},
                "space": space,
            },
            "objectives": [{"metric": "output_tokens_per_second"}],
            "budget": {"trials": 2},
            "confirm": {"top": 0},
        },
    }


def test_prompts_beyond_the_models_context_cost_no_start_and_shorter_ones_are_measured(tmp_path):
    """Each trial is infeasible at once, with how long they are; without those items all is measured."""
    began_at = time.monotonic()
    for outcome in _study(tmp_path / "long", CONTEXT):
        assert outcome.kind is OutcomeKind.INFEASIBLE
        assert outcome.failure.error_class is ErrorClass.KV_CACHE_TOO_SMALL
        assert f"the model's context of {CONTEXT} tokens: the longest has 82" in outcome.failure.message
        assert f"leave items of {CONTEXT} tokens and more out of the data set" in outcome.failure.suggestion
        assert "load" not in outcome.seconds
    assert time.monotonic() - began_at < 60
    assert {outcome.kind for outcome in _study(tmp_path / "short", 20)} == {OutcomeKind.MEASURED}


def test_prompts_beyond_the_paged_cache_end_with_its_size_and_fit_into_more_blocks(tmp_path):
    """The server says so and batches no more; with more blocks, as the suggestion has it, it is measured."""
    default, *_ = _study(tmp_path / "small", 400, **BATCHED)
    assert default.kind is OutcomeKind.INFEASIBLE
    assert default.failure.error_class is ErrorClass.KV_CACHE_TOO_SMALL
    assert "8 blocks of 32 tokens: raise cb_num_blocks" in default.failure.suggestion
    larger = _study(tmp_path / "larger", 400, **{**BATCHED, "cb_num_blocks": 64})
    assert {outcome.kind for outcome in larger} == {OutcomeKind.MEASURED}


def test_a_paged_cache_that_is_searched_is_made_larger_by_the_study(tmp_path):
    """What the suggestion tells a person, the study does: one more trial, which says whose repair it is."""
    sizes = {"engine": [{"name": "cb_num_blocks", "categorical": {"choices": [8, 64]}}]}
    refused, repaired = _trials(tmp_path / "searched", 400, sizes, **BATCHED)
    assert refused.outcome.failure.error_class is ErrorClass.KV_CACHE_TOO_SMALL
    assert (repaired.number, repaired.repaired_from) == (1, refused.number)
    assert repaired.parameters == {"engine.cb_num_blocks": 64}
    assert repaired.outcome.kind is OutcomeKind.MEASURED


def test_tokens_are_counted_as_the_server_counts_them():
    """By the model's own tokenizer, in the engine's environment; what a chat template adds is left out."""
    counted = Transformers().count_tokens(safetensors_folder(), ["Hello", "word " * 1000, ""])
    assert counted[0] == 1
    assert 1000 <= counted[1] <= 1001
    assert counted[2] == 0
