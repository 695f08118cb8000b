"""`llmopt init`: a first manifest, made for this machine or plain."""

import importlib.util
import shlex
from dataclasses import replace
from pathlib import Path

from llmopt.commands.migrate import FORMER_FILE, migrate
from llmopt.machine.descriptions import COMMAND, Description, RunnerUnusable, described
from llmopt.machine.hardware import Hardware, hardware
from llmopt.manifests import OptionInvalid
from llmopt.manifests.spellings import ONLY_MODEL, flag
from llmopt.option_labels import labelled
from llmopt.options import ServedOptions
from llmopt.path_checks import exists
from llmopt.starting.drafts import served
from llmopt.starting.manifest import manifest_text
from llmopt.starting.settings import of_model, suited
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.engines.first_settings import FirstSettings, Machine
from llmopt_core.engines.llamacpp.first_settings import PACKAGED_MODEL, plain
from llmopt_core.engines.registry import engine_names
from llmopt_core.errors.files import words_of
from llmopt_core.resources.faults import did_you_mean

_SPELLED = ONLY_MODEL.but(engine=flag("engine"))


def initialise(
    file: Path,
    *,
    auto_detect: bool,
    force: bool,
    model: str | None = None,
    engine: str | None = None,
    command: tuple[str, ...] = COMMAND,
) -> Exit:
    """Write a manifest to `file` and say what was chosen and why; `command` describes the machine.

    `model` is the model that it is for, as `--model` of `llmopt optimize`, and `engine` what serves it; None:
    a small one, and as the model's files say. The engine need not be installed here.
    """
    errors = Console(stderr=True)
    if engine is not None and model is None:
        _say(errors, f"error: {labelled('--engine', engine)}: give the model too, as in --model ORG/NAME")
        return Exit.INVALID
    if engine is not None and engine not in engine_names():
        _say(
            errors,
            f"error: {labelled('--engine', engine)}:"
            f" expected an engine: {did_you_mean(engine, engine_names())}",
        )
        return Exit.INVALID
    if exists(FORMER_FILE):
        if not force:
            _say(errors, f"{FORMER_FILE} is of the former version: `llmopt migrate` or --force converts it")
        elif (code := migrate(Path(FORMER_FILE), force=True)) is not Exit.FINISHED:
            return code
    if exists(file) and not force:
        _say(errors, f"error: {file} is there already: give another name, or --force to overwrite it")
        return Exit.INVALID
    try:
        settings, title = _detected(command) if auto_detect else _plain()
        if model is not None:
            settings, title = _for_model(model, engine, settings, command), f"A first study of {model}."
        text = manifest_text(settings, file=shlex.quote(str(file)), title=title)
        file.write_text(text, encoding="utf-8")
    except (RunnerUnusable, OptionInvalid, OSError) as error:
        _say(errors, f"error: {words_of(error)}")
        return Exit.INVALID
    console = Console()
    _say(console, f"{file}: {settings.engine}, {settings.model}")
    for line in (*(f"{one.name} {one.value}: {one.why}" for one in settings.arguments), *settings.notes):
        _say(console, f"  {line}")
    _say(console, f"next: llmopt run {shlex.quote(str(file))}")
    return Exit.FINISHED


def _plain() -> tuple[FirstSettings, str]:
    return plain(packaged_model=_packaged_model()), "A first study: a small model on llama.cpp's server."


def _packaged_model() -> bool:
    package = PACKAGED_MODEL.partition("://")[2].partition("/")[0]
    return importlib.util.find_spec(package) is not None


def _detected(command: tuple[str, ...]) -> tuple[FirstSettings, str]:
    found, here = described(command), hardware(Path())
    return suited(machine_of(found, here)), f"A first study on {_described(found, here)}."


def _for_model(
    model: str, engine: str | None, usual: FirstSettings, command: tuple[str, ...]
) -> FirstSettings:
    found, choice = served(ServedOptions(model=model, engine=engine), lambda: described(command), _SPELLED)
    settings = of_model(found, usual, f"as models.yaml says of {model}")
    if not choice.missing:
        return settings
    note = f"{choice.engine} is not installed here: run the manifest where it is, or apply it to a cluster"
    return replace(settings, notes=(*settings.notes, note))


def machine_of(found: Description, here: Hardware) -> Machine:
    """Return what is decided by: of the memory what is there in all, of the engines those installed."""
    return Machine(
        cores=here.cores,
        memory_mib=found.host.total_mib if found.host else 0.0,
        gpus_mib=tuple(device.total_mib for device in found.gpu_devices),
        installed=frozenset(name for name in found.engines if found.has(name)),
        packaged_model=_packaged_model(),
    )


def _described(found: Description, here: Hardware) -> str:
    memory = f"{found.host.total_mib / 1024:.1f} GiB, " if found.host else ""
    gpus = ", ".join(found.gpus.products) or "no GPU"
    return f"{here.processor}, {here.cores} cores, {memory}{gpus}"


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
