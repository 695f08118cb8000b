"""The sampler `auto`: models of every metric, and the largest expected gain per second of engine time."""

from collections.abc import Mapping, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from llmopt_core.sampling.auto.bounds import remaining_gain
from llmopt_core.sampling.auto.candidates import PointSource
from llmopt_core.sampling.auto.encoding import Encoding, Point
from llmopt_core.sampling.auto.models import fit_models, priors_of
from llmopt_core.sampling.auto.pools import Pools
from llmopt_core.sampling.auto.scores import Scorer
from llmopt_core.sampling.auto.transfer import Transfer
from llmopt_core.sampling.auto.tried import Tried
from llmopt_core.sampling.designs import QuasiRandomDesign
from llmopt_core.sampling.observations import Advice, Observation, Problem
from llmopt_core.search.configurations import Value

# Trials that are spread over the space before a model is asked: the more parameters, the more.
_LEAST_INITIAL, _INITIAL_SHARE = 5, 0.4
# With earlier studies that predict what was measured, the models are asked after so many trials.
_LEAST_INFORMED = 2
# So many random points are looked at where the next of the sequence was tried already.
_OTHERS = 50


class AutoSampler:
    """Proposes the configuration with the largest expected gain per second of engine time.

    All that it knows comes with the observations and `transfer`, what earlier studies measured, so that any
    runner continues where another ended. The same seed and observations give the same proposal.
    """

    def __init__(self, problem: Problem, seed: int, transfer: Transfer | None = None) -> None:
        self._problem = problem
        self._seed = seed
        self._transfer = transfer
        self._encoding = Encoding(problem.space)
        self._initial = max(_LEAST_INITIAL, round(_INITIAL_SHARE * len(problem.space.parameters)))
        self._design = QuasiRandomDesign(problem.space, seed)

    def propose(
        self,
        observations: Sequence[Observation],
        running_engine: Mapping[str, Value] | None,
        known: Mapping[str, Value] | None = None,
    ) -> Advice | None:
        """Return the next configuration, None where every one was tried.

        `running_engine` holds the engine parameters of the engine that runs now, None where none runs.
        `known` are values that the configuration must have: there is always one, though it was tried before.
        """
        advice = self._untried(observations, running_engine, known or {})
        if advice is None and known is not None:
            return Advice(self._design.complete([each.parameters for each in observations], known))
        return advice

    def _untried(
        self,
        observations: Sequence[Observation],
        running_engine: Mapping[str, Value] | None,
        known: Mapping[str, Value],
    ) -> Advice | None:
        chance = np.random.default_rng([self._seed, len(observations)])
        tried = Tried.of(self._problem, observations)
        source = PointSource(self._problem.space, known, chance)
        pools = Pools(self._problem, source, tried, running_engine)
        with threadpool_limits(limits=1):  # the engine needs the other cores
            if self._transfer is not None and all(each.is_baseline for each in observations):
                completed = (source.completed({}, each) for each in self._transfer.leaders(self._problem))
                if (leader := next((each for each in completed if pools.untried(each)), None)) is not None:
                    return Advice(leader)
            staying = not pools.start_is_repaid(observations)
            if len(observations) < self._first_trials(observations) or not tried.has(self._problem.metrics):
                return self._spread(observations, pools, source.known, running_engine if staying else None)
            return self._modelled(observations, tried, pools, chance, staying=staying)

    def _first_trials(self, observations: Sequence[Observation]) -> int:
        """Return how many trials come before the models are asked: few where earlier studies predict them.

        Where they do not, there are as many as without them, after the one that they proposed.
        """
        if self._transfer is None:
            return self._initial
        priors = priors_of(self._problem, self._encoding, observations, self._transfer)
        predicted = any(
            priors[each.metric].parts for each in self._problem.objectives if each.metric in priors
        )
        return _LEAST_INFORMED if predicted else self._initial + 1

    def _spread(
        self,
        observations: Sequence[Observation],
        pools: Pools,
        known: Mapping[str, Value],
        engine: Mapping[str, Value] | None,
    ) -> Advice | None:
        """Return the next point of a sequence that covers every parameter's range evenly.

        It is on `engine`, where that is given and has a point left.
        """
        followed = observations if self._transfer is None else observations[1:]
        taken = [each.parameters for each in followed]
        if engine is not None:
            point = self._design.propose(taken, {**engine, **known})
            if point is not None and pools.untried(point) and pools.runs(point):
                return Advice(point)
        point = self._design.propose(taken, known)
        if point is not None and pools.untried(point):
            return Advice(point)
        others = pools.random(_OTHERS)
        return Advice(others[0]) if others else None

    def _modelled(
        self,
        observations: Sequence[Observation],
        tried: Tried,
        pools: Pools,
        chance: np.random.Generator,
        *,
        staying: bool,
    ) -> Advice | None:
        models = fit_models(self._problem, self._encoding, observations, self._seed, self._transfer)
        scorer = Scorer(models, self._encoding, pools, len(observations), chance)
        scored = scorer.search([tried.measured[index].parameters for index in scorer.leaders()])
        if scored is None:
            return None
        best = scorer.best(scored, staying=staying)
        point: Point = scored.points[best]
        return Advice(
            point,
            expected_gain=models.relative(float(scored.gain[best])),
            seconds=float(scored.seconds[best]),
            bound=remaining_gain(models, self._encoding.rows(scored.points), scored.gain, chance),
            learned=self._transfer.learned(models.priors.values())
            if self._transfer and models.priors
            else (),
        )
