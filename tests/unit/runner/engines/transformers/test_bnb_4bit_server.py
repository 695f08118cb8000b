"""How the server of transformers is started with 4-bit options, without transformers.

The models are of the shape that bitsandbytes gives them: it is not installed here. The conformance suite of
the engine has the real ones.
"""

import runpy
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llmopt_core.engines.transformers.bnb_4bit import LAUNCHER, NAMES, OPTIONS
from llmopt_core.engines.transformers.serving import flags
from llmopt_runner.engines.transformers import bnb_4bit_server
from llmopt_runner.engines.transformers.bnb_4bit_server import check, give, parsed, report, used
from llmopt_runner.engines.transformers.engine import Transformers

FP4 = {"bnb_4bit_quant_type": "fp4", "bnb_4bit_use_double_quant": False, "bnb_4bit_compute_dtype": "bfloat16"}


@dataclass(frozen=True)
class Numbers:
    count: int
    size: int

    def numel(self):
        return self.count

    def element_size(self):
        return self.size


@dataclass
class State:
    quant_type: str
    nested: bool
    absmax: Numbers
    state2: "State | None" = None


@dataclass
class Weight:
    quant_state: State


@dataclass
class Linear4bit:
    weight: Weight
    compute_dtype: str = "torch.bfloat16"


@dataclass
class Model:
    """A model with `layers` of 4 bits, 1024 numbers of two bytes that have 16, and a buffer."""

    layers: list[Linear4bit] = field(default_factory=list)

    def modules(self):
        return [self, *self.layers]

    def parameters(self):
        return [Numbers(1024, 2), *(Numbers(2**20, 1) for _ in self.layers)]

    def buffers(self):
        return [Numbers(512, 4)]


def layer(quant_type="fp4", *, nested=False):
    scales = Numbers(2**15, 1 if nested else 4)
    own_scales = State("", nested=False, absmax=Numbers(128, 4)) if nested else None
    return Linear4bit(Weight(State(quant_type, nested, scales, own_scales)))


class Config:
    """What the server makes for bnb-4bit."""

    def __init__(self, **fields):
        self.fields = fields

    def to_dict(self):
        return self.fields

    @classmethod
    def from_dict(cls, fields):
        return cls(**fields)


class Manager:
    """What loads the server's models."""

    def get_quantization_config(self):
        return Config(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True)

    def _load_model(self, name):
        assert name == "a-model@main"
        made = self.get_quantization_config().fields
        return Model([layer(made["bnb_4bit_quant_type"], nested=made["bnb_4bit_use_double_quant"])] * 2)


@pytest.fixture
def manager():
    """A class of its own for each test: the server's is changed."""
    return type("Manager", (Manager,), {})


def test_the_flags_that_the_engine_gives_are_those_that_are_read():
    """Every option reaches the server by the flag that the command line has; the rest is the server's own."""
    given = {"dtype": "float32", "quantization": "bnb-4bit", **FP4}
    assert parsed(["serve", "m", *flags(given)]) == (
        FP4,
        ["serve", "m", "--dtype", "float32", "--quantization", "bnb-4bit"],
    )
    assert set(FP4) == set(NAMES)


@pytest.mark.parametrize(
    ("name", "value"), [(each.name, value) for each in OPTIONS for value in each.choices or (True, False)]
)
def test_every_declared_value_is_taken(name, value):
    """What a manifest may say of an option is no error of the command line."""
    flag = f"--{name.replace('_', '-')}"
    given = [flag if value else flag.replace("--", "--no-", 1)] if isinstance(value, bool) else [flag, value]
    assert parsed(["--quantization", "bnb-4bit", *given])[0] == {name: value}


@pytest.mark.parametrize("given", [[], ["--quantization", "bnb-8bit"]])
def test_options_without_4bit_weights_are_refused(given, capsys):
    """They would have no effect."""
    with pytest.raises(SystemExit) as caught:
        parsed(["serve", "m", *given, "--bnb-4bit-quant-type", "fp4"])
    assert caught.value.code == 2
    assert "need --quantization bnb-4bit" in capsys.readouterr().err


def test_only_the_options_of_the_servers_configuration_change(manager):
    """What was not asked for is as the server has it."""
    give(manager, {"bnb_4bit_quant_type": "fp4"})
    assert manager().get_quantization_config().fields == {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "fp4",
        "bnb_4bit_use_double_quant": True,
    }


