"""Which GPUs each of several runners on this machine gets."""

import json
import os
import sys

import pytest

from llmopt.local.fleets import Launcher
from llmopt.local.folders import ResultsFolder
from llmopt.machine.gpus import assignable, deal


def _printing(text):
    return (sys.executable, "-c", f"print({text!r})")


@pytest.mark.parametrize(
    ("names", "runners", "given"),
    [
        ("0123", 2, ("01", "23")),
        ("0123", 4, ("0", "1", "2", "3")),
        ("0123", 3, ("0", "1", "2")),
        ("01", 3, ("0", "1", "0")),
        ("", 2, ("", "")),
    ],
)
def test_each_runner_gets_gpus_of_its_own(names, runners, given):
    """Equally many neighbours; where GPUs are too few, one in turn."""
    assert deal(names, runners).given == tuple(tuple(each) for each in given)


def test_a_runner_sees_its_own_gpus_by_the_order_of_the_bus():
    """CUDA would number different GPUs by their speed; a slice goes by its own name."""
    assert deal(("2", "MIG-a"), 2).environment(0) == {
        "CUDA_VISIBLE_DEVICES": "2",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    }
    assert deal(("2", "MIG-a"), 2).environment(1)["CUDA_VISIBLE_DEVICES"] == "MIG-a"
    assert deal(("0", "1", "2", "3"), 2).environment(1)["CUDA_VISIBLE_DEVICES"] == "2,3"


def test_where_there_is_no_gpu_the_environment_stays():
    """Engines then run on processors, and nothing is said."""
    nothing = deal((), 2)
    assert (nothing.environment(0), list(nothing.sentences())) == ({}, [])


def test_the_hours_of_a_shared_gpu_count_once():
    """The first runner of each GPU counts them; the others are configured not to."""
    shared = deal(("0", "1"), 3)
    counted = [shared.environment(index).get("LLMOPT_GPUS_COUNTED") for index in range(3)]
    assert counted == [None, None, "no"]
    assert any("share 2 GPU(s)" in sentence for sentence in shared.sentences())


def test_gpus_that_nobody_gets_are_said():
    """Runners have equally many, or their measurements could not be compared."""
    assert list(deal("0123", 3).sentences())[-1].startswith("GPU 3 is left over")


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (_printing(json.dumps(["0", "MIG-a"])), ("0", "MIG-a")),
        (_printing("no json"), ()),
        ((sys.executable, "-c", "raise SystemExit(1)"), ()),
        (("/nowhere/python",), ()),
    ],
)
def test_what_the_runner_says_it_can_be_given(command, names):
    """A runner that cannot say gives all of them what there is."""
    assert assignable(command) == names


def test_a_runner_is_started_with_its_own_gpus(tmp_path):
    """Its environment shows no others, whatever the command's own showed."""
    folder = ResultsFolder(tmp_path)
    recorded = tmp_path / "recorded"
    program = f"import os; open({str(recorded)!r}, 'w').write(os.environ['CUDA_VISIBLE_DEVICES'])"
    folder.runner_log(1).parent.mkdir(parents=True, exist_ok=True)
    with open(os.devnull) as null:  # noqa: PTH123 - a descriptor is asked for
        launcher = Launcher(
            folder, "sqlite://", null.fileno(), null.fileno(), (sys.executable, "-c", program),
            gpus=deal(("0", "1"), 2),
        )  # fmt: skip
        assert launcher.start(1).wait() == 0
    assert recorded.read_text() == "1"
