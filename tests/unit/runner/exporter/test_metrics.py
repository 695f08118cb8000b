"""What the metrics say after trials made by hand, and that they are what Prometheus' conventions ask for."""

import re
import socket
import urllib.request

import pytest
from fakes.comparisons import FASTER, SPEED, comparison, repeat
from fakes.comparisons import measured as repeats
from fakes.records import outcome, trial
from prometheus_client import Gauge
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from llmopt_core.analysis.comparison import compare
from llmopt_core.analysis.summary import summarise_trials
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.records import ObjectiveDefinition, OutcomeKind, Phase, RunnerRecord, StudyDefinition
from llmopt_runner.exporter.devices import DeviceMemory, GpuUse, ProgressView
from llmopt_runner.exporter.limits import Limits
from llmopt_runner.exporter.metrics import Exporter
from llmopt_runner.exporter.serving import served
from llmopt_runner.trial.progress import Progress

OBJECTIVES = (
    ObjectiveDefinition("accuracy", "maximize"),
    ObjectiveDefinition("output_tokens_per_second", "maximize"),
)
LIMITS = Limits(trials=40, active_seconds=3600.0, gpu_seconds=7200.0)
# Every label there may be, and the most values it may have.
LABELS = {
    "kind": len(OutcomeKind), "error_class": len(ErrorClass), "metric": 4, "state": 4, "stage": 4,
    "device": 17, "action": 4, "le": 16, "version": 1, "python_version": 1, "engine": 1,
}  # fmt: skip


class View:
    """A runner with one GPU in trouble."""

    def devices(self):
        return (DeviceMemory("host", 512, 1024, 0), DeviceMemory("gpu0", 70_000, 81_920, 2))

    def guard_actions(self):
        return {"stop": 2}

    def gpu_joules(self):
        return {"gpu0": 1_000.0}

    def wait_seconds(self):
        return 7.5

    def storage_failures(self):
        return 3


@pytest.fixture
def exporter():
    return Exporter("llamacpp", OBJECTIVES, View(), LIMITS)


def families(exporter):
    text = generate_latest(exporter.registry).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def value(exporter, name, **labels):
    return exporter.registry.get_sample_value(name, labels)


def measured(accuracy, *, speed=50.0, start=None, **seconds):
    metrics = {"accuracy": accuracy, "output_tokens_per_second": speed}
    if start is not None:
        metrics["engine_start_seconds"] = start
    return outcome(metrics=metrics, seconds={"load": start or 0.0, "total": 4.0, **seconds})


def faults(exporter):
    """What promtool's linter would say: of help texts, units, names and suffixes; and labels that grow."""
    for family in families(exporter).values():
        yield from (f"{family.name}: no help" for _ in [0] if not family.documentation)
        yield from (f"{family.name}: prefix" for _ in [0] if not family.name.startswith("llmopt_runner_"))
        yield from (
            f"{family.name}: not a base unit"
            for unit in ("_ms", "_milliseconds", "_minutes", "_mib", "_kb", "_percent")
            if unit in family.name
        )
        if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", family.name):
            yield f"{family.name}: characters"
        yield from sample_faults(family)


def sample_faults(family):
    if family.type == "counter" and any(not s.name.endswith("_total") for s in family.samples):
        yield f"{family.name}: a counter ends with _total"
    if family.type == "gauge" and family.name.endswith(("_total", "_count", "_sum", "_bucket")):
        yield f"{family.name}: a gauge with another kind's suffix"
    if family.type == "histogram" and not family.name.endswith("_seconds"):
        yield f"{family.name}: a histogram without a unit"
    for label in {name for sample in family.samples for name in sample.labels}:
        values = {sample.labels.get(label) for sample in family.samples}
        if len(values) > LABELS.get(label, 0):
            yield f"{family.name}: label {label} takes {len(values)} values"


def test_names_units_helps_and_labels_keep_the_conventions(exporter):
    """A linter finds nothing, also after three hundred trials of every kind and class."""
    for number in range(300):
        kind = list(OutcomeKind)[number % len(OutcomeKind)]
        error = list(ErrorClass)[number % len(ErrorClass)]
        exporter.trial_ended(kind, outcome(kind, metrics={"accuracy": 0.5}, error=error, seconds={"load": 1}))
    assert list(faults(exporter)) == []


def test_the_linter_of_these_tests_finds_faults(exporter):
    """A name with a wrong unit, no help and a label of trial numbers are each found."""
    bad = Gauge("llmopt_runner_load_ms", "", ["trial"], registry=exporter.registry)
    for number in range(20):
        bad.labels(str(number)).set(1)
    assert sorted(faults(exporter)) == [
        "llmopt_runner_load_ms: label trial takes 20 values",
        "llmopt_runner_load_ms: no help",
        "llmopt_runner_load_ms: not a base unit",
    ]


