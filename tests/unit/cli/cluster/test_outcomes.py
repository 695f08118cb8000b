import json
from dataclasses import asdict, replace

from fakes.cluster_resources import COMPLETE, FAILED, RUNNING, resource
from fakes.manifests import changed, optimization

from llmopt.cluster.conditions import status_of
from llmopt.cluster.outcomes import best_config_map, result_from, typed
from llmopt_core.resources import resource_of
from llmopt_core.resources.names import LONGEST_NAME
from llmopt_core.results.optimizations import OptimizationResult, compare
from llmopt_core.results.wording import best_text, headline
from llmopt_operator.specs.config_maps import best_config_map as written_by_operator

STATUS = {
    "progress": {"finished": 4, "confirmFinished": 4},
    "baseline": {"trial": 0, "metrics": {"accuracy": "0.5", "peak_memory_mib": "300"}},
    "best": {
        "trial": 3,
        "parameters": {
            "engine.n_parallel": 8, "engine.cont_batching": "false", "sampling.temperature": "0.2",
        },
        "metrics": {"accuracy": "0.75", "peak_memory_mib": "600"},
        "gain": [{"metric": "accuracy", "baseline": "0.5", "best": "0.75", "difference": "0.25",
                  "interval": {"low": "0.1", "high": "0.4"}, "significant": True}],
        "confirmed": True,
        "serveArgs": "llama-server -np 8",
    },
    "errors": [
        {"class": "CudaFault", "count": 2, "lastMessage": "boom", "suggestion": "mend", "lastTrial": 1}
    ],
}  # fmt: skip


def found(*conditions, written=None, document=None, **changes):
    body = resource("mine", *(conditions or (COMPLETE,)), status={**STATUS, **changes}, document=document)
    return result_from(body, status_of(body), written)


def test_the_status_alone_gives_a_result():
    """Best, gains, errors and the end are those of the status; what else both measured is compared, too."""
    result = found()
    assert (result.study, result.ended, result.failed, result.trials) == ("mine", "TrialsExhausted", False, 8)
    assert (result.trial, result.confirmed, result.significant) == (3, True, True)
    assert (result.gain, result.interval) == (0.25, (0.1, 0.4))
    assert result.serve_command == "llama-server -np 8"
    assert [one.metric for one in result.effects] == ["accuracy", "peak_memory_mib"]
    assert headline(result) == "Significant gain over the default: accuracy +0.250 [+0.100 to +0.400]"
    assert vars(result.errors[0]) == {
        "error_class": "CudaFault", "count": 2, "message": "boom", "suggestion": "mend", "trial": 1,
    }  # fmt: skip


def test_a_default_that_cannot_run_is_told_from_the_status():
    """The class and the message are the status's own, also where best.json has none."""
    failure = {"class": "InvalidConfiguration", "count": 1, "lastMessage": "at most 856", "lastTrial": 0}
    best = {**STATUS["best"], "reference": 2}
    result = found(baselineFailure=failure, baseline=None, best=best)
    text = "The default cannot run here (InvalidConfiguration: at most 856). Significant gain over trial 2:"
    assert headline(result).startswith(text)
    bare = replace(result.default_failure, message="")
    written = best_text(replace(result, default_failure=bare))
    again = found(written=written, baselineFailure=failure, baseline=None, best=best)
    assert headline(again).startswith(text)


def test_parameters_have_the_types_of_their_engine():
    """Text of the status is a number or a boolean again."""
    assert found().parameters == {
        "engine": {"n_parallel": 8, "cont_batching": False},
        "sampling": {"temperature": 0.2},
        "prompt": {},
    }
    assert typed({"engine.n_ctx": 4096, "sampling.temperature": "0.5"}, "llamacpp") == {
        "engine.n_ctx": 4096,
        "sampling.temperature": 0.5,
    }


def test_parameters_of_an_unknown_engine_or_version_stay_text():
    """A plug-in that is not installed here keeps nobody from reading its result."""
    assert typed({"engine.x": "1.5"}, "not-installed") == {"engine.x": "1.5"}
    assert typed({"engine.from_the_future": "1.5"}, "llamacpp") == {"engine.from_the_future": "1.5"}


def test_constraints_are_compared_where_both_were_measured():
    """A bound is part of the answer."""
    bounded = changed(optimization(), "spec.constraints", [{"metric": "peak_memory_mib", "max": "900"}])
    assert [one.metric for one in found(document=bounded).effects] == ["accuracy", "peak_memory_mib"]


def test_nothing_measured_is_said_so():
    """Without a best there is no trial, but the end and its message are there."""
    result = found(FAILED, best=None)
    assert (result.trial, result.failed, result.ended) == (None, True, "ModelNotFound")
    assert result.message == "the model is not there"
    assert found(RUNNING, best=None).ended is None


def written(**changes):
    """Return best.json of a result that the status above could be of."""
    whole = OptimizationResult(
        study="uid", ended=None, message="", trials=7, trial=3, confirmed=True, repeats=2, significant=True,
        parameters={"engine": {"n_parallel": 8}, "sampling": {}, "prompt": {}},
        objectives=("accuracy",),
        effects=(compare("accuracy", 0.5, 0.75), compare("ttft_ms_p95", 100.0, 80.0)),
        request_fields={"temperature": 0.2},
    )  # fmt: skip
    return best_text(replace(whole, **changes))


def test_the_config_map_gives_the_whole_result():
    """What it holds wins, but how the resource ended is the status's to say."""
    result = found(written=written())
    assert result.request_fields == {"temperature": 0.2}
    assert [one.metric for one in result.effects] == ["accuracy", "ttft_ms_p95"]
    assert (result.study, result.ended, result.trials) == ("mine", "TrialsExhausted", 8)
    assert result.repeats == 2


def test_a_config_map_of_another_moment_is_passed_over():
    """One that speaks of another trial, of unconfirmed gains or in other words is not mixed in."""
    plain = asdict(found())
    for text in (
        written(trial=2),
        written(confirmed=False),
        "{",
        "[]",
        json.dumps({"trial": 3, "effects": 3}),
    ):
        assert asdict(found(written=text)) == plain


def test_the_config_map_is_the_one_that_the_operator_writes():
    """Its name is that of the resource, unless the manifest says another."""
    assert best_config_map(resource("mine")) == "mine-best"
    named = changed(optimization(), "spec.rollout", {"configMapName": "told"})
    assert best_config_map(resource("mine", document=named)) == "told"


def test_the_config_map_of_a_long_name_is_the_one_that_the_operator_writes():
    """A name that has to be shortened is shortened here as the operator does it."""
    document = resource("a" * 59 + "-one", uid="uid-1")
    body = written_by_operator(document, resource_of(document), OptimizationResult("uid", None, "", 0))
    assert best_config_map(document) == body["metadata"]["name"]
    assert len(body["metadata"]["name"]) <= LONGEST_NAME
    assert best_config_map(resource("a" * 59 + "-two", uid="uid-1")) != body["metadata"]["name"]
