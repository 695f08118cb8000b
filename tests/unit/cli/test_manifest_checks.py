import pytest
from fakes.local_runs import manifest

from llmopt.manifest_checks import InputInvalid, checked


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


@pytest.mark.parametrize("text", ["", "a: 1\nb: [1\nc: 2\n", "just words", "- 1\n- 2\n"])
def test_what_is_no_resource_is_a_fault(text):
    """Empty files, broken YAML and other documents are faults, not crashes."""
    with pytest.raises(InputInvalid, match=r"m\.yaml:\d+: "):
        checked(text, "m.yaml")