def test_trials_are_counted_by_kind_and_errors_by_class(exporter):
    """Each end adds one; what never came is there as zero."""
    exporter.trial_ended(OutcomeKind.MEASURED, measured(0.5))
    exporter.trial_ended(OutcomeKind.MEASURED, measured(0.6))
    failed = outcome(OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED)
    exporter.trial_ended(OutcomeKind.RETURNED, failed)
    assert value(exporter, "llmopt_runner_trials_total", kind="measured") == 2
    assert value(exporter, "llmopt_runner_trials_total", kind="returned") == 1
    assert value(exporter, "llmopt_runner_trials_total", kind="failed") == 0
    assert value(exporter, "llmopt_runner_errors_total", error_class="EngineCrashed") == 1
    assert value(exporter, "llmopt_runner_errors_total", error_class="CudaFault") == 0


def test_times_are_those_of_trials_that_asked_an_engine(exporter):
    """A start is timed once, with the trial it was for; a copy counts in no histogram."""
    exporter.trial_ended(OutcomeKind.MEASURED, measured(0.5, start=1.5))
    exporter.trial_ended(OutcomeKind.MEASURED, measured(0.5))
    copied = outcome(OutcomeKind.COPIED, metrics={"engine_start_seconds": 1.5}, seconds={"total": 0.01})
    exporter.trial_ended(OutcomeKind.COPIED, copied)
    assert value(exporter, "llmopt_runner_trial_duration_seconds_count") == 2
    assert value(exporter, "llmopt_runner_trial_duration_seconds_bucket", le="5.0") == 2
    assert value(exporter, "llmopt_runner_trial_duration_seconds_bucket", le="2.5") == 0
    assert value(exporter, "llmopt_runner_engine_start_seconds_count") == 1
    assert value(exporter, "llmopt_runner_engine_start_seconds_sum") == 1.5


def test_the_buckets_reach_from_a_tenth_of_a_second_to_half_an_hour(exporter):
    """A fast answer and a slow model both fall between two bounds."""
    buckets = families(exporter)["llmopt_runner_engine_start_seconds"].samples
    bounds = [float(sample.labels["le"]) for sample in buckets if "le" in sample.labels]
    assert bounds[0] == 0.1
    assert bounds[-2:] == [1800.0, float("inf")]


def test_the_best_is_the_studys_and_the_current_is_the_runners(exporter):
    """After a worse trial the current value falls and the best stays."""
    trials = [
        trial(0, measured(0.2), phase=Phase.BASELINE),
        trial(1, measured(0.8)),
        trial(2, outcome(OutcomeKind.RETURNED)),
        trial(3),
    ]
    exporter.trial_ended(OutcomeKind.MEASURED, measured(0.8))
    exporter.trial_ended(OutcomeKind.MEASURED, measured(0.3, speed=20.0))
    definition = StudyDefinition("study", "1", SearchSpace(()), OBJECTIVES)
    exporter.study.search_seen(summarise_trials(trials, definition))
    assert value(exporter, "llmopt_runner_objective_current", metric="accuracy") == 0.3
    assert value(exporter, "llmopt_runner_objective_current", metric="output_tokens_per_second") == 20.0
    assert value(exporter, "llmopt_runner_objective_best", metric="accuracy") == 0.8
    assert value(exporter, "llmopt_runner_objective_baseline", metric="accuracy") == 0.2
    assert value(exporter, "llmopt_runner_study_trials", state="finished") == 2
    assert value(exporter, "llmopt_runner_study_trials", state="running") == 1


def test_a_benchmarks_repeats_are_its_trials_and_its_best_is_a_mean():
    """How far a benchmark is follows from its repeats; its best value is that of its best candidate."""
    exporter = Exporter("llamacpp", (FASTER,), View(), LIMITS)
    asked = comparison("default", "fast", repeats=3)
    trials = [*repeats([50.0, 50.0], [80.0, 80.0]), repeat(4, 0, 2)]
    definition = StudyDefinition("study", "1", SearchSpace(()), (FASTER,), comparison=asked)
    finding = compare(asked, FASTER, trials, ended=False)
    exporter.study.comparison_seen(summarise_trials(trials, definition), finding)
    assert value(exporter, "llmopt_runner_objective_best", metric=SPEED) == pytest.approx(80.0)
    assert value(exporter, "llmopt_runner_study_trials", state="finished") == 4
    assert value(exporter, "llmopt_runner_study_trials", state="running") == 1
    assert value(exporter, "llmopt_runner_objective_baseline", metric=SPEED) == pytest.approx(50.0)
    assert value(exporter, "llmopt_runner_study_repeats", state="finished") == 4


def test_repeats_are_counted_apart_from_the_trials_of_the_search(exporter):
    """A search's repeats are in a gauge of their own, by state."""
    trials = [trial(0, measured(0.2), phase=Phase.BASELINE), *repeats([0.2], [0.4]), repeat(9, 0, 1)]
    definition = StudyDefinition("study", "1", SearchSpace(()), OBJECTIVES)
    exporter.study.search_seen(summarise_trials(trials, definition))
    assert value(exporter, "llmopt_runner_study_trials", state="finished") == 1
    assert value(exporter, "llmopt_runner_study_repeats", state="finished") == 2
    assert value(exporter, "llmopt_runner_study_repeats", state="running") == 1


