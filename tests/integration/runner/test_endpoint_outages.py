"""Endpoints that are not there: never, or for a while."""

from dataclasses import replace

from fakes.endpoint_manifests import manifest
from fakes.graded_answers import OPTIONS, counted
from fakes.openai_server import FakeServer
from fakes.runner_folders import PATIENCE_SECONDS

from llmopt_core.analysis.confirmation import confirmation
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind, Phase

START_TIMEOUT = {"startTimeout": "1s"}


def _manifest(url, **changes):
    document = manifest(url, **changes)
    document["spec"]["engine"] |= START_TIMEOUT
    return document


def test_an_endpoint_that_is_not_there_ends_the_study_until_it_is(folder):
    """One message, no trial of the budget; with the server there, the same study runs to its end."""
    with FakeServer(OPTIONS) as gone:
        port, url = gone.port, gone.base_url
    folder.write(_manifest(url, trials=3))
    assert folder.run() == RunnerExit.STUDY_FAILED, folder.log()
    with folder.study() as study:
        assert study.ended.reason == "EndpointUnreachable"
        assert study.ended.message.startswith(f"{url} did not answer as a server of 'fake-model' within ")
        assert "Start that server, or correct spec.engine.endpoint.url" in study.ended.message
        assert [trial.outcome.kind for trial in study.trials() if trial.outcome] == [OutcomeKind.RETURNED] * 2
    with FakeServer(OPTIONS, port=port):
        assert folder.go_on() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert [trial.outcome.kind for trial in counted(study)] == [OutcomeKind.MEASURED] * 3


def test_an_endpoint_that_restarts_costs_no_trial(folder):
    """It goes in a measurement and comes back: what ran meanwhile is run again, and nothing has failed."""
    slow = replace(OPTIONS, ttft_ms=60.0)
    with FakeServer(slow) as first:
        document = manifest(first.base_url, trials=4)
        document["spec"]["engine"]["startTimeout"] = "30s"
        folder.write(document)
        runner = folder.start()
        folder.until(lambda trials: [trial.state for trial in trials] == ["finished", "running"])
    with FakeServer(slow, port=first.port):
        assert runner.wait(PATIENCE_SECONDS) == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert study.ended.reason == "TrialsExhausted"
        assert [trial.outcome.kind for trial in counted(study)] == [OutcomeKind.MEASURED] * 4


def test_an_endpoint_that_goes_for_good_leaves_the_repeats_for_later(folder):
    """It answers no more while the winner is verified: the study fails, and goes on with it to its proof."""
    with FakeServer(replace(OPTIONS, ttft_ms=60.0)) as first:
        folder.write(_manifest(first.base_url, trials=3, confirm={"top": 1, "repeats": 3}))
        runner = folder.start()
        folder.until(lambda trials: any(trial.phase is Phase.CONFIRM for trial in trials))
    assert runner.wait(PATIENCE_SECONDS) == RunnerExit.STUDY_FAILED, folder.log()
    with folder.study() as study:
        assert study.ended.reason == "EndpointUnreachable"
    with FakeServer(OPTIONS, port=first.port):
        assert folder.go_on() == RunnerExit.DONE, folder.log()
    with folder.study() as study:
        assert study.ended.reason == "TrialsExhausted"
        assert confirmation(study).winner is not None
