"""The cross-field rules as Python and as the API server check them."""

from typing import Any

import pytest
from fakes.api_server import admission_faults
from fakes.manifests import Document, benchmark, changed, optimization

from llmopt_core.resources import LLMBenchmark, LLMOptimization, ManifestInvalid, resource_of
from llmopt_core.resources.openapi import DEFINITIONS, custom_resource_definition

CRDS = {each.kind.value: custom_resource_definition(each) for each in DEFINITIONS}
ENDPOINT = {"url": "http://127.0.0.1:1/v1"}
FLOAT = {"low": "0.5", "high": "1"}
SPACE = "spec.search.space"

GOOD: dict[str, tuple[Any, ...]] = {
    "a decimal without digits before the point": (f"{SPACE}.sampling.1.float.low", ".5"),
    "a fixed rate": ("spec.workload.load", {"rate": "2.5", "duration": "30s"}),
    "a data set file": ("spec.workload.dataset", {"path": "items.jsonl"}),
    "a hub data set's split": ("spec.workload.dataset", {"hf": "org/name", "split": "test"}),
    "an endpoint with engine openai": ("spec.engine", {"name": "openai", "endpoint": ENDPOINT}),
    **{
        f"an endpoint at {url}": ("spec.engine", {"name": "openai", "endpoint": {"url": url}})
        for url in (
            "http://h",
            "http://h:",
            "http://h:65535/v1",
            "https://user:p%40ss@h:0443?api-version=1:2",
            "http://[::1]:8000/v1",
            "http://[fe80::1%25eth0]",
        )
    },
    "one level of service": ("spec.workload.slo", {"e2eMs": 900}),
    "all requests within slo": (
        "spec.workload",
        {
            "dataset": {"name": "arithmetic"},
            "load": {"maxRate": {"attainment": "1"}},
            "slo": {"ttftMs": 900},
        },
    ),
    "a gain of a half": ("spec.confirm", {"smallestGain": "0.5"}),
    "a preset instead of a space": ("spec.search", {"preset": "balanced"}),
    "two bounds on one metric": (
        "spec.constraints",
        [{"metric": "accuracy", "min": "0.1"}, {"metric": "accuracy", "max": "0.9"}],
    ),
    "several objectives with the default pruner": (
        "spec.objectives",
        [{"metric": "accuracy"}, {"metric": "ttft_ms_p95"}],
    ),
    "text and whole numbers among choices": (
        f"{SPACE}.engine.0",
        {"name": "n_batch", "categorical": {"choices": [64, "128"]}},
    ),
}
BAD: dict[str, tuple[str, Any, str]] = {
    "two data sets": ("spec.workload.dataset", {"name": "a", "hf": "b"}, "exactly one of name"),
    "no data set": ("spec.workload.dataset", {"samples": 8}, "exactly one of name"),
    "a split of no hub": ("spec.workload.dataset.split", "test", "split only with hf"),
    "two loads": ("spec.workload.load.rate", "2", "exactly one of concurrency, rate"),
    "no load": ("spec.workload.load", {"warmupRequests": 1}, "exactly one of concurrency, rate"),
    "a rate of 0": ("spec.workload.load", {"rate": "0"}, "a rate above 0"),
    "arrivals in a closed loop": ("spec.workload.load.arrivals", "poisson", "only with rate"),
    "an empty slo": ("spec.workload.slo", {}, "at least one of ttftMs"),
    "a template without its question": ("spec.workload.prompt.template", "Answer:", "holds {question}"),
    "openai without endpoint": ("spec.engine.name", "openai", "an endpoint with engine openai"),
    "llamacpp with endpoint": ("spec.engine.endpoint", ENDPOINT, "an endpoint with engine openai"),
    **{
        f"an endpoint at {url}": (
            "spec.engine",
            {"name": "openai", "endpoint": {"url": url}},
            "a URL without a port, or with one from 1 to 65535",
        )
        for url in ("http://h:80000", "http://h:65536/v1", "http://h:80a/v1", "http://h:0", "http://::1:80")
    },
    "a judge at a port that there is none of": (
        "spec.workload.evaluator",
        {"name": "judge", "endpoint": {"url": "http://h:99999"}},
        "a URL without a port, or with one from 1 to 65535",
    ),
    "levels that do not ascend": ("spec.memoryGuard.warningPercent", 93, "below criticalPercent"),
    "low above high": (f"{SPACE}.engine.0.int.low", 9, "low of at most high"),
    "log from 0": (f"{SPACE}.engine.0.int.low", 0, "a low above 0 with log"),
    "a step with log": (f"{SPACE}.engine.0.int.step", 2, "no step with log"),
    "a float's low above high": (f"{SPACE}.sampling.1.float.low", "1.5", "low of at most high"),
    "a float's log from 0": (
        f"{SPACE}.sampling.1.float",
        {"low": "0", "high": "1", "log": True},
        "a low above 0 with log",
    ),
    "a float's step with log": (
        f"{SPACE}.sampling.1.float",
        {**FLOAT, "step": "0.1", "log": True},
        "no step with log",
    ),
    "a step of 0": (f"{SPACE}.sampling.1.float", {**FLOAT, "step": "0"}, "a step above 0"),
    "a parameter of two kinds": (f"{SPACE}.engine.0.float", FLOAT, "exactly one of int, float"),
    "a parameter of no kind": (f"{SPACE}.engine.0", {"name": "n_batch"}, "exactly one of int, float"),
    "a condition on nothing": (
        f"{SPACE}.sampling.1.when",
        [{"parameter": "sampling.heat", "above": "0"}],
        "searched earlier",
    ),
    "a condition on itself": (
        f"{SPACE}.sampling.1.when",
        [{"parameter": "sampling.top_p", "above": "0"}],
        "searched earlier",
    ),
    "a condition by short name": (
        f"{SPACE}.sampling.1.when",
        [{"parameter": "temperature", "above": "0"}],
        "searched earlier",
    ),
    "another prompt parameter": (f"{SPACE}.prompt.0.name", "tone", "of the prompt only few_shot"),
    "a system message by number": (f"{SPACE}.prompt.0.name", "system", "of the prompt only few_shot"),
    "nothing to search": ("spec.search", {"sampler": {"name": "random"}}, "something to search"),
    "a grid without steps": ("spec.search.sampler", {"name": "grid"}, "a step for every float"),
    "a weight of 0": ("spec.objectives.0.weight", "0", "a weight above 0"),
    "a constraint without a bound": ("spec.constraints", [{"metric": "accuracy"}], "exactly one of min"),
    "a constraint with two bounds": (
        "spec.constraints",
        [{"metric": "accuracy", "min": "0", "max": "1"}],
        "exactly one of min",
    ),
    "a relative constraint with two bounds": (
        "spec.constraints",
        [{"metric": "accuracy", "min": "-0.1", "max": "0.1", "relativeTo": "baseline"}],
        "exactly one of min",
    ),
    "a budget of no GPU time": ("spec.budget", {"gpuHours": "0"}, "gpuHours above 0"),
    "a gain beyond a half": ("spec.confirm", {"smallestGain": "0.51"}, "a smallest gain above 0 and at most"),
    "goodput without slo": ("spec.objectives.0.metric", "goodput_ratio", "workload.slo"),
    "cost without price": ("spec.objectives.0.metric", "cost_per_million_tokens", "workload.hourlyPrice"),
    "no tolerance": ("spec.workload.tolerateFailedRequests", "1", "from 0 to below 1"),
    "a highest rate without slo": ("spec.workload.load", {"maxRate": {}}, "slo beside load.maxRate"),
    "an attainment of 0": ("spec.workload.load", {"maxRate": {"attainment": "0"}}, "attainment above 0"),
    "a highest rate of 0": ("spec.workload.load", {"maxRate": {"highest": "0"}}, "highest above 0"),
    "arrivals of a concurrency": (
        "spec.workload.load",
        {"maxRate": {"by": "concurrency", "arrivals": "poisson"}},
        "arrivals only by rate",
    ),
    "a highest rate that is not searched": (
        "spec.objectives.0.metric",
        "max_request_rate",
        "workload.load.maxRate by rate",
    ),
    "a highest concurrency that is not searched": (
        "spec.objectives.0.metric",
        "max_concurrency",
        "workload.load.maxRate by concurrency",
    ),
    "a trace at a rate and at a scale": (
        "spec.workload.load",
        {"trace": {"rate": "2", "timeScale": "2"}},
        "one of rate and timeScale at most",
    ),
    "a trace at a rate of 0": ("spec.workload.load", {"trace": {"rate": "0"}}, "a rate above 0"),
    "a trace at no time": ("spec.workload.load", {"trace": {"timeScale": "0"}}, "a timeScale above 0"),
    "more shared than there is": (
        "spec.workload.prompt",
        {"sharedPrefix": "1"},
        "sharedPrefix from 0 to 0.99",
    ),
    "conversations in a search for the highest rate": (
        "spec.workload",
        {
            "dataset": {"name": "arithmetic"},
            "slo": {"ttftMs": 500},
            "load": {"maxRate": {}, "conversations": {}},
        },
        "conversations only with concurrency or rate",
    ),
    "no time to think": (
        "spec.workload.load",
        {"concurrency": 2, "conversations": {"thinkTime": {"mean": "0s"}}},
        "a mean above 0",
    ),
    "no deviation": (
        "spec.workload.load",
        {
            "concurrency": 2,
            "conversations": {
                "thinkTime": {"mean": "800ms", "distribution": "lognormal", "standardDeviation": "0s"}
            },
        },
        "a standardDeviation above 0",
    ),
    "a deviation of what is constant": (
        "spec.workload.load",
        {"concurrency": 2, "conversations": {"thinkTime": {"mean": "5s", "standardDeviation": "2s"}}},
        "standardDeviation only with distribution lognormal",
    ),
    "no price": ("spec.workload.hourlyPrice", "0", "hourlyPrice above 0"),
}
BAD_BENCHMARKS: dict[str, tuple[str, Any, str]] = {
    "a baseline that is no candidate": ("spec.baseline", "other", "the name of a candidate"),
    "no model anywhere": ("spec.model", None, "a model, shared or in each"),
    "no engine anywhere": ("spec.engine", None, "an engine, shared or in each"),
    "a result with parts of its own": (
        "spec.candidates.1.optimizationRef",
        {"name": "small"},
        "optimizationRef alone",
    ),
    "goodput without slo": ("spec.metrics", ["goodput_ratio"], "workload.slo"),
    "cost without price": ("spec.metrics", ["cost_per_million_tokens"], "workload.hourlyPrice"),
}
UNPRUNABLE = {"sampler": {"name": "cmaes"}, "pruner": {"name": "median"}, "preset": "speed"}


