"""Studies as the status shows them: by the code of local studies, without texts that somebody may copy."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from fakes.comparisons import FASTER, SPEED, comparison, measured
from fakes.manifests import benchmark, optimization
from fakes.records import outcome, trial

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources import resource_of
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus
from llmopt_core.results.reading import search_result
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind, Phase, RunnerRecord, StudyDefinition
from llmopt_core.storage.views import StudyPicture
from llmopt_operator.adapters.readings import read_study

END = EndReason("TrialsExhausted", "all trials are done")
RESOURCE = resource_of(optimization())
SETTING = {"engine.n_parallel": 4}


def scored(number, right, *, parameters=None, **fields):
    """Return a measured trial of 20 items, of which `right` were answered."""
    samples = {str(item): float(item < right) for item in range(20)}
    made = outcome(metrics={"accuracy": right / 20}, samples=samples, parameters=parameters)
    made = replace(made, facts={"serve_command": "from the row", "request_fields": {"from": "the row"}})
    return trial(number, made, parameters=parameters, **fields)


def repeats(*right):
    """Return three repeats of the default and of the configuration."""
    return [
        scored(10 + 2 * repeat + candidate, count, phase=Phase.CONFIRM, candidate=candidate, repeat=repeat,
               parameters=(None, SETTING)[candidate])
        for repeat in range(3)
        for candidate, count in enumerate(right)
    ]  # fmt: skip


def picture(*trials, **changes):
    runners = (RunnerRecord("runner", 0, 1, 9.0, memory_mib=512.4, memory_level="warning"),)
    plan = ConfirmPlan(({}, SETTING), (0, 1), 3)
    made = StudyPicture(define_study(RESOURCE), END, plan, None, "Keep", trials, runners)
    return replace(made, **changes)


def seen(study, resource=RESOURCE):
    """Return what the operator reads of `study`."""
    opened = SimpleNamespace(
        reaper=SimpleNamespace(sweep=lambda: ()),
        study=SimpleNamespace(picture=lambda: study, retain=lambda *_: None),
    )
    database = SimpleNamespace(opened=lambda _: opened)
    return read_study(database, "study", resource, "owner")


FOUND = (scored(0, 8, phase=Phase.BASELINE), scored(1, 16, parameters=SETTING), *repeats(8, 16))


def test_figures_are_a_status_and_say_what_a_local_study_says():
    """What the API server stores is read again, and its headline and gains are those of the study."""
    study = picture(*FOUND)
    figures = json.loads(json.dumps(seen(study).figures))
    status = OptimizationStatus.model_validate(figures)
    local = search_result(study, RESOURCE.spec)
    assert status.best.summary == local.headline
    assert status.best.summary.startswith("Significant gain over the baseline: accuracy +0.400")
    assert [one.verdict for one in status.best.gain] == [one.verdict for one in local.status.best.gain]
    assert status.progress == local.status.progress
    assert (status.best.repeats, len(status.choices)) == (3, 1)
    assert status.runners[0].memory_level == "warning"


def test_commands_are_computed_and_not_copied_from_rows():
    """A user who owns the database can write any command into it."""
    figures = seen(picture(*FOUND)).figures
    assert "from the row" not in json.dumps(figures)
    assert figures["choices"][0]["serveArgs"].startswith("llama-server")


def test_a_default_that_cannot_run_is_reported_with_its_message():
    """The message of a row is in the failure, and not in the summary, which is written elsewhere too."""
    failed = outcome(OutcomeKind.INFEASIBLE, error=ErrorClass.INVALID_CONFIGURATION)
    figures = seen(picture(trial(0, failed, phase=Phase.BASELINE), scored(1, 16, parameters=SETTING))).figures
    assert figures["baselineFailure"]["lastMessage"] == "it failed"
    assert figures["best"]["summary"].startswith("The baseline cannot run here (InvalidConfiguration). ")
    assert "baseline" not in figures


@pytest.mark.parametrize("ended", [END, None])
def test_a_benchmark_is_a_status_too(ended):
    """Means, differences and what is compared; of rows no command is taken over."""
    asked = comparison("default", "a", repeats=3)
    runs = [[outcome(metrics={SPEED: value + which}) for which in range(3)] for value in (50.0, 90.0)]
    runs[1][2].facts.update(serve_command="from the row", request_fields={"from": "the row"})
    definition = StudyDefinition("s", "f", SearchSpace(()), (FASTER,), comparison=asked)
    study = StudyPicture(definition, ended, None, asked, "Keep", tuple(measured(*runs)), ())
    figures = json.loads(json.dumps(seen(study, resource_of(benchmark())).figures))
    status = BenchmarkStatus.model_validate(figures)
    assert "from the row" not in json.dumps(figures)
    assert (status.winner, status.baseline, status.metrics) == ("a", "default", [SPEED])
    assert status.results[1].against_baseline[SPEED].better
    assert (status.progress.text, status.progress.measured) == ("6/6", 6)
