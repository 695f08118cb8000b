"""Which configurations are measured, and in which order: the same for the same recipe."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from llmopt_core.resources.search_spaces import complete
from llmopt_core.sampling.designs import QuasiRandomDesign
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import SearchSpace, SpaceParameter
from llmopt_core.storage.definitions import fixed_parameters
from recording.recipes import ENGINE, Recipe

REPEATS = 3
_DECIMALS = 10
# A space without enough different points would be searched for ever.
_MOST_POINTS = 512

Point = Mapping[str, Value]


class TooFewConfigurations(ValueError):
    """A recipe asks for more configurations than its space has."""


@dataclass(frozen=True)
class Start:
    """One engine start: its repeat, its engine configuration, and the order of its request configurations."""

    repeat: int
    engine: int
    requests: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """All configurations of a recipe, the engines' and the requests' apart, and its starts in order."""

    engines: tuple[Point, ...]
    requests: tuple[Point, ...]
    starts: tuple[Start, ...]
    space: SearchSpace

    @classmethod
    def of(cls, recipe: Recipe) -> "Plan":
        """Return the plan of `recipe`; raises TooFewConfigurations."""
        space = recipe.space
        engine = SearchSpace(tuple(each for each in space.parameters if each.name.startswith(ENGINE)))
        request = SearchSpace(tuple(each for each in space.parameters if not each.name.startswith(ENGINE)))
        always = [each.name for each in request.parameters if not _depends_on_engine(each)]
        fixed = fixed_parameters(recipe.spec.engine, recipe.spec.workload, recipe.declaration)

        def same_engine(point: Point) -> object:
            return complete(dict(point), fixed, recipe.declaration).key()

        return cls(
            engines=_points(engine, recipe.engines, recipe.seed, same_engine),
            requests=_points(
                _without_engine_conditions(request),
                recipe.requests,
                recipe.seed,
                lambda point: tuple(point.get(name) for name in always),
            ),
            starts=_starts(recipe.engines, recipe.requests, recipe.seed),
            space=space,
        )

    def configuration(self, engine: int, request: int) -> dict[str, Value]:
        """Return the active parameters of both; one of the request may depend on the engine."""
        given = {**self.engines[engine], **self.requests[request]}
        values: dict[str, Value] = {}
        for parameter in self.space.parameters:
            if parameter.active(values):
                values[parameter.name] = given[parameter.name]
        return values


def _depends_on_engine(parameter: SpaceParameter) -> bool:
    return any(condition.name.startswith(ENGINE) for condition in parameter.when)


def _without_engine_conditions(space: SearchSpace) -> SearchSpace:
    """Return `space` with the conditions on its own parameters alone: the engine is known only later."""
    return SearchSpace(
        tuple(
            SpaceParameter(
                each.name,
                each.dimension,
                tuple(condition for condition in each.when if not condition.name.startswith(ENGINE)),
            )
            for each in space.parameters
        )
    )


def _points(
    space: SearchSpace, count: int, seed: int, identity: Callable[[Point], object]
) -> tuple[Point, ...]:
    """Return the first `count` points of a quasi-random sequence that differ by `identity`."""
    design, found = QuasiRandomDesign(space, seed), dict[object, Point]()
    for place in range(_MOST_POINTS):
        if len(found) == count:
            break
        point = _plain(design.propose([{}] * place, {}) or {})
        found.setdefault(identity(point), point)
    if len(found) < count:
        names = ", ".join(space.names())
        raise TooFewConfigurations(f"{count} configurations of {names}: there are {len(found)}")
    return tuple(found.values())


def _plain(point: Point) -> Point:
    """Steps of a float add up to 0.6000000000000001."""
    return {
        name: round(value, _DECIMALS) if isinstance(value, float) else value for name, value in point.items()
    }


def _starts(engines: int, requests: int, seed: int) -> tuple[Start, ...]:
    """Return each engine once in each repeat, in an order of its own: a drift falls on no neighbours."""
    chance = random.Random(seed)
    return tuple(
        Start(repeat, engine, tuple(chance.sample(range(requests), requests)))
        for repeat in range(REPEATS)
        for engine in chance.sample(range(engines), engines)
    )
