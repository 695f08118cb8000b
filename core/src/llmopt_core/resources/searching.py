"""What is searched and how: the parts of an optimization that become a study's dimensions."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from llmopt_core.resources.base import DecimalText, Identifier, Name, Part, Scalar
from llmopt_core.resources.rules import Rule, UniqueBy, decimal_within
from llmopt_core.search.configurations import GROUPS, Group


class IntRange(Part):
    """Whole numbers from `low` to `high`, both included."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.low <= self.high",
            "low of at most high",
            lambda span: span.low <= span.high,
            field="low",
        ),
        Rule(
            "!self.log || self.low > 0",
            "a low above 0 with log",
            lambda span: not span.log or span.low > 0,
            field="low",
        ),
        Rule(
            "!self.log || self.step == 1",
            "no step with log",
            lambda span: not span.log or span.step == 1,
            field="step",
        ),
    )

    low: Annotated[int, Field(ge=-(2**31), le=2**31 - 1, description="Smallest value.")]
    high: Annotated[int, Field(ge=-(2**31), le=2**31 - 1, description="Largest value.")]
    step: Annotated[int, Field(ge=1, le=2**31 - 1, description="Distance of values, counted from `low`.")] = 1
    log: Annotated[bool, Field(description="Search orders of magnitude evenly.")] = False


class FloatRange(Part):
    """Decimal numbers from `low` to `high`, both included."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "double(self.low) <= double(self.high)",
            "low of at most high",
            lambda span: Decimal(span.low) <= Decimal(span.high),
            field="low",
        ),
        Rule(
            "!self.log || double(self.low) > 0.0",
            "a low above 0 with log",
            lambda span: not span.log or Decimal(span.low) > 0,
            field="low",
        ),
        Rule(
            "!self.log || !has(self.step)",
            "no step with log",
            lambda span: not span.log or span.step is None,
            field="step",
        ),
        decimal_within("step", "a step above 0", (">", 0), optional=True),
    )

    low: Annotated[DecimalText, Field(description="Smallest value.")]
    high: Annotated[DecimalText, Field(description="Largest value.")]
    step: Annotated[
        DecimalText | None, Field(description="Distance of values, counted from `low`; any value by default.")
    ] = None
    log: Annotated[bool, Field(description="Search orders of magnitude evenly.")] = False


class Categorical(Part):
    """One of several values."""

    choices: Annotated[
        list[Scalar],
        Field(
            min_length=1, max_length=32, description='The values; decimals, `"true"` and `"on"` in quotes.'
        ),
    ]


class When(Part):
    """The parameter is asked only while another one (full name, such as `sampling.temperature`) is so."""

    parameter: Annotated[
        Identifier, Field(max_length=46, description="Full name of a parameter searched earlier.")
    ]
    in_: Annotated[
        Annotated[list[Scalar], Field(min_length=1, max_length=32)] | None,
        Field(alias="in", description="Its value is one of these."),
    ] = None
    above: Annotated[DecimalText | None, Field(description="It is above this.")] = None
    below: Annotated[DecimalText | None, Field(description="It is below this.")] = None


class SearchParameter(Part):
    """One dimension: exactly one of int, float, categorical."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "[has(self.int), has(self.float), has(self.categorical)].filter(given, given).size() == 1",
            "exactly one of int, float and categorical",
            lambda asked: sum(x is not None for x in (asked.int_, asked.float_, asked.categorical)) == 1,
        ),
    )

    name: Annotated[Identifier, Field(max_length=36, description="Plain name, as the engine declares it.")]
    int_: Annotated[IntRange | None, Field(alias="int", description="A range of whole numbers.")] = None
    float_: Annotated[FloatRange | None, Field(alias="float", description="A range of decimal numbers.")] = (
        None
    )
    categorical: Annotated[Categorical | None, Field(description="Values without an order.")] = None
    when: Annotated[list[When], Field(max_length=4, description="Asked only while all of these hold.")] = (
        Field(default_factory=list)
    )


def _is_prompt_parameter(asked: SearchParameter) -> bool:
    if asked.name == "few_shot":
        return asked.float_ is None
    return asked.name in {"system", "template"} and asked.categorical is not None


def _later_conditions(space: "Space") -> Iterator[tuple[str, str]]:
    """Yield the group of each condition that names what is not searched before it, and that name."""
    earlier: set[str] = set()
    for full_name, asked in space.all_parameters():
        group = full_name.partition(".")[0]
        yield from ((group, when.parameter) for when in asked.when if when.parameter not in earlier)
        earlier.add(full_name)


def _all_floats_have_steps(space: "Space") -> bool:
    return all(asked.float_ is None or asked.float_.step is not None for _, asked in space.all_parameters())


# One rule a group: the API server bounds the cost of each.
_WHEN_NAMES_SEARCHED = (
    "self.{group}.all(p, p.when.all(w, w.parameter != '{group}.' + p.name"
    " && (self.engine.exists(o, w.parameter == 'engine.' + o.name)"
    " || self.sampling.exists(o, w.parameter == 'sampling.' + o.name)"
    " || self.prompt.exists(o, w.parameter == 'prompt.' + o.name))))"
)


