"""The `llmopt` command: its entry point, and the commands in the order of its help."""

from llmopt.interface import cluster, machine, studies
from llmopt.interface.application import app

for commands in (studies.commands, machine.commands, cluster.commands):
    app.add_typer(commands)


def main() -> None:
    """Run the command; the entry point of the package."""
    app(prog_name="llmopt")


if __name__ == "__main__":
    main()
