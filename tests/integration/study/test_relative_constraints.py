"""Constraints relative to the baseline, on a real study with several runners."""

from fakes.studies import definition, measured

from llmopt_core.analysis.summary import summarise
from llmopt_core.sampling.history import OptunaSampler
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition

LIMIT = ConstraintDefinition("accuracy", minimum=-0.02, relative_to="baseline")
QUICKER = (ObjectiveDefinition("ttft_ms_p95", "minimize"),)
NAME = "accuracy >= baseline - 0.02"


def _shown(study):
    """Return the violations that a sampler of another process is shown, by trial, and its storage."""
    sampler = OptunaSampler(study.definition)
    study.trials()
    sampler._update(study._snapshot)
    return [trial.constraints[NAME] for trial in sampler._study.get_trials(deepcopy=False)]


def test_trials_before_the_baseline_are_judged_by_it_once_it_is_measured(url):
    """Until then no violation is known; then the sampler that goes on learns the same as a new one."""
    with open_for_search(url) as storage:
        study = storage.create_study(definition(constraints=(LIMIT,), sampler="tpe"))
        baseline, early = (study.claim(name, budget=4) for name in ("a", "b"))
        study.finish(early, measured(early, accuracy=0.4))
        assert summarise(study).best.number == early.number
        ongoing = OptunaSampler(study.definition)
        ongoing._update(study._snapshot)
        study.finish(baseline, measured(baseline, accuracy=0.5))
        late = study.claim("a", budget=4)
        study.finish(late, measured(late, accuracy=0.6))
        assert [round(each, 6) for each in sorted(_shown(study))] == [-0.12, 0.08]
        ongoing._update(study._snapshot)
        known = {t.constraints[NAME] for t in ongoing._study.get_trials(deepcopy=False) if t.constraints}
        assert known == set(_shown(study))
        summary = summarise(study)
        assert summary.best.number == late.number
        assert early.number not in {trial.number for trial in summary.pareto}


def test_the_sampler_auto_gets_the_bound_once_it_is_known(url):
    """Half of the space is as accurate as the baseline: the search spends most of its trials there."""
    with open_for_search(url) as storage:
        study = storage.create_study(definition(constraints=(LIMIT,), objectives=QUICKER, sampler="auto"))
        kept = []
        for number in range(14):
            claim = study.claim("runner", budget=14)
            hot = claim.parameters.get("sampling.temperature", 0.0) > 0.5
            # What breaks the constraint is what is quick.
            quick = {"accuracy": 0.2, "ttft_ms_p95": 10.0} if hot else {"accuracy": 0.9}
            study.finish(claim, measured(claim, **quick))
            if number >= 8:
                kept.append(not hot)
        assert sum(kept) >= len(kept) / 2
        best = summarise(study).best
        assert best.outcome.metrics["accuracy"] == 0.9
