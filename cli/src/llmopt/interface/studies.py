"""Commands that make, run and read studies."""

# ruff: noqa: PLC0415 - each command loads its own modules when it is called

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated

import typer

from llmopt.option_groups import spread
from llmopt.option_labels import labelled
from llmopt.options import (
    LAST_PORT,
    RESULTS,
    BenchmarkOptions,
    CompareOptions,
    DatabaseAt,
    DryRun,
    Form,
    Options,
    ReportFormat,
    Results,
    RunOptions,
    StorageUrl,
    StudyName,
    Target,
    Written,
    completing,
)

commands = typer.Typer()
# Of `compare`: what means nothing for models, and what for studies.
_OF_STUDIES = ("output", "format_", "database_at", *(each.name for each in fields(Target)))
_USED_TO_READ = frozenset({"results", "storage", "as_json"})
_OF_MODELS = (
    "dry_run",
    *(each.name for each in (*fields(CompareOptions), *fields(RunOptions)) if each.name not in _USED_TO_READ),
)


@commands.command()
@spread
def run(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A manifest of either kind; - reads standard input.")
    ],
    *,
    model: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing("models"),
            help="Run it for another model, as --model of `optimize`; results go to NAME-MODEL. Default: the "
            "manifest's.",
        ),
    ] = None,
    options: RunOptions,
) -> None:
    """Run a manifest on this machine. The same command resumes a study that was interrupted."""
    from llmopt.commands.run import Run, run_file

    if model is None:
        raise typer.Exit(run_file(str(file), Run(options)))
    from llmopt.commands.drafted_runs import run_file_for

    raise typer.Exit(run_file_for(model, str(file), options))


@commands.command()
@spread
def optimize(
    *,
    dry_run: DryRun = False,
    asked: Options,
    options: RunOptions,
) -> None:
    """Optimize a model without writing a manifest; --dry-run prints the one that would be run."""
    from llmopt.commands.drafted_runs import optimize_options

    raise typer.Exit(optimize_options(asked, options, dry_run=dry_run))


@commands.command()
@spread
def benchmark(
    *,
    dry_run: DryRun = False,
    asked: BenchmarkOptions,
    options: RunOptions,
) -> None:
    """Measure a model as its engine serves it; --dry-run prints the manifest that would be run."""
    from llmopt.commands.drafted_runs import benchmark_options

    raise typer.Exit(benchmark_options(asked, options, dry_run=dry_run))


@commands.command()
@spread
def compare(
    typed: typer.Context,
    *,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STUDY|MODEL]...",
            autocompletion=completing("compared"),
            help="Studies: results folders, their names, or resources. After --models: further models.",
        ),
    ] = None,
    dry_run: DryRun = False,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Output file where studies are compared. Default: comparison.html; md and json are printed."
        ),
    ] = None,
    format_: Written = ReportFormat.HTML,
    database_at: DatabaseAt = None,
    asked: CompareOptions,
    options: RunOptions,
    target: Target,
) -> None:
    """Compare models on the same items (--models A B C), or put studies on one page (STUDY STUDY)."""
    if asked.models:
        _refuse(typed, _OF_STUDIES, "of studies, and models are compared")
        if joined := next((each for each in asked.models if "," in each), None):
            raise typer.BadParameter(
                f"{labelled('--models', joined)}:"
                f" separate models by spaces, as in --models {joined.replace(',', ' ')}"
            )
        from llmopt.commands.drafted_runs import compare_options

        asked = replace(asked, models=[*asked.models, *(names or ())])
        raise typer.Exit(compare_options(asked, options, dry_run=dry_run))
    if len(names or ()) < 2:  # noqa: PLR2004 - one cannot be compared
        given = f"{' '.join(names)!r}: " if names else ""
        raise typer.BadParameter(
            f"{given}name the models to compare, as in --models A B, or two studies or more"
        )
    _refuse(typed, _OF_MODELS, "of models that are measured (--models A B), and studies are compared")
    from llmopt.cluster.commands.report import compare_studies
    from llmopt.cluster.commands.studies import Places

    places = Places(options.results, options.storage, database_at)
    written = ReportFormat.JSON if options.as_json else format_
    raise typer.Exit(compare_studies(names or (), output, places, target, written=written))


def _refuse(typed: typer.Context, names: Sequence[str], why: str) -> None:
    """Refuse options that were typed and would do nothing."""
    for option in typed.command.params:
        source = typed.get_parameter_source(option.name) if option.name in names else None
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"{option.opts[0]} is an option {why}: leave it out")


@commands.command()
@spread
def report(
    study: StudyName,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Output file. Default: report.html in the results folder, or NAME-report.html here for a"
            " cluster's; md and json are printed."
        ),
    ] = None,
    format_: Written = ReportFormat.HTML,
    results: Results = RESULTS,
    storage: StorageUrl = None,
    database_at: DatabaseAt = None,
    target: Target,
) -> None:
    """Write the report of a study, here or in a cluster, as one HTML file, as Markdown or as JSON."""
    from llmopt.cluster.commands.report import report
    from llmopt.cluster.commands.studies import Places

    places = Places(results, storage, database_at)
    raise typer.Exit(report(study, output, places, target, written=format_))


@commands.command()
@spread
def answers(
    study: StudyName,
    *,
    trials: Annotated[
        tuple[int, int] | None,
        typer.Option(metavar="A B", help="Two trials. Default: the baseline and the best, or the winner."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with whole texts.")] = False,
    results: Results = RESULTS,
    storage: StorageUrl = None,
    database_at: DatabaseAt = None,
    target: Target,
) -> None:
    """Show question, expected answer, answers and scores of two configurations side by side."""
    from llmopt.cluster.commands.answers import show_answers
    from llmopt.cluster.commands.studies import Places

    places = Places(results, storage, database_at)
    raise typer.Exit(show_answers(study, trials, places, target, as_json=as_json))


@commands.command(name="export")
@spread
def export_(
    study: StudyName,
    *,
    to: Annotated[Form, typer.Option("--to", case_sensitive=False, help="What to write.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Output file. Default: standard output.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the Deployment or service. Default: the study's name.")
    ] = None,
    image: Annotated[
        str | None, typer.Option(help="Container image. Default: that of the engine's own project.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Where the model is found there, such as pvc://CLAIM/PATH. Default: as measured."),
    ] = None,
    gpus: Annotated[
        int | None, typer.Option(min=0, help="Number of GPUs. Default: those of spec.runners.resources.")
    ] = None,
    candidate: Annotated[
        str | None, typer.Option(help="Candidate of a benchmark to export. Default: the winner.")
    ] = None,
    results: Results = RESULTS,
    storage: StorageUrl = None,
    database_at: DatabaseAt = None,
    target: Target,
) -> None:
    """Write a result as a Kubernetes Deployment, a KServe InferenceService or a Compose file."""
    from llmopt.cluster.commands.export import export
    from llmopt.cluster.commands.studies import Places
    from llmopt.deployments.served import Asked

    asked = Asked(name, image, model, gpus, candidate)
    raise typer.Exit(export(study, to, asked, output, Places(results, storage, database_at), target))


@commands.command()
def dashboard(
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="[DIR|NAME]",
            autocompletion=completing("studies"),
            help="Default: the study of the results folder that changed last.",
        ),
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="Port on 127.0.0.1.")] = 8080,
    results: Results = RESULTS,
    storage: StorageUrl = None,
) -> None:
    """Serve Optuna Dashboard on a local study, running or not, or with --storage on all of a database."""
    from llmopt.commands.dashboard import show_dashboard

    raise typer.Exit(show_dashboard(study, results, storage, port))
