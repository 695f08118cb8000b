"""Which engine, and with what settings, suits a machine to begin with. Pure: a machine in, settings out."""

from dataclasses import replace

from llmopt_core.engines.first_settings import FirstSettings, Machine
from llmopt_core.engines.registry import BUILT_IN, usable_declarations


def suited(machine: Machine) -> FirstSettings:
    """Return the first of the settings that suit `machine` whose engine is installed.

    Where none is, those of the best engine, with a note that says how to install it.
    """
    asked = (each.suited(machine) for each in usable_declarations().values())
    choices = [each for each in asked if each is not None]
    best = choices[0]
    for choice in choices:
        if choice.engine in machine.installed:
            return choice if choice is best else _noted(choice, _better(best.engine))
    return _noted(best, f"{best.engine} is not installed yet: {_installation(best.engine)}")


def _better(engine: str) -> str:
    return f"{engine} suits this machine's GPUs better: {_installation(engine)}, and run init again"


def _installation(engine: str) -> str:
    return BUILT_IN[engine].packaging.install


def _noted(settings: FirstSettings, note: str) -> FirstSettings:
    return replace(settings, notes=(*settings.notes, note))
