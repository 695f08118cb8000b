import pytest
from fakes.local_runs import manifest

from llmopt.manifest_checks import InputInvalid, all_checked, checked


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
