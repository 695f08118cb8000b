"""`llmopt list --type engines`: which engines there are, and which of them are installed here.

Runners are asked before anything heavy is loaded here, so that both work at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmopt.commands.listed_rows import print_rows
from llmopt.json_output import print_json
from llmopt.machine.descriptions import COMMAND, EngineFound, RunnerUnusable, asked
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit


@dataclass(frozen=True)
class Listed:
    """An engine, and what a runner finds of it; `found` is None where no runner can be asked.

    `remote`: it is a server that runs elsewhere, so there is nothing to install.
    """

    name: str
    summary: str
    remote: bool
    found: EngineFound | None

    @property
    def installed(self) -> bool | None:
        """Whether it can be used here, None where that is not known."""
        return None if self.found is None else self.found.version is not None

    @property
    def version(self) -> str | None:
        """What is installed, None for a server that runs elsewhere."""
        return None if self.found is None or self.remote else self.found.version

    @property
    def cell(self) -> str:
        """The same as a table has it."""
        if self.found is None:
            return "unknown"
        if self.remote:
            return "nothing to install"
        return self.version or ("no" if self.found.problem is None else f"unusable: {self.found.problem}")

    def document(self) -> dict[str, str | bool | None]:
        """Return it as JSON has it."""
        return {
            "engine": self.name,
            "what_it_is": self.summary,
            "installed": self.installed,
            "version": self.version,
            "problem": None if self.found is None else self.found.problem,
        }


def list_engines(*, as_json: bool = False, command: tuple[str, ...] = COMMAND) -> Exit:
    """Print the engines; `command` is the runner's describing program."""
    with asked(command) as question:
        from llmopt_core.engines.registry import engine_names  # noqa: PLC0415 - meanwhile a runner looks

        names = engine_names()
        try:
            found: Mapping[str, EngineFound] | None = question.answer().engines
        except RunnerUnusable as error:
            found = None
            message = f"warning: what is installed is not known: {error}"
            Console(stderr=True).print(message, markup=False, highlight=False, soft_wrap=True)
    engines = tuple(_listed(names, found))
    if as_json:
        print_json([each.document() for each in engines])
    else:
        rows = [(each.name, each.cell, each.summary) for each in engines]
        print_rows(Console(), ("engine", "installed", "what it is"), rows)
    return Exit.FINISHED


def _listed(names: tuple[str, ...], found: Mapping[str, EngineFound] | None) -> Iterator[Listed]:
    from llmopt_core.engines.registry import declaration_of  # noqa: PLC0415 - loaded above

    for name in names:
        declaration = declaration_of(name)
        summary = "a plug-in" if declaration is None else declaration.summary
        remote = declaration is not None and declaration.asks_endpoint
        yield Listed(name, summary, remote, None if found is None else found.get(name, EngineFound(None)))
