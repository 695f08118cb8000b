"""The `llmopt` command: options and help; what they do is loaded only when a command is called.

Nothing heavy is imported here, so that `llmopt --help` and completion answer at once.
"""

# ruff: noqa: PLC0415 - each command loads its own modules when it is called

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="llmopt",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes would load Markdown and Pygments: three times the start-up
    help="Find, measure and prove the best way to serve an open LLM on your own hardware.",
)

Results = Annotated[Path, typer.Option(help="Where results are kept, one folder for each study.")]
Debug = Annotated[bool, typer.Option("--debug", help="Verbose runner logs, and tracebacks of errors.")]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="Print only events and the result.")]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Start over; earlier results are kept under another name.")
]
StorageUrl = Annotated[
    str | None,
    typer.Option(
        "--storage",
        envvar="LLMOPT_STORAGE_URL",
        show_envvar=True,
        help="The study's database, such as postgresql+psycopg://USER@HOST/NAME. Default: SQLite in the "
        "results folder. A password is safer in the environment than here.",
    ),
]
RunnerCount = Annotated[
    int | None, typer.Option(min=1, max=32, help="Runners side by side. Default: the manifest's.")
]
RESULTS = Path("results")


class Method(StrEnum):
    """Samplers."""

    TPE = "tpe"
    RANDOM = "random"
    GRID = "grid"
    GP = "gp"
    CMAES = "cmaes"
    NSGA2 = "nsga2"
    NSGA3 = "nsga3"
    QMC = "qmc"


class Listed(StrEnum):
    """What `llmopt list` can list."""

    RESULTS = "results"
    MODELS = "models"
    DATASETS = "datasets"
    ENGINES = "engines"


@app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An LLMOptimization; - reads standard input.")],
    *,
    results: Results = RESULTS,
    fresh: Fresh = False,
    storage: StorageUrl = None,
    runners: RunnerCount = None,
    no_progress: NoProgress = False,
    debug: Debug = False,
) -> None:
    """Run a manifest on this machine. The same command resumes a study that was interrupted."""
    from llmopt.commands.running import RunOptions, run_file

    options = RunOptions(
        results=results, fresh=fresh, storage=storage, runners=runners, no_progress=no_progress, debug=debug
    )
    raise typer.Exit(run_file(str(file), options))


@app.command()
def optimize(
    *,
    model: Annotated[str, typer.Option(help="hf://ORG/NAME, ORG/NAME, package://PACKAGE/FILE or a path.")],
    dataset: Annotated[
        str, typer.Option(help="A data set's name (`llmopt list --type datasets`) or a .jsonl file.")
    ] = "arithmetic",
    trials: Annotated[int, typer.Option(min=1, max=10_000, help="Configurations to try.")] = 40,
    method: Annotated[Method, typer.Option(help="How the next configuration is chosen.")] = Method.TPE,
    timeout: Annotated[
        str | None, typer.Option(help="What the study may take: seconds, 45s, 10m, 1h30m.")
    ] = None,
    safe: Annotated[
        bool,
        typer.Option(
            "--safe",
            help="For a machine that must not run out of memory: two requests at once, and only sampling and "
            "prompt are searched, so the server's memory stays as it is by default.",
        ),
    ] = False,
    engine: Annotated[str, typer.Option(help="`llmopt list --type engines`.")] = "llamacpp",
    objective: Annotated[
        list[str] | None,
        typer.Option(help="METRIC or METRIC:minimize; repeat for several. Default: accuracy and speed."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Requests in flight. Default: 8, with --safe 2.")
    ] = None,
    samples: Annotated[
        int, typer.Option(min=4, max=10_000, help="Items of the data set that each trial is asked.")
    ] = 32,
    name: Annotated[str | None, typer.Option(help="The study's name. Default: model and data set.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the manifest and do nothing.")] = False,
    results: Results = RESULTS,
    fresh: Fresh = False,
    storage: StorageUrl = None,
    runners: RunnerCount = None,
    no_progress: NoProgress = False,
    debug: Debug = False,
) -> None:
    """Optimize a model without writing a manifest; --dry-run prints the one that would be run."""
    from llmopt.commands.optimizing import optimize_options
    from llmopt.commands.running import RunOptions
    from llmopt.manifests import Options

    asked = Options(
        model=model, dataset=dataset, trials=trials, method=method.value, timeout=timeout, safe=safe,
        engine=engine, objectives=tuple(objective or ()), concurrency=concurrency, samples=samples, name=name,
    )  # fmt: skip
    options = RunOptions(
        results=results, fresh=fresh, storage=storage, runners=runners, no_progress=no_progress, debug=debug
    )
    raise typer.Exit(optimize_options(asked, options, dry_run=dry_run))


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Manifests; - reads standard input.")],
) -> None:
    """Check manifests and print each fault with its line, what was expected and what to do."""
    from llmopt.commands.validating import validate_files

    raise typer.Exit(validate_files(files))


@app.command(name="list")
def list_(
    *,
    type_: Annotated[Listed, typer.Option("--type", help="What to list.")] = Listed.RESULTS,
    results: Results = RESULTS,
) -> None:
    """List results, models on this machine, data sets or engines."""
    from llmopt.commands.listing import list_things

    raise typer.Exit(list_things(type_.value, results))


@app.command()
def report(
    study: Annotated[str, typer.Argument(metavar="DIR|NAME", help="A results folder or a study's name.")],
    *,
    output: Annotated[Path | None, typer.Option(help="Default: report.html in the results folder.")] = None,
    results: Results = RESULTS,
    storage: StorageUrl = None,
) -> None:
    """Write the report of a study as one HTML file."""
    from llmopt.commands.reporting import report_study

    raise typer.Exit(report_study(study, output, results, storage))


def main() -> None:
    """Run the command; the entry point of the package."""
    app(prog_name="llmopt")


if __name__ == "__main__":
    main()
