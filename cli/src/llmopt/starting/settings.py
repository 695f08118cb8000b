"""Which engine, and with what settings, suits a machine to begin with. Pure: a machine in, settings out."""

import json
from dataclasses import replace

from llmopt.manifests.served_models import Served
from llmopt_core.engines.first_settings import Argument, FirstSettings, Machine
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
    return BUILT_IN[engine].packaging.installation


def of_model(served: Served, usual: FirstSettings, why: str) -> FirstSettings:
    """Return settings for a given model: what the machine's `usual` ones say of its engine, and its own.

    `why` is what is said of the model's own arguments.
    """
    own = tuple(Argument(name, _quoted(value), why) for name, value in served.args.items())
    others = usual.arguments if served.engine == usual.engine else ()
    kept = tuple(one for one in others if one.name not in served.args)
    return replace(
        usual,
        engine=served.engine,
        model=served.source,
        arguments=(*kept, *own),
        notes=(),
        remote_code=served.trust_remote_code,
    )


def _quoted(value: int | str) -> str:
    """Return a parameter's value as YAML, so that a word such as true stays text."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def _noted(settings: FirstSettings, note: str) -> FirstSettings:
    return replace(settings, notes=(*settings.notes, note))
