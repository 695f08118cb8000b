"""Every reason is explained, and a type checker finds the one that is not."""

import re
from pathlib import Path

import pytest
from mypy import api as mypy

from llmopt_core.api import (
    explained,
    explained_rollouts,
    explained_running,
    explained_studies,
    explanations,
    failures,
    reasons,
)
from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.explained import Place, Recovery
from llmopt_core.api.explanations import comes_back, explanation
from llmopt_core.api.reasons import Reason, reason_called
from llmopt_core.errors import classes
from llmopt_core.errors.classes import ErrorClass

ROOT = Path(__file__).parents[4]
ALL = (*Reason, *ErrorClass)
# As resources and databases hold them since 0.1.0: values are added, never changed.
FIRST = """
Valid InvalidSpec PolicyDenied StudyOpen StorageSecretInvalid StorageUnusable EnqueueInvalid
NothingToSearch ReferenceInvalid SamplerUnavailable StudyMismatch WarmStartInvalid RunnersActive
NotAccepted Starting Replacing Suspended QueueInadmissible JobSuspended Unschedulable
ImagePullFailed ReferenceMissing ContainerFailed SuspendedByUser WithinLimits GuardTripped
TrialsExhausted DeadlineExceeded BudgetSpent GoalReached TooManyFailures RunnerRefused RunnerFailed
RunnersFailed Available InProgress RolledBack Superseded NoSignificantGain NotByArguments StudyLost
DeploymentNotFound DeploymentForbidden ContainerNotFound Started BestImproved RolloutStarted
RolledOut RolloutRefused HostOutOfMemory StorageUnavailable ModelNotFound
"""


@pytest.mark.parametrize("reason", ALL)
def test_every_reason_says_what_it_means(reason):
    """Each has a meaning as a sentence and a place, and what is wrong has something to do or passes."""
    found = explanation(reason)
    assert re.fullmatch(r"([A-Z]|spec\.).+\.", found.meaning)
    assert found.places or reason is Reason.NO_OPERATOR
    wrong = (
        any(place.type and not place.status for place in found.places)
        or Place(ConditionType.FAILED) in found.places
    )
    passes = found.recovery is Recovery.SOON or reason in {Reason.IN_PROGRESS, Reason.SUPERSEDED}
    assert found.action or not wrong or passes
    assert not found.action.endswith(".")


@pytest.mark.parametrize("reason", ALL)
def test_every_reason_is_one_that_kubernetes_takes(reason):
    """The API server refuses a condition whose reason is not of this form."""
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]{0,127}", reason.value)


def test_no_reason_of_an_earlier_version_is_lost():
    """What clusters and databases hold can still be read."""
    assert {each.value for each in ALL} >= set(FIRST.split())
    assert all(reason_called(text) == text for text in FIRST.split())
    assert reason_called("OfANewerVersion") is None


def test_every_condition_has_reasons_for_what_it_can_say():
    """No type of condition is without a reason."""
    said = {place.type for reason in ALL for place in explanation(reason).places}
    assert said >= set(ConditionType)


def test_what_recovers_by_itself_is_looked_at_again():
    """A missing Deployment may be created; a lost study does not come back."""
    assert comes_back(Reason.DEPLOYMENT_NOT_FOUND)
    assert comes_back(ErrorClass.STORAGE_UNAVAILABLE)
    assert not comes_back(Reason.STUDY_LOST)
    assert not comes_back(Reason.AVAILABLE)


@pytest.mark.parametrize(
    ("enumeration", "first", "match"),
    [
        (reasons, '    VALID = "Valid"\n', explanations),
        (classes, '    GPU_OUT_OF_MEMORY = "GpuOutOfMemory"\n', failures),
    ],
)
def test_mypy_reports_a_reason_without_an_explanation(tmp_path, enumeration, first, match):
    """A new member of the enumeration is an error of types until the `match` has a case for it."""
    copies = tmp_path / "llmopt_core"
    tables = (explained, explained_rollouts, explained_running, explained_studies)
    for module in (reasons, explanations, *tables, failures, classes):
        source = Path(module.__file__)
        copy = copies / source.relative_to(ROOT / "core/src/llmopt_core")
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text()
        if module is enumeration:
            assert first in text
            text = text.replace(first, first + '    BRAND_NEW = "BrandNew"\n')
        copy.write_text(text)
    for name in ("api/conditions.py", "api/__init__.py", "errors/__init__.py", "__init__.py"):
        (copies / name).write_text((ROOT / "core/src/llmopt_core" / name).read_text())
    config = tmp_path / "mypy.ini"
    config.write_text(f"[mypy]\nstrict = True\nmypy_path = {tmp_path}\ncache_dir = {tmp_path}/cache\n")
    output, problems, code = mypy.run(["--config-file", str(config), "-p", "llmopt_core.api"])
    assert code == 1, (output, problems)
    assert "BRAND_NEW" in output
    (line,) = [line for line in output.splitlines() if ": error:" in line]
    assert Path(match.__file__).name in line
