"""The messages of requests that a result gives to copy."""

from dataclasses import replace

import pytest
from fakes.comparisons import comparison, repeat
from fakes.records import outcome, trial

from llmopt_core.results.prompts import prompts_of
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.keys import MESSAGES_FACT
from llmopt_core.storage.records import ObjectiveDefinition, StudyDefinition

DEFINITION = StudyDefinition("study", "f", SearchSpace(()), (ObjectiveDefinition("accuracy", "maximize"),))
MESSAGES = [{"role": "system", "content": "짧게"}, {"role": "user", "content": "{question}"}]


def asked_with(messages):
    return replace(outcome(metrics={"accuracy": 0.5}), facts={MESSAGES_FACT: messages})


def test_messages_are_found_by_trial():
    """Those of configurations that have some."""
    found = prompts_of(DEFINITION, [trial(0, outcome()), trial(1, None), trial(2, asked_with(MESSAGES))])
    assert found == {2: MESSAGES}


def test_in_a_benchmark_they_are_found_by_candidate():
    """Each candidate has those of its first repeat that was measured."""
    definition = replace(DEFINITION, comparison=comparison("default", "a"))
    runs = [repeat(0, 0, 0), repeat(1, 1, 0, asked_with(MESSAGES)), repeat(2, 0, 1, asked_with(MESSAGES[1:]))]
    found = prompts_of(definition, runs)
    assert found == {"a": MESSAGES, "default": MESSAGES[1:]}


@pytest.mark.parametrize(
    "garbage", ["text", 5, [1], [{"role": 1}], {"role": "user"}, [["role", "user"]], None]
)
def test_what_no_runner_writes_is_left_out(garbage):
    """The rows are another program's: nothing of them ends the report."""
    assert prompts_of(DEFINITION, [trial(0, asked_with(garbage))]) == {}
