"""What a resource asks for, from its types: no default is known here that the types do not have."""

import pytest
from fakes.cluster_resources import resource
from fakes.manifests import benchmark, changed, optimization

from llmopt_core.api.reasons import Reason
from llmopt_operator.domain.observed import Observed
from llmopt_operator.domain.statuses import accepted as accepted_fact
from llmopt_operator.reconciling.acceptance import Acceptances
from llmopt_operator.settings import OperatorSettings

ENDING_SECONDS = 300


def accepted(document):
    return Acceptances(OperatorSettings()).of(resource("mine", generation=3, document=document))


def test_a_target_has_the_defaults_of_the_types():
    """A manifest that says nothing of runners, suspension or time to live gets what the reference says."""
    target = accepted(optimization()).target
    assert (target.runners, target.suspend, target.queue, target.ttl_seconds) == (1, False, None, None)
    assert (target.generation, target.uid, target.longest_seconds) == (3, "uid-of-mine", None)


def test_a_target_has_what_the_manifest_says():
    """Every field that a decision needs is taken from the resource."""
    document = changed(optimization(), "spec.runners", {"count": 3, "queueName": "team"})
    document = changed(document, "spec.suspend", value=True)
    document = changed(document, "spec.ttlSecondsAfterFinished", 60)
    target = accepted(document).target
    assert (target.runners, target.suspend, target.queue, target.ttl_seconds) == (3, True, "team", 60)


def test_what_is_probably_not_meant_is_on_the_resource():
    """More enqueued configurations than the budget holds are accepted, and the condition warns of them."""
    document = changed(optimization(), "spec.budget.trials", 1)
    document = changed(document, "spec.search.enqueue", [{"sampling.temperature": "0.5"}])
    found = accepted(document)
    assert found.rejection is None
    fact = accepted_fact(Observed(found.target, {}))
    assert (fact.status, fact.reason) == ("True", Reason.VALID)
    assert fact.message.startswith("warning: spec.search.enqueue: 1 configurations are given")
    assert accepted_fact(Observed(accepted(optimization()).target, {})).message == ""


@pytest.mark.parametrize(
    ("budget", "start", "seconds"),
    [
        ({"duration": "1h"}, None, 3600 + 600 + 600),
        ({"duration": "1h", "trialTimeout": "1m"}, "30m", 3600 + 60 + 1800),
    ],
)
def test_runners_get_one_start_and_one_trial_beyond_the_budget(budget, start, seconds):
    """What the manifest leaves out counts with the default of its type."""
    document = changed(optimization(), "spec.budget", {"trials": 4, **budget})
    if start:
        document = changed(document, "spec.engine.startTimeout", start)
    assert accepted(document).target.longest_seconds == seconds + ENDING_SECONDS


def test_a_benchmark_waits_for_its_slowest_engine():
    """An engine that a candidate brings may need longer to start than the shared one."""
    document = changed(benchmark(), "spec.budget", {"duration": "1h"})
    engine = {**document["spec"]["engine"], "startTimeout": "1h"}
    candidates = [*document["spec"]["candidates"]]
    candidates[0] = {**candidates[0], "engine": engine}
    found = accepted(changed(document, "spec.candidates", candidates))
    assert found.rejection is None
    assert found.target.longest_seconds == 3600 + 600 + 3600 + ENDING_SECONDS


def test_what_cannot_be_read_asks_for_nothing():
    """Nothing of an invalid spec is followed, not even its time to live."""
    document = changed(optimization(), "spec.budget", {"trials": -1})
    found = accepted(changed(document, "spec.ttlSecondsAfterFinished", 1))
    assert found.rejection is not None
    assert found.rejection.reason is Reason.INVALID_SPEC
    assert found.target.ttl_seconds is None
    assert found.target.manifest_hash


def test_what_breaks_a_rule_can_still_be_read():
    """A rule of a later version makes a resource invalid, but what runs can be followed to its end."""
    document = changed(optimization(), "spec.engine.args", {"n_ctx": -4})
    found = accepted(changed(document, "spec.runners", {"count": 3}))
    assert found.rejection is not None
    assert found.rejection.reason is Reason.INVALID_SPEC
    assert found.readable
    assert found.target.runners == 3
    assert not accepted(changed(optimization(), "spec.budget", {"trials": -1})).readable