def both_say(document: Document) -> tuple[str, str]:
    """Return what Python and what the API server says about a document that both must refuse."""
    with pytest.raises(ManifestInvalid) as refusal:
        resource_of(document)
    return str(refusal.value), "\n".join(admission_faults(CRDS[document["kind"]], document))


def test_the_end_of_a_range_belongs_to_it() -> None:
    """A decimal is compared as it is written: 0.99 is at most 0.99."""
    document = changed(optimization(), "spec.workload.prompt", {"sharedPrefix": "0.99"})
    assert isinstance(resource_of(document), LLMOptimization)
    assert admission_faults(CRDS[document["kind"]], document) == ()


@pytest.mark.parametrize("document", [optimization(), benchmark()], ids=lambda one: one["kind"])
def test_a_valid_manifest_is_accepted_by_both(document: Document) -> None:
    """Python and the API server accept the manifests that the tables start from."""
    assert isinstance(resource_of(document), LLMOptimization | LLMBenchmark)
    assert admission_faults(CRDS[document["kind"]], document) == ()


@pytest.mark.parametrize(("path", "value"), GOOD.values(), ids=GOOD)
def test_both_accept(path: str, value: Any) -> None:
    """What the rules allow is accepted by Python and by the API server."""
    document = changed(optimization(), path, value)
    resource_of(document)
    assert admission_faults(CRDS["LLMOptimization"], document) == ()