def _conditions_rule(group: Group) -> Rule:
    """CEL says only that a condition names something else that is searched; Python, that it comes earlier."""
    return Rule(
        _WHEN_NAMES_SEARCHED.format(group=group),
        "when to name a parameter searched earlier, by full name such as sampling.temperature",
        lambda space: not any(owner == group for owner, _ in _later_conditions(space)),
        field=group,
        suggestion="the order is engine, sampling, prompt, and within each as written",
    )


_GRID_HAS_STEPS = "self.sampler.name != 'grid' || " + " && ".join(
    f"self.space.{group}.all(p, !has(p.float) || has(p.float.step))" for group in ("engine", "sampling")
)


class Space(Part):
    """What is searched."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.prompt.all(p, (p.name == 'few_shot' && !has(p.float))"
            " || (p.name in ['system', 'template'] && has(p.categorical)))",
            "of the prompt only few_shot (int), system and template (categorical)",
            lambda space: all(_is_prompt_parameter(asked) for asked in space.prompt),
            field="prompt",
        ),
        *(_conditions_rule(group) for group in GROUPS),
    )

    engine: Annotated[list[SearchParameter], Field(max_length=24), UniqueBy("name")] = Field(
        default_factory=list, description="Settings of the server."
    )
    sampling: Annotated[list[SearchParameter], Field(max_length=16), UniqueBy("name")] = Field(
        default_factory=list, description="Fields of each request."
    )
    prompt: Annotated[list[SearchParameter], Field(max_length=3), UniqueBy("name")] = Field(
        default_factory=list, description="few_shot (int), system and template (categorical)."
    )

    def all_parameters(self) -> Iterator[tuple[str, SearchParameter]]:
        """Yield all parameters with their full names, in the order they are asked."""
        for group in GROUPS:
            for parameter in getattr(self, group):
                yield f"{group}.{parameter.name}", parameter


class Sampler(Part):
    """How the next configuration is chosen."""

    name: Annotated[
        Literal["auto", "tpe", "random", "grid", "gp", "cmaes", "nsga2", "nsga3", "qmc"],
        Field(
            description="`auto` weighs the expected gain against engine time, starts included, and ends when "
            "little is left to gain. `tpe` learns from what was measured; `nsga2`, `nsga3` evolve; `gp` and "
            "`cmaes` suit numbers; `qmc` and `random` spread; `grid` tries all."
        ),
    ] = "auto"
    seed: Annotated[
        int, Field(ge=0, le=2**31 - 1, description="Makes the search repeatable, as far as measurements are.")
    ] = 0


class Pruner(Part):
    """How a hopeless trial is stopped early."""

    name: Annotated[
        Literal["auto", "wilcoxon", "median", "none"],
        Field(
            description="`auto` compares scores and speeds with the best trials after each block of items, "
            "also with several objectives and constraints. `wilcoxon` compares scores item by item with the "
            "best trial, `median` with the median trial; with several objectives they prune nothing."
        ),
    ] = "auto"


class StudyRef(Part):
    """Another optimization in the same namespace."""

    name: Annotated[Name, Field(description="Name of the LLMOptimization.")]


class Search(Part):
    """What is searched and how."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            _GRID_HAS_STEPS,
            "a step for every float with sampler grid",
            lambda search: search.sampler.name != "grid" or _all_floats_have_steps(search.space),
            field="space",
        ),
        Rule(
            "has(self.preset) || size(self.space.engine) + size(self.space.sampling)"
            " + size(self.space.prompt) > 0",
            "something to search: a space, or a preset",
            lambda search: search.preset is not None or any(search.space.all_parameters()),
        ),
    )

    preset: Annotated[
        Literal["balanced", "accuracy", "creativity", "speed"] | None,
        Field(description="Fills the space when none is given, by engine and by what the manifest fixes."),
    ] = None
    sampler: Annotated[Sampler, Field(description="How the next configuration is chosen.")] = Sampler()
    pruner: Annotated[Pruner, Field(description="How a hopeless trial is stopped early.")] = Pruner()
    space: Annotated[Space, Field(description="What is searched.")] = Space()
    enqueue: Annotated[
        list[Annotated[dict[Identifier, Scalar], Field(max_length=64)]],
        Field(
            max_length=32,
            description="Configurations to try first, by full name; the sampler chooses what is not named.",
        ),
    ] = Field(default_factory=list)
    warm_start_from: Annotated[
        list[StudyRef],
        Field(
            max_length=8,
            description="Optimizations whose best configurations are tried first, and from which the sampler "
            "`auto` learns.",
        ),
    ] = Field(default_factory=list)
    transfer: Annotated[
        Literal["auto", "none"],
        Field(
            description="With `auto`, the sampler `auto` also learns from finished optimizations of the same "
            "engine on the same kind of machine, as far as they predict what is measured here; with `none` "
            "from no other study."
        ),
    ] = "auto"
