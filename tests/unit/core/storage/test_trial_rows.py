"""What a reader keeps of a trial."""

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.errors.limits import Limit
from llmopt_core.errors.remedies import Change, Remedy
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.documents import Assignment, Ending
from llmopt_core.storage.records import Outcome, OutcomeKind, Phase
from llmopt_core.storage.trial_rows import _for_readers


def test_what_an_engine_named_is_kept_for_samplers_only():
    """A reader shows the message of a failure, and keeps none of the limits and remedies in it."""
    failure = Failure(
        ErrorClass.INVALID_CONFIGURATION,
        "refused",
        "lower it",
        limits=(Limit("max_num_seqs", most=8),),
        remedies=(Remedy("block_size", Change.HALVE),),
    )
    ending = Ending(Outcome(OutcomeKind.INFEASIBLE, Configuration(), failure=failure))
    _, kept = _for_readers(Assignment(Phase.SEARCH), ending)
    assert kept.outcome.failure == Failure(ErrorClass.INVALID_CONFIGURATION, "refused", "lower it")
