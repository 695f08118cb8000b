"""How a study was measured: what was served and asked, on which machine, when, with which versions."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.load import Conversations, Load, ThinkTime
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.serving import Workload
from llmopt_core.resources.status import Status
from llmopt_core.results.durations import saved_seconds
from llmopt_core.results.numbers import duration
from llmopt_core.storage.records import OutcomeKind, Phase, RunnerRecord, TrialRecord

Spec = OptimizationSpec | BenchmarkSpec
Fact = tuple[str, str]


def served_facts(spec: Spec, status: Status, trials: Sequence[TrialRecord]) -> Iterator[Fact]:
    """Yield what was served and asked, and how much of it was measured, by what to call it."""
    samples, counts = spec.workload.dataset.samples, status.progress
    repeats = counts.measured if isinstance(spec, BenchmarkSpec) else counts.confirm_finished
    if repeats:
        yield "Items", f"{samples} held out, the same for all repeats"
    if isinstance(spec, BenchmarkSpec):
        yield from workload_facts(spec.workload)
        yield "Repeats", f"{counts.measured} of {counts.budget} measured, interleaved"
        return
    yield "Model", spec.model.source
    yield "Engine", spec.engine.name
    yield "Items of the search", f"{samples} others" if repeats else f"{samples}"
    yield from workload_facts(spec.workload)
    yield "Search", f"{spec.search.sampler.name}, {counts.finished} of {counts.budget} trials"
    yield from _stopped([trial for trial in trials if trial.phase is not Phase.CONFIRM], samples)
    if counts.repaired:
        yield "Repaired", f"{counts.repaired} trials of refused configurations, changed as the engine asked"


def _stopped(trials: Sequence[TrialRecord], samples: int) -> Iterator[Fact]:
    stopped = sum(trial.outcome.kind is OutcomeKind.PRUNED for trial in trials if trial.outcome)
    if stopped:
        saved = duration(saved_seconds(trials, samples))
        yield "Stopped early", f"{stopped} trials that could no longer win, about {saved} of measuring saved"


def workload_facts(workload: Workload) -> Iterator[Fact]:
    """Yield what was asked and how."""
    load, dataset = workload.load, workload.dataset
    yield "Data set", dataset.name or dataset.path or dataset.hf or "from a ConfigMap"
    yield "Requests", _requests(load)
    if load.conversations is not None:
        yield "Conversations", _conversations(load.conversations)
    if shared := float(workload.prompt.shared_prefix):
        yield "Shared prefix", f"the first {shared * 100:g} % of each user message, the same in all"
    if workload.output_tokens is not None:
        yield "Answer length", f"exactly {workload.output_tokens} tokens"
        yield "Evaluator", "none"
        return
    yield "Answer length", f"at most {workload.max_tokens} tokens"
    yield "Evaluator", workload.evaluator.name if workload.evaluator else "the data set's own"


def machine_facts(
    spec: Spec, trials: Sequence[TrialRecord], runners: Sequence[RunnerRecord]
) -> Iterator[Fact]:
    """Yield what measured, when, and what another measurement needs to be the same."""
    machines = dict.fromkeys(runner.machine for runner in runners if runner.machine)
    yield "Machine", "; ".join(machines) or "not known"
    facts = [trial.outcome.facts for trial in trials if trial.outcome]
    versions = dict.fromkeys(str(each["engine_version"]) for each in facts if "engine_version" in each)
    yield "Engine version", "; ".join(versions) or "not known"
    yield "llmopt", f"{version('llmopt')} wrote this report"
    started = [trial.started_at for trial in trials if trial.started_at is not None]
    ended = [trial.finished_at for trial in trials if trial.finished_at is not None]
    if started and ended:
        yield "Measured", f"{_moment(min(started))} to {_moment(max(ended))}"
    yield "Data seed", str(spec.workload.dataset.seed)
    if isinstance(spec, OptimizationSpec):
        yield "Sampler seed", str(spec.search.sampler.seed)


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M} UTC"


def _requests(load: Load) -> str:
    if load.max_rate is not None:
        share = f"{float(load.max_rate.attainment) * 100:g} %"
        return f"a search for the highest {load.max_rate.by} at which {share} keep the service level"
    if load.trace is not None:
        speed = f", stretched to {load.trace.rate} requests per second" if load.trace.rate else ""
        speed = f", gaps times {load.trace.time_scale}" if load.trace.time_scale else speed
        return f"as the trace says{speed}"
    if load.rate is not None:
        what = "requests" if load.conversations is None else "conversations"
        return f"{load.rate} {what} per second ({load.arrivals or 'poisson'} arrivals)"
    if load.conversations is not None:
        return f"{load.concurrency} users at once, each in a conversation"
    return f"{load.concurrency} at once"


def _conversations(asked: Conversations) -> str:
    turns = "all turns" if asked.max_turns is None else f"up to {asked.max_turns} turns"
    history = "the server's own answers" if asked.history == "generated" else "the recorded answers"
    return f"{turns}, with {history}; {_think_time(asked.think_time)}"


def _think_time(think: ThinkTime | None) -> str:
    if think is None:
        return "no time to think between them"
    if think.distribution == "lognormal":
        deviation = think.standard_deviation or think.mean
        return f"think time {think.mean} on average (lognormal, standard deviation {deviation})"
    mean = "" if think.distribution == "constant" else " on average"
    return f"think time {think.mean}{mean} ({think.distribution})"