def test_what_a_study_spent_stands_beside_its_limits(exporter):
    """Active time is the longest over the indexes, GPU time the sum; both in seconds, as the limits are."""
    exporter.study.spent(
        [
            RunnerRecord("a", 0, beat=9, active_seconds=100.0, gpus=2),
            RunnerRecord("b", 1, beat=9, active_seconds=50.0, gpus=1),
        ]
    )
    assert value(exporter, "llmopt_runner_study_active_seconds") == 100.0
    assert value(exporter, "llmopt_runner_study_gpu_seconds") == 250.0
    assert value(exporter, "llmopt_runner_budget_active_seconds") == 3600.0
    assert value(exporter, "llmopt_runner_budget_gpu_seconds") == 7200.0
    assert value(exporter, "llmopt_runner_study_trials", state="planned") == 40


def test_where_nothing_is_limited_there_is_no_limit_to_read():
    """A budget without a duration has no series: 0 would say that nothing is left."""
    exporter = Exporter("llamacpp", OBJECTIVES, View(), Limits(trials=40))
    assert value(exporter, "llmopt_runner_budget_active_seconds") is None
    assert value(exporter, "llmopt_runner_budget_gpu_seconds") is None


def test_the_time_of_trials_is_counted_by_stage(exporter):
    """Stages add up over trials; the total is none of them."""
    for _ in range(2):
        exporter.trial_ended(OutcomeKind.MEASURED, measured(0.5, start=1.5, measure=2.0, framework=0.5))
    assert value(exporter, "llmopt_runner_stage_seconds_total", stage="load") == 3.0
    assert value(exporter, "llmopt_runner_stage_seconds_total", stage="measure") == 4.0
    assert value(exporter, "llmopt_runner_stage_seconds_total", stage="warmup") == 0.0
    assert value(exporter, "llmopt_runner_stage_seconds_total", stage="total") is None


def test_waiting_and_failures_of_the_storage_are_counters(exporter):
    """Both are asked for at the scrape."""
    assert value(exporter, "llmopt_runner_wait_seconds_total") == 7.5
    assert value(exporter, "llmopt_runner_storage_failures_total") == 3


def test_gpu_time_and_energy_count_up_with_the_gpus_that_are_held():
    """Time is counted by GPU held; energy by the GPU's own count, from when it was first held."""
    now = [100.0]
    use = GpuUse(lambda: now[0])
    use.look({})
    for at, counts in ((110.0, {"gpu0": 5000.0, "gpu1": None}), (115.0, {"gpu0": 5600.0, "gpu1": None})):
        now[0] = at
        use.look(counts)
    assert use.seconds == (10.0 + 5.0) * 2
    assert use.joules == 600.0


def test_a_gpus_count_that_begins_again_takes_nothing_away():
    """After a driver's restart the counter stays where it was, and goes on from there."""
    use = GpuUse(lambda: 0.0)
    for count in (5000.0, 5600.0, 10.0, 40.0):
        use.look({"gpu0": count})
    assert use.joules == 630.0


def test_memory_is_reported_in_bytes_by_device_with_the_guards_level(exporter):
    """Each device has used, total and level; what the guard did is a counter."""
    gib = 2**30
    assert value(exporter, "llmopt_runner_memory_used_bytes", device="host") == gib / 2
    assert value(exporter, "llmopt_runner_memory_total_bytes", device="gpu0") == 80 * gib
    assert value(exporter, "llmopt_runner_memory_level", device="gpu0") == 2
    assert value(exporter, "llmopt_runner_guard_actions_total", action="stop") == 2


def test_a_runner_that_measures_nothing_reports_no_memory():
    """Without an engine there is no device, and nothing stands for one."""
    exporter = Exporter("openai", OBJECTIVES, ProgressView(Progress()), Limits(trials=40))
    assert families(exporter)["llmopt_runner_memory_used_bytes"].samples == []


def test_a_port_that_is_taken_is_a_warning_and_not_the_end(exporter, caplog):
    """The block is entered without metrics, and one line names the port and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with served(exporter, "127.0.0.1", port) as at:
            assert at is None
    assert f"port {port} of 127.0.0.1 is not available" in caplog.text
    assert "--metrics-port" in caplog.text


def test_metrics_are_served_while_the_block_lasts_and_no_longer(exporter):
    """Any free port is yielded; after the block nobody listens there."""
    with served(exporter, "127.0.0.1", 0) as port:
        answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5)
        with answer:
            assert "llmopt_runner_build_info" in answer.read().decode()
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
    with socket.socket() as free:
        assert free.connect_ex(("127.0.0.1", port)) != 0
