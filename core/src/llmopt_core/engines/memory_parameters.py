"""Which parameters of an engine decide how much memory it takes, and what is said of them when it ran out."""

from collections.abc import Mapping
from dataclasses import dataclass

from llmopt_core.search.configurations import Value


@dataclass(frozen=True)
class MemoryWords:
    """What a failure for memory says of the configuration: its decisive parameters, and what to change."""

    settings: str = "with the engine's own defaults"
    advice: str = (
        "Use a smaller context, fewer requests at once, quantise weights or cache, or give the runner more"
        " memory."
    )


@dataclass(frozen=True)
class MemoryParameters:
    """The engine's parameters, by plain name, that decide about memory; `lowered` are those to try first."""

    decisive: tuple[str, ...] = ()
    lowered: tuple[str, ...] = ()

    def words(self, parameters: Mapping[str, Value]) -> MemoryWords:
        """Return what is said of a configuration with these engine `parameters`."""
        words = MemoryWords()
        settings = ", ".join(f"{name} {parameters[name]}" for name in self.decisive if name in parameters)
        lower = " or ".join(f"{name} (now {parameters[name]})" for name in self.lowered if name in parameters)
        advice = f"Lower {lower}, quantise weights or cache, or give the runner more memory."
        return MemoryWords(settings or words.settings, advice if lower else words.advice)


NO_MEMORY_PARAMETERS = MemoryParameters()