@pytest.mark.parametrize(("path", "value", "message"), BAD.values(), ids=BAD)
def test_both_refuse(path: str, value: Any, message: str) -> None:
    """What a rule forbids is refused by Python and by the API server in the same words."""
    said_by_python, said_by_server = both_say(changed(optimization(), path, value))
    assert message in said_by_python
    assert message in said_by_server


@pytest.mark.parametrize(("path", "value", "message"), BAD_BENCHMARKS.values(), ids=BAD_BENCHMARKS)
def test_both_refuse_benchmarks(path: str, value: Any, message: str) -> None:
    """What a rule of benchmarks forbids is refused by both in the same words."""
    said_by_python, said_by_server = both_say(changed(benchmark(), path, value))
    assert message in said_by_python
    assert message in said_by_server


@pytest.mark.parametrize("message", ["one objective with sampler cmaes", "one objective with pruner median"])
def test_both_refuse_several_objectives_where_one_is_needed(message: str) -> None:
    """A sampler or a pruner for one objective is refused beside several."""
    document = changed(optimization(), "spec.search", UNPRUNABLE)
    document = changed(document, "spec.objectives", [{"metric": "accuracy"}, {"metric": "tpot_ms_p50"}])
    said_by_python, said_by_server = both_say(document)
    assert message in said_by_python
    assert message in said_by_server


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (optimization(), "spec.objectives"),
        (optimization(), f"{SPACE}.engine"),
        (benchmark(), "spec.candidates"),
    ],
    ids=["objectives", "parameters", "candidates"],
)
def test_both_refuse_the_same_name_twice(document: Document, path: str) -> None:
    """Entries that are distinguished by name must have different names."""
    entries: Any = document
    for step in path.split("."):
        entries = entries[step]
    said_by_python, said_by_server = both_say(changed(document, path, [entries[0], entries[0]]))
    assert "a name that no other entry has" in said_by_python
    assert "duplicate entries" in said_by_server


