import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.engines.arguments import ServeArguments

SERVE = ServeArguments(
    given=("--max-num-seqs", "8", "--no-enforce-eager"),
    flags={"--max-num-seqs": True, "--enforce-eager": False, "--no-enforce-eager": False, "-c": True},
)


@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ([], ()),
        (["serve", "model", "--port", "80"], ("serve", "model", "--port", "80")),
        (["--max-num-seqs", "64", "--port", "80"], ("--port", "80")),
        (["--max-num-seqs=64", "--port=80"], ("--port=80",)),
        (["--max_num_seqs", "64", "x"], ("x",)),
        (["--enforce-eager", "x"], ("x",)),
        (["-c", "-1", "x"], ("x",)),
        (["x", "-c"], ("x",)),
    ],
)
def test_what_was_decided_takes_the_place_of_what_was_said(before: list[str], kept: tuple[str, ...]) -> None:
    """Flags of what was decided go in every spelling, with their values; all others stay as they are."""
    assert SERVE.merged(before) == (*kept, *SERVE.given)


@given(st.lists(st.text(max_size=6) | st.sampled_from([*SERVE.flags, *SERVE.given])))
def test_merging_again_changes_nothing(before: list[str]) -> None:
    """A command line that says it already stays as it is."""
    once = SERVE.merged(before)
    assert SERVE.merged(once) == once


def test_a_study_holds_it_as_json() -> None:
    """What a trial's facts hold is read back equal."""
    serve = ServeArguments(SERVE.given, SERVE.flags, ("seed=1 goes with each request",))
    assert ServeArguments.of(json.loads(json.dumps(serve.document()))) == serve
