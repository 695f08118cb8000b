"""`llmopt status`: this machine, its engines, its studies, what runs, and what to fix."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from llmopt.commands.advice import Situation, advice
from llmopt.environment_files import EnvironmentFile
from llmopt.json_output import print_json
from llmopt.local.histories import StudyState, states
from llmopt.machine.descriptions import COMMAND, Description, DeviceFound, EngineFound, RunnerUnusable, asked
from llmopt.machine.hardware import hardware
from llmopt.machine.processes import Ours, ours
from llmopt.machine.versions import machine_facts
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit

Row = tuple[str, str]


def show_status(
    results: Path,
    storage: str | None,
    *,
    detailed: bool,
    as_json: bool = False,
    environment: EnvironmentFile | None = None,
    command: tuple[str, ...] = COMMAND,
) -> Exit:
    """Print what is here and what is wrong with it; `command` is the runner's describing program.

    `environment` is what was taken from a file of variables. JSON has all that `detailed` shows.
    """
    with asked(command) as question:  # it looks at engines and devices while we look at studies
        processes = ours()
        studies = states(results, storage)
        machine = hardware(results)
        try:
            description, trouble = question.answer(), ""
        except RunnerUnusable as error:
            description, trouble = None, str(error)
    seen = Situation(machine, description, trouble, studies, processes.orphans)
    if as_json:
        print_json(_document(seen, processes, environment))
        return Exit.FINISHED
    console = Console()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    rows = (*_rows(seen, processes, results), *(_details(seen, processes) if detailed else ()))
    if environment is not None:
        rows = (*rows, (str(environment.file), str(environment)))
    for label, text in rows:
        table.add_row(label, Text(text))
    console.print(table)
    for line in advice(seen):
        console.print(f"! {line}", markup=False, highlight=False, soft_wrap=True)
    return Exit.FINISHED


def _document(seen: Situation, processes: Ours, environment: EnvironmentFile | None) -> dict[str, Any]:
    """Return what was seen as JSON has it."""
    found = seen.description
    return {
        "system": machine_facts(),
        "hardware": asdict(seen.hardware),
        "devices": [_device(one) for one in found.devices] if found else [],
        "gpus": asdict(found.gpus) if found else None,
        "engines": {name: asdict(one) for name, one in found.engines.items()} if found else {},
        "studies": [_study(one) for one in seen.studies],
        "processes": [one.document() for one in (*processes.runners, *processes.engines)],
        "orphans": [one.document() for one in processes.orphans],
        "environment_file": {**asdict(environment), "file": str(environment.file)} if environment else None,
        "advice": list(advice(seen)),
    }


def _device(device: DeviceFound) -> dict[str, Any]:
    return {**asdict(device), "free_mib": device.free_mib, "percent": round(device.percent, 2)}


def _study(state: StudyState) -> dict[str, Any]:
    return {
        "name": state.folder.name,
        "path": str(state.folder.path),
        "state": _state(state),
        "ended": state.ended,
        "trials": state.trials,
        "size_bytes": state.folder.size_bytes(),
        "trouble": state.trouble or None,
    }


def _rows(seen: Situation, processes: Ours, results: Path) -> Iterator[Row]:
    yield "processor", f"{seen.hardware.processor}, {seen.hardware.cores} cores"
    if (found := seen.description) is not None:
        yield "memory", _memory(found.host) if found.host else "unknown"
        yield "GPUs", _gpus(found)
        yield "engines", ", ".join(_engine(name, engine) for name, engine in found.engines.items())
    yield "disk", f"{seen.hardware.disk_free_gib:,.1f} GiB free"
    yield "studies", _studies(seen.studies, results)
    yield "running", _running(processes)


def _details(seen: Situation, processes: Ours) -> Iterator[Row]:
    facts = machine_facts()
    yield "system", facts["System"]
    yield "versions", facts["Versions"]
    for device in seen.description.gpu_devices if seen.description else ():
        yield device.name, _memory(device)
    for state in seen.studies:
        size = state.folder.size_bytes() / 2**20
        yield f"study {state.folder.name}", f"{_state(state)}, {state.trials} trials, {size:,.1f} MiB"
    for process in (*processes.runners, *processes.engines):
        yield f"process {process.pid}", process.command
    for process in processes.orphans:
        yield f"orphan {process.pid}", process.command


def _memory(device: DeviceFound) -> str:
    free = f"{device.free_mib / 1024:,.1f} of {device.total_mib / 1024:,.1f} GiB free"
    return f"{free} ({device.level}, {device.percent:.0f} % in use)"


def _gpus(found: Description) -> str:
    gpus = found.gpus
    if not gpus.products:
        return "none"
    names = Counter(gpus.products)
    listed = ", ".join(f"{count} x {name}" for name, count in names.items())
    levels = "; ".join(f"{device.name} {_memory(device)}" for device in found.gpu_devices)
    return f"{listed}; driver {gpus.driver}, CUDA {gpus.cuda}; {levels}"


def _engine(name: str, engine: EngineFound) -> str:
    if engine.version is None:
        return f"{name} (not installed)" if engine.problem is None else f"{name} (unusable)"
    return f"{name} {engine.version}" if name not in engine.version else engine.version


def _studies(studies: Sequence[StudyState], results: Path) -> str:
    counts = Counter(_state(state) for state in studies)
    listed = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    return f"{len(studies)} in {results}" + (f": {listed}" if listed else "")


def _state(state: StudyState) -> str:
    if state.busy:
        return "running"
    if state.trouble:
        return "unreadable"
    return "finished" if state.ended else "unfinished"


def _running(processes: Ours) -> str:
    sessions = Counter(Path(process.session).name for process in processes.runners if process.is_runner)
    listed = [f"{name} with {count} runner(s)" for name, count in sessions.items()]
    engines = len({process.mark for process in processes.engines})
    listed += [f"{engines} engine(s)"] if engines else []
    listed += [f"{len(processes.orphans)} orphaned process(es)"] if processes.orphans else []
    return ", ".join(listed) or "nothing"
