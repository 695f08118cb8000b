"""Limits that an engine names when it refuses a configuration, such as `max_num_seqs to at most 856`.

A limit is stored with the failure, so that every runner of the study knows it. It holds for a configuration
that gives the engine nothing more to work with than the one that was refused did: with more memory, or with
weights of another type, a larger value might fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor
from typing import TypedDict

# A parameter's value; None: it is not set.
Setting = bool | int | float | str | None
_MOST_DIGITS = 15
_SHARE_STEPS = 1000  # a share is rounded down to thousandths


@dataclass(frozen=True)
class Limit:
    """A bound on one engine parameter, by its short name. Exactly one of the bounds is set.

    `most`: the largest value that works. `least`: the smallest. `divides`: the value must divide this number.
    `parts`: a total and a block size; divided by the value, the total must be a multiple of the block size.
    `multiples`: a larger value must be a multiple of this number.

    `unset_means` is the value that the engine takes where the parameter is not set, None: not known.
    The limit holds where parameters of `equal` have the same values, those of `up_to` are at most as large,
    and those of `down_to` at least as large.
    """

    parameter: str
    most: float | None = None
    least: float | None = None
    divides: int | None = None
    parts: tuple[int, int] | None = None
    multiples: int | None = None
    unset_means: float | None = None
    equal: Mapping[str, Setting] = field(default_factory=dict)
    up_to: Mapping[str, float] = field(default_factory=dict)
    down_to: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return what the limit asks for, in words."""
        if self.parts is not None:
            total, block = self.parts
            return f"{self.parameter} must split {total} into multiples of {block}"
        if self.divides is not None:
            return f"{self.parameter} must divide {self.divides}"
        if self.multiples is not None:
            return f"{self.parameter} must be at most {self.multiples}, or a multiple of it"
        if self.least is not None:
            return f"{self.parameter} must be at least {self.least:.10g}"
        return f"{self.parameter} must be at most {self.most:.10g}"

    def is_broken_by(self, engine: Mapping[str, Setting]) -> bool:
        """Say whether a configuration with these engine parameters is sure to be refused again."""
        value = _number(engine.get(self.parameter, self.unset_means))
        return value is not None and self._applies_to(engine) and not self.allows(value)

    def allows(self, value: float) -> bool:
        """Say whether `value` keeps the bound."""
        if self.parts is not None:
            total, block = self.parts
            return value > 0 and total / value % block == 0
        if self.divides is not None:
            return value > 0 and self.divides % value == 0
        if self.multiples is not None:
            return value <= self.multiples or value % self.multiples == 0
        if self.least is not None:
            return value >= self.least
        return self.most is None or value <= self.most

    def _applies_to(self, engine: Mapping[str, Setting]) -> bool:
        return (
            all(engine.get(name) == value for name, value in self.equal.items())
            and all(_at_most(engine.get(name), bound) for name, bound in self.up_to.items())
            and all(_at_most(bound, engine.get(name)) for name, bound in self.down_to.items())
        )


def _number(value: Setting) -> float | None:
    return None if value is None or isinstance(value, bool | str) else float(value)


def _at_most(value: Setting, bound: Setting) -> bool:
    low, high = _number(value), _number(bound)
    return low is not None and high is not None and low <= high


class _Bounds(TypedDict):
    """The bounds of a limit, by its field's name."""

    most: float | None
    least: int | None
    divides: int | None
    multiples: int | None
    parts: tuple[int, int] | None


@dataclass(frozen=True)
class LimitRule:
    """How to read a limit from the line of a log that a pattern matched.

    `most`, `least`, `divides`, `multiples`, `part` and `block` are names of the pattern's groups: the largest
    value that works, the smallest, the number to be divided, the number that a larger value must be a
    multiple of, and the size of one part with the block that it must be a multiple of. `share` are the groups
    of an amount and of the whole: no more than that share of it works. `most` may be a number in place of a
    group's name. `value` is the group with the value that the engine used. With more of a parameter in
    `more_lifts`, less of one in `less_lifts`, or another value of one in `other_lifts` the limit may not
    hold.
    """

    parameter: str
    most: str | int = ""
    least: str = ""
    divides: str = ""
    multiples: str = ""
    part: str = ""
    block: str = ""
    share: tuple[str, str] | None = None
    value: str = ""
    more_lifts: tuple[str, ...] = ()
    less_lifts: tuple[str, ...] = ()
    other_lifts: tuple[str, ...] = ()

    def limit(self, groups: Mapping[str, str | None], engine: Mapping[str, Setting]) -> Limit | None:
        """Return the limit that the `groups` of a match name; None where a number is missing.

        `engine` are the parameters of the configuration that was refused.
        """
        used = _decimal(groups.get(self.value)) if self.share else _whole(groups.get(self.value))
        value = engine.get(self.parameter)
        if value is None:
            value = used
        bounds = self._bounds(groups, value)
        if bounds is None or self._speaks_of_another(used, value):
            return None
        up_to = {name: _number(engine.get(name)) for name in self.more_lifts}
        down_to = {name: _number(engine.get(name)) for name in self.less_lifts}
        # A parameter that is not set has a value that is not known here: only the same is then comparable.
        unset = {name: engine.get(name) for name, known in {**up_to, **down_to}.items() if known is None}
        return Limit(
            parameter=self.parameter,
            **bounds,
            unset_means=None if engine.get(self.parameter) is not None else used,
            equal={name: engine.get(name) for name in self.other_lifts} | unset,
            up_to={name: known for name, known in up_to.items() if known is not None},
            down_to={name: known for name, known in down_to.items() if known is not None},
        )

    def _speaks_of_another(self, used: float | None, value: Setting) -> bool:
        """Say whether the line's value is not the parameter's: then its words are of something else."""
        number = _number(value)
        return self.divides != "" and used is not None and number is not None and number != used

    def _bounds(self, groups: Mapping[str, str | None], value: Setting) -> _Bounds | None:
        part, block, count = _whole(groups.get(self.part)), _whole(groups.get(self.block)), _number(value)
        bounds = _Bounds(
            most=self._most(groups),
            least=_whole(groups.get(self.least)),
            divides=_whole(groups.get(self.divides)),
            multiples=_whole(groups.get(self.multiples)),
            parts=None if part is None or block is None or count is None else (int(part * count), block),
        )
        return None if all(bound is None for bound in bounds.values()) else bounds

    def _most(self, groups: Mapping[str, str | None]) -> float | None:
        if isinstance(self.most, int):
            return self.most
        if self.share is None:
            return _whole(groups.get(self.most))
        amount, whole = (_decimal(groups.get(name)) for name in self.share)
        return None if amount is None or not whole else floor(_SHARE_STEPS * amount / whole) / _SHARE_STEPS


def _decimal(text: str | None) -> float | None:
    """Return the number without a sign that `text` is."""
    if not text or len(text) > _MOST_DIGITS or not text.replace(".", "", 1).isdecimal():
        return None
    return float(text)


def _whole(text: str | None) -> int | None:
    """Return the number above zero that `text` is; a log may hold digits without end."""
    if not text or not text.isdecimal() or len(text) > _MOST_DIGITS:
        return None
    return int(text) or None
