import json
import sys

import pytest
from fakes.local_runs import manifest

from llmopt.machine.descriptions import RunnerUnusable
from llmopt.manifest_checks import InputInvalid, all_checked, checked, require_usable


def test_a_valid_text_is_its_resource():
    """What is valid comes back as the resource it describes."""
    assert checked(manifest(name="mine"), "m.yaml").metadata.name == "mine"


def test_faults_carry_the_name_of_their_source():
    """A text that was never a file is called what the caller calls it, with the line in it."""
    text = manifest().replace("trials: 4", "trials: many")
    with pytest.raises(InputInvalid) as caught:
        checked(text, "<options>")
    (fault,) = caught.value.faults
    assert str(fault).startswith(
        f"<options>:{text.splitlines().index('    trials: many') + 1}: spec.budget.trials"
    )


def test_one_file_may_hold_several_resources_but_one_is_run():
    """All of a file are checked; where one is wanted, the second is a fault at its line."""
    text = f"{manifest(name='one')}---\n{manifest(name='two')}"
    assert [each.metadata.name for each in all_checked(text, "m.yaml")] == ["one", "two"]
    with pytest.raises(InputInvalid) as caught:
        checked(text, "m.yaml")
    line = text.splitlines().index("---") + 2
    assert str(caught.value).startswith(f"m.yaml:{line}: manifest: expected one resource, found 2")


@pytest.mark.parametrize("text", ["", "a: 1\nb: [1\nc: 2\n", "just words", "- 1\n- 2\n"])
def test_what_is_no_resource_is_a_fault(text):
    """Empty files, broken YAML and other documents are faults, not crashes."""
    with pytest.raises(InputInvalid, match=r"m\.yaml:\d+: "):
        checked(text, "m.yaml")


def _looking(found, code=0):
    """Return a program in place of the runner's, which has `found` what it prints."""
    return (sys.executable, "-c", f"import sys; sys.stdin.read(); print({found!r}); sys.exit({code})")


def test_what_the_runners_program_finds_is_a_fault_at_its_line():
    """It looks into files and for engines, and knows no lines."""
    text = manifest()
    found = [{"path": "spec.engine.name", "value": "llamacpp", "expected": "one", "suggestion": "install it"}]
    with pytest.raises(InputInvalid) as caught:
        require_usable(checked(text, "m.yaml"), text, "m.yaml", _looking(json.dumps(found)))
    line = text.splitlines().index("    name: llamacpp") + 1
    said = f'm.yaml:{line}: spec.engine.name: "llamacpp": expected one (install it)'
    assert str(caught.value) == said


def test_a_machine_where_nothing_is_wrong_is_usable():
    """Nor is anything looked for where another program runs the trials."""
    text = manifest()
    resource = checked(text, "m.yaml")
    require_usable(resource, text, "m.yaml", _looking("[]"))
    require_usable(resource, text, "m.yaml", None)


@pytest.mark.parametrize("program", [_looking("[]", code=1), _looking("{}")])
def test_a_runner_that_does_not_answer_is_said(program):
    """It would not run trials either."""
    text = manifest()
    with pytest.raises(RunnerUnusable):
        require_usable(checked(text, "m.yaml"), text, "m.yaml", program)
