"""What a stricter rule of a later version means for resources that earlier ones accepted."""

from dataclasses import replace

import pytest

from llmopt_core.api.reasons import Reason
from llmopt_operator.domain.observed import JobSeen, Observed, Problem, Target
from llmopt_operator.reconciling.acceptance import Accepted
from llmopt_operator.reconciling.admission import is_admitted_already

TARGET = Target(generation=1, manifest_hash="abcd1234", suspend=False, runners=1)
JOB = JobSeen(name="demo-abcd1234", manifest_hash="abcd1234", active=1)
RUNNING = Observed(target=TARGET, status={}, jobs=(JOB,))
INVALID = Accepted(TARGET, Problem(Reason.INVALID_SPEC, "spec.x: bad"))
DENIED = Accepted(TARGET, Problem(Reason.POLICY_DENIED, "spec.y: not allowed here"))


@pytest.mark.parametrize("accepted", [INVALID, DENIED])
def test_what_runs_goes_on_under_a_stricter_rule(accepted):
    """Its Job is of the very manifest that was accepted once: an upgrade does not end it."""
    assert is_admitted_already(RUNNING, accepted)


@pytest.mark.parametrize(
    ("observed", "accepted"),
    [
        (RUNNING, Accepted(TARGET)),
        (RUNNING, replace(INVALID, readable=False)),
        (replace(RUNNING, jobs=()), INVALID),
        (replace(RUNNING, jobs=(replace(JOB, manifest_hash="00000000"),)), INVALID),
    ],
)
def test_a_rule_judges_what_is_to_be_started(observed, accepted):
    """Without a Job of this manifest nothing was accepted; what cannot be read cannot be followed."""
    assert not is_admitted_already(observed, accepted)
