"""A runner program without engines: claims trials of the real study and makes their measurements up.

python stub_runner.py [--trial-seconds S] [--die-once] [--exit CODE] [--deaf] [--gain G] [--fail CLASS]
    --manifest FILE --results DIR --index N

Deterministic: accuracy and speed follow from the parameters and the repeat.
"""

import argparse
import json
import os
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from llmopt_core.analysis.summary import rank, summarise
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.api.reasons import Reason
from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.engines.recommendations import recommend
from llmopt_core.engines.servers import ModelReference
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.resources import load_manifest
from llmopt_core.resources.search_spaces import complete
from llmopt_core.resources.serving import Engine
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.answers import kept_answers, kept_question
from llmopt_core.storage.definitions import define_study, engine_declaration, fixed_parameters
from llmopt_core.storage.reaper import Reaper
from llmopt_core.storage.records import ConfirmPlan, Outcome, OutcomeKind, Phase, RunnerRecord


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--index", type=int, required=True)
    parser.add_argument("--debug", action="store_true")
    parser.add_argument("--trial-seconds", type=float, default=0.0)
    parser.add_argument("--die-once", action="store_true", help="SIGKILL itself in its first trial")
    parser.add_argument("--exit", type=int, help="end at once with this code")
    parser.add_argument("--deaf", action="store_true", help="do not end on SIGTERM")
    parser.add_argument("--gain", type=float, default=0.5, help="what a temperature of 0 gains")
    parser.add_argument("--fail", help="every trial fails with this error class, and the study with it")
    parser.add_argument("--warn", help="every trial warns so; # becomes its number")
    parser.add_argument("--forge", help="what every text of the winner's row says")
    parser.add_argument("--refuse-default", action="store_true", help="the baseline cannot run here")
    parser.add_argument("--lose", help="this candidate of a benchmark has no model")
    return parser.parse_args()


