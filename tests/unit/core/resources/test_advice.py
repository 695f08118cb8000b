"""The advice that a fault gives, followed: what it says to write is valid."""

import re
from typing import Any

import pytest
import yaml
from fakes.manifests import changed, optimization

from llmopt_core.resources import ManifestInvalid, load_manifest, validate
from llmopt_core.resources.faults import Fault
from llmopt_core.resources.texts import YAML_ERRORS, yaml_documents, yaml_fault, yaml_line


def _only_fault(path: str, value: Any) -> Fault:
    (fault,) = validate(changed(optimization(), path, value))
    assert fault.path == path
    return fault


@pytest.mark.parametrize(
    "value",
    [90, "90", " 90 ", 5, 1.5, "1.5", 0, "0", 0.3, -5, "-5", 10**30, 1e300, float("inf"), float("nan")],
)
def test_a_duration_without_its_unit_is_answered_with_ones_that_are_valid(value: Any) -> None:
    """Each duration that the fault names can stand in the field."""
    fault = _only_fault("spec.budget.duration", value)
    named = re.findall(r"\d+[hms]\w*", fault.expected)
    assert len(named) == 3
    for duration in named:
        assert not validate(changed(optimization(), "spec.budget.duration", duration))


@pytest.mark.parametrize("value", [True, False])
def test_a_word_is_no_duration_in_quotes_either(value: Any) -> None:
    """`duration: off` is not answered with the advice to put it in quotes."""
    fault = _only_fault("spec.budget.duration", value)
    assert "quotes" not in fault.expected
    assert "1h30m" in fault.expected


@pytest.mark.parametrize("written", ["[on, off]", "[On, Off]"])
def test_unquoted_words_are_valid_once_they_are_quoted(written: str) -> None:
    """The fault says to quote the word that stands there: `on` is not the same as `true`."""
    choices = {"name": "flash_attn", "categorical": {"choices": yaml.safe_load(written)}}
    faults = validate(changed(optimization(), "spec.search.space.engine", [choices]))
    assert [fault.path[-len("choices[0]") :] for fault in faults] == ["choices[0]", "choices[1]"]
    assert all('put the word that stands here in quotes, such as "on"' in each.expected for each in faults)
    quoted = {**choices, "categorical": {"choices": ["on", "off"]}}
    assert not validate(changed(optimization(), "spec.search.space.engine", [quoted]))


@pytest.mark.parametrize(("value", "shown"), [(5, '"5"'), (2.5, '"2.5"')])
def test_a_number_in_place_of_a_text_is_shown_in_quotes(value: Any, shown: str) -> None:
    """What the fault says to write is valid as it stands."""
    (fault,) = validate(_with_system(value))
    assert shown in fault.expected
    assert not validate(_with_system(yaml.safe_load(shown)))


def _with_system(value: Any) -> dict[str, Any]:
    return changed(optimization(), "spec.workload.prompt", {"system": value})


def test_an_empty_field_is_said_to_be_empty() -> None:
    """YAML reads a name without a value as null."""
    fault = _only_fault("spec.model.source", yaml.safe_load("source:")["source"])
    assert fault.expected.startswith("a value")


# What is wrong, what the advice says, and the text once it was followed.
TEXTS = {
    "a tab": ("a:\n\tb: 1\n", "indent with spaces", "a:\n  b: 1\n"),
    "a tab behind spaces": ("a:\n  b: 1\n \tc: 2\n", "indent with spaces", "a:\n  b: 1\n  c: 2\n"),
    "a colon": ("a: b: c\n", "in quotes", "a: 'b: c'\n"),
    "a missing colon": ("a: 1\nb\nc: 2\n", "a colon", "a: 1\nb: 3\nc: 2\n"),
    "an open bracket": ("a: [1, 2\nb: 3\n", "each bracket and quote", "a: [1, 2]\nb: 3\n"),
    "an open quote": ('a: "x\n', "close the quote", 'a: "x"\n'),
    "an at sign": ("a: @x\n", "in quotes", "a: '@x'\n"),
    "a star": ("a: *x\n", "in quotes", "a: '*x'\n"),
    "a backslash": ('a: "\\d"\n', "single quotes", "a: '\\d'\n"),
    "no date": ("a: 2024-13-45\n", "put its text in quotes", "a: '2024-13-45'\n"),
    "a long number": (f"a: {'9' * 5000}\n", "put its text in quotes", f"a: '{'9' * 5000}'\n"),
    "a long number in hexadecimals": (f"a: 0x{'f' * 5000}\n", "put its text in quotes", "a: 0xff\n"),
    "a tag of truth": ("a: !!bool maybe\n", "remove the tag", "a: maybe\n"),
    "a tag of a time": ("a: !!timestamp soon\n", "remove the tag", "a: soon\n"),
    "a tag of a number": ('a: !!int ""\n', "remove the tag", 'a: ""\n'),
    "an unseen character": ("a: \x00\n", "cannot be seen", "a:\n"),
}


@pytest.mark.parametrize(("text", "advice", "followed"), TEXTS.values(), ids=TEXTS)
def test_each_fault_of_yaml_says_what_to_do(text: str, advice: str, followed: str) -> None:
    """A text that is no YAML is one fault with advice; once followed, the text can be read."""
    with pytest.raises(YAML_ERRORS) as caught:
        yaml_documents(text)
    fault = yaml_fault(caught.value, text)
    assert advice in (fault.suggestion or "")
    assert yaml_line(caught.value) >= 1
    assert "\n" not in str(fault)
    assert yaml_documents(followed)


@pytest.mark.parametrize("text", [*(text for text, _, _ in TEXTS.values()), "[" * 100_000])
def test_a_text_that_is_no_yaml_is_a_fault_and_no_crash(text: str) -> None:
    """Whatever YAML's reader raises, the manifest is what is wrong."""
    with pytest.raises(ManifestInvalid, match="YAML: "):
        load_manifest(text)
