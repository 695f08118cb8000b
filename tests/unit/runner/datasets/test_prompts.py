import pytest

from llmopt_runner.datasets.base import Item
from llmopt_runner.datasets.prompts import TemplateInvalid, build_messages, messages_of_any

_ITEM = Item("a", "What is {x} + 1?", "2", "sum")
_CHOICE = Item("b", "Which one?", "red", "choice", ("red", "blue"))


def test_shots_are_turns_before_the_question():
    """A shot becomes a user turn and the assistant's answer, between the system text and the question."""
    messages = build_messages(_ITEM, system="Be short.", shots=[Item("s", "One?", "1", "sum")])
    assert [(message["role"], message["content"]) for message in messages] == [
        ("system", "Be short."),
        ("user", "One?"),
        ("assistant", "1"),
        ("user", "What is {x} + 1?"),
    ]


def test_instruction_follows_question_without_a_template():
    """Without a template the data set's instruction stands on a line after the question."""
    (message,) = build_messages(_ITEM, instruction="Number only.")
    assert message["content"] == "What is {x} + 1?\nNumber only."


def test_other_braces_survive():
    """Braces of the template and of the question that are no fields reach the model as written."""
    (message,) = build_messages(_ITEM, template='{"q": "{question}", "{y}": {}}')
    assert message["content"] == '{"q": "What is {x} + 1?", "{y}": {}}'


def test_field_names_inside_a_question_are_text():
    """A question that itself says {question} is not expanded again."""
    (message,) = build_messages(Item("c", "Say {question}{choices}", "x", "k"), template="Q: {question}")
    assert message["content"] == "Q: Say {question}{choices}"


@pytest.mark.parametrize("template", ["Say something.", "{Question}", "{choices}", ""])
def test_template_without_question_is_refused(template):
    """A template without {question} is an error that says what to write."""
    with pytest.raises(TemplateInvalid, match=r"write \{question\}"):
        build_messages(_ITEM, template=template)


def test_choices_are_numbered_after_the_question_or_where_the_template_says():
    """Choices follow the question unless the template places them."""
    (plain,) = build_messages(_CHOICE)
    (placed,) = build_messages(_CHOICE, template="{choices}\n---\n{question}")
    assert plain["content"] == "Which one?\n1. red\n2. blue"
    assert placed["content"] == "1. red\n2. blue\n---\nWhich one?"


@pytest.mark.parametrize(
    "prompt",
    [
        {},
        {"instruction": "Number only."},
        {"system": "Be short.", "shots": [Item("s", "{question}?", "1", "sum", solution="It is 1.")]},
        {"template": "Q: {question}\nA:", "instruction": "Number only."},
        {"template": '{instruction} {question} in {"a": {}}', "instruction": "Say {question}."},
    ],
)
def test_messages_for_any_item_become_those_of_one(prompt):
    """Whoever deploys them writes the question where the last message has `{question}`."""
    *before, asked = messages_of_any(**prompt)
    shown = {**asked, "content": asked["content"].replace("{question}", _ITEM.question, 1)}
    *expected, last = build_messages(_ITEM, **prompt)
    assert before == expected
    if "{question}" not in (prompt.get("instruction") or ""):
        assert shown == last


def test_places_of_choices_are_kept_where_the_template_has_them():
    """Else they follow the question, as they did when it was measured."""
    assert messages_of_any(template="{question}|{choices}")[0]["content"] == "{question}|{choices}"
    assert messages_of_any()[0]["content"] == "{question}"