def test_what_was_loaded_is_said_and_read(manager, capsys):
    """The line has what the layers have, and all weights with their scales; facts are read from it."""
    give(manager, FP4)
    assert len(manager()._load_model("a-model@main").layers) == 2
    assert Transformers().read_facts(f"[transformers] Loading\n{capsys.readouterr().out}ready\n", "") == {
        **FP4,
        "weights_mib": pytest.approx((2 * 2**20 + 2 * 2**17 + 2048 + 2048) / 2**20, abs=0.05),
    }


def test_scales_that_are_quantised_are_smaller():
    """Of double quantised weights the scales' own scales are counted."""
    assert "weights_mib=1.1 " not in report(Model([layer()]))
    assert report(Model([layer("nf4", nested=True)])) == (
        "[llmopt] bnb_4bit_quant_type=nf4 bnb_4bit_use_double_quant=True bnb_4bit_compute_dtype=bfloat16"
        " weights_mib=1.0"
    )


def test_a_model_of_several_kinds_or_none_is_said_as_it_is():
    """Where no option is asked for, nothing is refused: each combination is a line."""
    mixed = Model([layer(), layer("nf4"), layer()])
    check(mixed, {})
    assert [line.split()[1] for line in report(mixed).splitlines()] == [
        "bnb_4bit_quant_type=fp4",
        "bnb_4bit_quant_type=nf4",
    ]
    assert report(Model()) == "[llmopt] layers=0 weights_mib=0.0"


@pytest.mark.parametrize("layers", [[], [layer("nf4", nested=True)], [layer(), layer("nf4", nested=True)]])
def test_a_model_that_was_not_loaded_as_asked_is_not_served(layers):
    """Files that are quantised already would be measured under another name."""
    with pytest.raises(ValueError, match=r"was loaded with bnb_4bit_quant_type (None|nf4), not fp4"):
        check(Model(layers), FP4)
    assert {each["bnb_4bit_quant_type"] for each in used(Model(layers))} <= {"nf4", "fp4"}


@pytest.mark.parametrize("missing", ["get_quantization_config", "_load_model"])
def test_another_server_is_refused(missing):
    """Where the method that would be replaced is not there, one line names it and the version."""
    others = {name: value for name, value in vars(Manager).items() if name != missing}
    with pytest.raises(SystemExit, match=rf"transformers 5\.23: its ModelManager has no {missing}"):
        give(type("Other", (), others), FP4)


def test_without_the_server_one_line_says_so():
    """The file runs alone: where neither llmopt nor transformers is installed it says what it needs."""
    alone = [sys.executable, "-I", "-S", bnb_4bit_server.__file__, "serve", "m", "--quantization", "bnb-4bit"]
    ended = subprocess.run(alone, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    needed = "bnb_4bit options need the server of transformers 5.23: No module named 'transformers'\n"
    assert ended.stderr == needed


def test_the_neighbours_of_the_file_are_no_modules_of_the_engine(tmp_path, monkeypatch):
    """Run by its path, it takes transformers from the environment, and leaves its own folder off the path."""
    cli = tmp_path / "transformers" / "cli"
    (cli / "serving").mkdir(parents=True)
    for folder in (cli.parent, cli, cli / "serving"):
        (folder / "__init__.py").touch()
    (cli / "serving" / "model_manager.py").write_text(
        "class ModelManager:\n    def get_quantization_config(self): ...\n    def _load_model(self): ...\n"
    )
    (cli / "transformers.py").write_text("import sys\ndef main():\n    print(sys.argv)\n    import prompts\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    given = ["serve", "m", "--quantization", "bnb-4bit", "--port", "1"]
    ended = subprocess.run(
        [sys.executable, bnb_4bit_server.__file__, *given], capture_output=True, text=True, check=False
    )
    assert ended.stdout == f"{['transformers', 'serve', 'm', '--port', '1', '--quantization', 'bnb-4bit']}\n"
    assert "No module named 'prompts'" in ended.stderr


def test_the_module_that_a_person_runs_is_this_one(monkeypatch, capsys):
    """The command that is shown names a module of the package, which starts as the file does."""
    assert bnb_4bit_server.__name__ == LAUNCHER
    monkeypatch.setattr(sys, "argv", ["bnb_4bit_server", "serve", "m"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(Path(bnb_4bit_server.__file__)), run_name="__main__")
    assert "need --quantization bnb-4bit" in capsys.readouterr().err