class Runner:
    def __init__(self, args, resource, study):
        self.args, self.spec, self.study = args, resource.spec, study
        self.name = f"stub-{args.index}-{os.getpid()}"
        self.stop = threading.Event()
        self.heartbeats = 0
        self.began = time.monotonic()

    def heartbeat(self, trial=None, ended=None):
        self.heartbeats += 1
        record = RunnerRecord(
            self.name,
            self.args.index,
            self.heartbeats,
            time.monotonic() - self.began,
            trial=trial,
            stage="measure",
            memory_mib=512.0,
            memory_total_mib=4096.0,
            ended=ended,
        )
        self.study.heartbeat(record)

    def run(self):
        compares = self.study.definition.comparison is not None
        budget = 0 if compares else self.spec.budget.trials
        while claim := self.study.claim(self.name, budget=budget):
            if self.args.fail:
                kind = ErrorClass(self.args.fail)
                failure = Failure(kind, "no such model <b>x</b>", "name one that exists")
                self.study.give_back(claim, failure)
                self.study.end(self.args.fail, "the model is not there", failed=True)
                return RunnerExit.STUDY_FAILED
            if not self.carry_out(claim):
                return RunnerExit.INTERRUPTED
        if not compares:
            self.plan()
        while claim := self.study.claim_confirm(self.name):
            if not self.carry_out(claim):
                return RunnerExit.INTERRUPTED
        enough = None if compares else self.study.sampling_ended
        self.study.end(
            Reason.NOTHING_MORE_TO_GAIN if enough else Reason.TRIALS_EXHAUSTED,
            enough or ("all repeats are done" if compares else f"all {budget} trials are done"),
        )
        return 0

    def carry_out(self, claim):
        self.heartbeat(claim.number)
        marker = self.args.results / "died"
        if self.args.die_once and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        names = [candidate.name for candidate in self.study.definition.candidates]
        if names and names[claim.candidate] == self.args.lose:
            failure = Failure(ErrorClass.MODEL_NOT_FOUND, "no such model <b>x</b>", "name one that exists")
            self.study.finish(claim, Outcome(OutcomeKind.FAILED, Configuration(), failure=failure))
            return True
        if self.stop.wait(self.args.trial_seconds):
            self.study.give_back(claim, "the runner was asked to stop")
            return False
        self.study.finish(claim, self.outcome(claim))
        return True

    def outcome(self, claim):
        configuration = Configuration.from_flat(claim.parameters)
        if self.args.refuse_default and claim.phase is Phase.BASELINE:
            failure = Failure(ErrorClass.INVALID_CONFIGURATION, "max_num_seqs at most 856", "lower it")
            return Outcome(OutcomeKind.INFEASIBLE, configuration, failure=failure)
        temperature = float(claim.parameters.get("sampling.temperature", 1.0))
        noise = random.Random(f"{claim.number}")
        samples = {f"item-{n}": self.score(n, temperature) for n in range(8)}
        if self.stop.is_set():
            return Outcome(OutcomeKind.INVALID, configuration)
        mean = sum(samples.values()) / len(samples)
        speed = 40.0 + 10 * self.args.gain * (1 - temperature) + noise.random()
        return Outcome(
            OutcomeKind.MEASURED,
            configuration,
            metrics={
                **self.asked(),
                "accuracy": mean,
                "score": mean,
                "output_tokens_per_second": speed,
                "ttft_ms_p95": 2000 / speed,
                "peak_memory_mib": 300.0,
            },
            samples=samples,
            sample_metric="accuracy",
            answers=kept_answers(
                {item: answer_of(item, temperature) for item in samples}, samples, claim.phase
            ),
            warnings=(self.args.warn.replace("#", str(claim.number)),) if self.args.warn else (),
            facts=self.facts(claim),
            seconds={"total": self.args.trial_seconds, "measure": self.args.trial_seconds},
        )

    def facts(self, claim):
        """What a runner reports of the server that it measured."""
        spec, forged, candidates = self.spec, self.args.forge, self.study.definition.candidates
        if forged:
            arguments = ServeArguments(("--api-key", forged), {"--temp": True}).document()
            return {
                "serve_command": forged, "request_fields": {forged: forged}, "serve_arguments": arguments,
            }  # fmt: skip
        engine, source, parameters = spec.engine, None, dict(claim.parameters)
        if candidates:
            serving = candidates[claim.candidate].serving
            engine, source = Engine.model_validate(serving.engine), serving.model["source"]
        declaration = engine_declaration(engine)
        fixed = fixed_parameters(engine, spec.workload, declaration)
        recommended = recommend(
            declaration,
            ModelReference.of(source or spec.model.source),
            complete(parameters, fixed, declaration),
            searched=parameters,
            fixed=fixed,
        )
        return {
            "serve_command": recommended.command,
            "request_fields": recommended.request_fields,
            **(
                {} if recommended.arguments is None else {"serve_arguments": recommended.arguments.document()}
            ),
        }

    def asked(self):
        """Every metric that the study needs, with a value that keeps its bound."""
        definition = self.study.definition
        bounds = {
            each.metric: each.maximum if each.minimum is None else each.minimum
            for each in definition.constraints
        }
        return {**{each.metric: 10.0 for each in definition.objectives}, **bounds}

    def score(self, number, temperature):
        evaluator = self.spec.workload.evaluator
        if evaluator is None or evaluator.endpoint is None:
            return min(1.0, 0.2 + 0.02 * number + self.args.gain * (1 - temperature))
        item = {"id": f"item-{number}", "question": "1+1?", "answer": "2", "kind": "sum", "choices": []}
        body = json.dumps({"item": item, "answer": f"{temperature}"}).encode()
        asked = urllib.request.Request(  # noqa: S310 - a URL of the test
            evaluator.endpoint.url, body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - as above
                return json.load(answer)["score"]
        except urllib.error.HTTPError:
            return 0.0

    def plan(self):
        summary, ordered = summarise(self.study), rank(self.study)
        reference = summary.baseline or next(iter(ordered), None)
        rivals = [trial for trial in ordered if trial.number != reference.number]
        if not rivals or summary.best.phase is Phase.BASELINE or not self.spec.confirm.top:
            return
        plan = ConfirmPlan(
            candidates=(reference.parameters, rivals[0].parameters),
            source_trials=(reference.number, rivals[0].number),
            repeats=self.spec.confirm.repeats,
        )
        self.study.plan_confirm(plan)


def answer_of(item, temperature):
    """Return an answer that a terminal and a page must escape."""
    return f"\x1b[31m<b>{item}</b> at {temperature:.2f}"


def main():
    args = options()
    if args.exit is not None:
        sys.stderr.write("something is wrong with this machine\n")
        return args.exit
    with open_for_search(os.environ["LLMOPT_STORAGE_URL"]) as storage:
        resource = load_manifest(args.manifest)
        runner = Runner(args, resource, storage.create_study(define_study(resource)))
        heard = signal.SIG_IGN if args.deaf else lambda *_: runner.stop.set()
        signal.signal(signal.SIGTERM, heard)
        # As a runner does: what the one before of this index left behind is run again.
        runner.study.replace_runners(args.index)
        runner.study.answers.keep_questions(
            [kept_question(f"item-{n}", f"{n} < {n} + 1?", "yes") for n in range(8)]
        )
        Reaper(runner.study, lease_seconds=30.0).sweep()
        code = runner.run()
        runner.heartbeat(ended="done" if code == 0 else "interrupted")
        return code


if __name__ == "__main__":
    raise SystemExit(main())
