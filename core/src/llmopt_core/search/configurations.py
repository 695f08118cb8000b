"""A configuration: one point of the search space, in its three groups."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self, get_args

Group = Literal["engine", "sampling", "prompt"]
GROUPS: tuple[Group, ...] = get_args(Group)
# What a parameter can be set to.
Value = bool | int | float | str


@dataclass(frozen=True)
class Configuration:
    """Engine (server command line), sampling (request fields) and prompt parameters, by plain name."""

    engine: Mapping[str, Value] = field(default_factory=dict)
    sampling: Mapping[str, Value] = field(default_factory=dict)
    prompt: Mapping[str, Value] = field(default_factory=dict)

    def flat(self) -> dict[str, Value]:
        """Return all parameters by full name, such as `engine.n_parallel`, sorted."""
        return {
            f"{group}.{name}": value
            for group in GROUPS
            for name, value in sorted(getattr(self, group).items())
        }

    @classmethod
    def from_flat(cls, parameters: Mapping[str, Value]) -> Self:
        """Return the configuration that `flat` gave `parameters` for; raises ValueError on a wrong name."""
        groups: dict[str, dict[str, Value]] = {group: {} for group in GROUPS}
        for full_name, value in parameters.items():
            group, _, name = full_name.partition(".")
            if group not in groups or not name:
                raise ValueError(
                    f"{full_name!r} is not of the form engine.NAME, sampling.NAME or prompt.NAME"
                )
            groups[group][name] = value
        return cls(engine=groups["engine"], sampling=groups["sampling"], prompt=groups["prompt"])

    def key(self) -> str:
        """Return a short text that is equal for equal configurations (1, 1.0 and true differ)."""
        document = json.dumps(self.flat(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(document.encode()).hexdigest()[:16]