def test_only_python_checks_the_order_of_conditions() -> None:
    """A condition on a later parameter is refused by Python; CEL cannot say order at a bearable cost."""
    document = optimization()
    document["spec"]["search"]["space"]["sampling"].reverse()
    assert admission_faults(CRDS["LLMOptimization"], document) == ()
    with pytest.raises(ManifestInvalid, match="searched earlier"):
        resource_of(document)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.model.source", "file:///other.gguf"),
        ("spec.engine.args.n_ctx", 8192),
        ("spec.workload.maxTokens", 9),
        ("spec.search.sampler", {"seed": 5}),
        ("spec.objectives", [{"metric": "score"}]),
        ("spec.constraints", [{"metric": "ttft_ms_p95", "max": "9"}]),
    ],
)
def test_what_a_study_depends_on_cannot_change(path: str, value: Any) -> None:
    """A change that would make old trials incomparable is refused with the reason and the way out."""
    faults = admission_faults(CRDS["LLMOptimization"], changed(optimization(), path, value), optimization())
    assert len(faults) == 1
    assert f"{path.split('.')[1]} cannot change" in faults[0]
    assert "create a new resource" in faults[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.budget", {"trials": 80}),
        ("spec.runners", {"count": 4}),
        ("spec.suspend", True),
        ("spec.ttlSecondsAfterFinished", 60),
        ("spec.studyRetention", "Delete"),
        ("spec.rollout", {"configMapName": "best"}),
    ],
)
def test_what_a_study_does_not_depend_on_can_change(path: str, value: Any) -> None:
    """A budget, the number of runners and what happens afterwards may change while a study runs."""
    document = changed(optimization(), path, value)
    assert admission_faults(CRDS["LLMOptimization"], document, optimization()) == ()


def test_a_benchmark_may_not_gain_an_engine() -> None:
    """An optional part that a benchmark's trials depend on can neither come, go nor change."""
    whole = benchmark()
    own = [{"name": "default", "engine": whole["spec"]["engine"]}]
    without = changed(changed(whole, "spec.candidates", own), "spec.engine", None)
    within = changed(changed(whole, "spec.candidates", own), "spec.engine.args.n_ctx", 512)
    (fault,) = admission_faults(CRDS["LLMBenchmark"], within, without)
    assert "engine cannot change" in fault
