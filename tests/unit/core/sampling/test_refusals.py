"""Configurations that earlier trials show to be impossible."""

from dataclasses import replace

import pytest
from fakes.records import outcome, trial

from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.limits import Limit
from llmopt_core.sampling.refusals import known_refusal
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import OutcomeKind

LIMIT = Limit("max_num_seqs", most=856)
AT_START = {"framework": 0.1, "load": 20.0}
IN_LOAD = {**AT_START, "warmup": 1.0, "measure": 3.0}


def configuration(**parameters):
    return Configuration.from_flat({name.replace("__", "."): value for name, value in parameters.items()})


def refused(*, seconds=AT_START, limits=(), kind=OutcomeKind.INFEASIBLE, **parameters):
    """Return trial 3, which an engine refused."""
    ended = outcome(
        kind,
        error=ErrorClass.INVALID_CONFIGURATION,
        seconds=seconds,
        parameters=configuration(**parameters).flat(),
    )
    return trial(3, replace(ended, failure=replace(ended.failure, limits=limits)))


def known(trials, **parameters):
    return known_refusal(trials, configuration(**parameters), VLLM.load_part)


def test_what_is_beyond_a_limit_is_refused():
    """The limit is said with the trial that met it, and keeps the class of its failure."""
    trials = [trial(2, outcome()), refused(limits=(LIMIT,), engine__max_num_seqs=1024)]
    failure = known(trials, engine__max_num_seqs=900)
    assert failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert failure.message == "the engine named a limit in trial 3: max_num_seqs must be at most 856"
    assert failure.limits == ()
    assert known(trials, engine__max_num_seqs=856) is None


@pytest.mark.parametrize(
    ("seconds", "asked", "again"),
    [
        (AT_START, {"engine__max_num_seqs": 64, "sampling__temperature": 1.0}, True),
        (AT_START, {"engine__max_num_seqs": 64, "sampling__temperature": 0.5}, True),
        (AT_START, {"engine__max_num_seqs": 32, "sampling__temperature": 1.0}, False),
        (IN_LOAD, {"engine__max_num_seqs": 64, "sampling__temperature": 1.0}, True),
        (IN_LOAD, {"engine__max_num_seqs": 64, "sampling__temperature": 0.5}, False),
        ({"framework": 0.1}, {"engine__max_num_seqs": 64, "sampling__temperature": 1.0}, False),
    ],
    ids=[
        "the same", "the same server", "another server", "the same, under load", "other requests",
        "never started",
    ],
)  # fmt: skip
def test_what_was_refused_is_refused_again(seconds, asked, again):
    """A start that failed says all of the server, a load that failed only of the whole configuration."""
    trials = [refused(seconds=seconds, engine__max_num_seqs=64, sampling__temperature=1.0)]
    failure = known(trials, **asked)
    assert (failure is not None) is again
    assert failure is None or failure.message == "as in trial 3: it failed"


@pytest.mark.parametrize("kind", [OutcomeKind.FAILED, OutcomeKind.RETURNED])
def test_what_may_pass_is_tried_again(kind):
    """A crash is no proof that the configuration cannot work."""
    assert known([refused(kind=kind, engine__max_num_seqs=64), trial(4)], engine__max_num_seqs=64) is None
