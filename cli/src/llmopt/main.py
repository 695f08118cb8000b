"""The `llmopt` command: options and help; what they do is loaded only when a command is called.

Nothing heavy is imported here, so that `llmopt --help` and completion answer at once.
"""

# ruff: noqa: PLC0415 - each command loads its own modules when it is called

import os
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from llmopt.options import (
    LAST_PORT,
    RESULTS,
    BenchmarkOptions,
    CompareOptions,
    DatabaseAt,
    Form,
    Format,
    Options,
    ReportFormat,
    Results,
    RunOptions,
    StorageUrl,
    StudyName,
    Target,
    Words,
    Written,
    completing,
    spread,
)
from llmopt_core.api.exit_codes import Exit

app = typer.Typer(
    name="llmopt",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes would load Markdown and Pygments: three times the start-up
)


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the manifest and do nothing.")]


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if wanted:
        from importlib.metadata import version

        typer.echo(f"llmopt {version('llmopt')}")
        raise typer.Exit


@app.callback()
def prepare(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Find, measure and prove the best way to serve an open LLM on your own hardware."""
    if version or not Path(".env").exists():
        return
    from llmopt.environment_files import FILE, EnvironmentFileInvalid, take

    try:
        context.obj = take(Path(FILE), os.environ)
    except EnvironmentFileInvalid as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(Exit.INVALID) from error


class Listed(StrEnum):
    """What `llmopt list` can list."""

    RESULTS = "results"
    MODELS = "models"
    DATASETS = "datasets"
    ENGINES = "engines"
    METRICS = "metrics"
    ERRORS = "errors"


@app.command()
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
    from llmopt.commands.running import Run, run_file

    if model is None:
        raise typer.Exit(run_file(str(file), Run(options)))
    from llmopt.commands.drafted_runs import run_file_for

    raise typer.Exit(run_file_for(model, str(file), options))


@app.command()
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


@app.command()
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


@app.command()
@spread
def compare(
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
        typer.Option(help="Of studies. Default: comparison.html here; md and json are printed."),
    ] = None,
    format_: Written = ReportFormat.HTML,
    database_at: DatabaseAt = None,
    asked: CompareOptions,
    options: RunOptions,
    target: Target,
) -> None:
    """Compare models on the same items (--models A B C), or put studies on one page (STUDY STUDY)."""
    if asked.models:
        from llmopt.commands.drafted_runs import compare_options

        asked = replace(asked, models=[*asked.models, *(names or ())])
        raise typer.Exit(compare_options(asked, options, dry_run=dry_run))
    if len(names or ()) < 2:  # noqa: PLR2004 - one cannot be compared
        raise typer.BadParameter("name the models to compare, as in --models A B, or two studies or more")
    from llmopt.cluster.commands.reporting import compare_studies
    from llmopt.cluster.commands.studies import Places

    places = Places(options.results, options.storage, database_at)
    raise typer.Exit(compare_studies(names or (), output, places, target, written=format_))


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Manifests; - reads standard input.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Check manifests and print each fault with its line, what was expected and what to do."""
    from llmopt.commands.validating import validate_files

    raise typer.Exit(validate_files(files, as_json=as_json))


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="Where the manifest is written.")] = Path("llmopt.yaml"),
    *,
    auto_detect: Annotated[
        bool, typer.Option("--auto-detect", help="Choose engine and settings that suit this machine.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing("models"),
            help="For this model, as --model of `optimize`. Default: a small one.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a first manifest, with comments, that runs as it is."""
    from llmopt.commands.initialising import initialise

    raise typer.Exit(initialise(file, auto_detect=auto_detect, force=force, model=model))


@app.command()
def migrate(
    file: Annotated[Path, typer.Argument(help="The JSON configuration of the former version.")] = Path(
        "llm_config.json"
    ),
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Add the models to a models.yaml that is there.")
    ] = False,
) -> None:
    """Convert a JSON configuration of the former version to models.yaml; the old file is kept as a backup."""
    from llmopt.commands.migrating import migrate as convert

    raise typer.Exit(convert(file, force=force))


@app.command(name="list")
def list_(
    *,
    type_: Annotated[Listed, typer.Option("--type", help="What to list.")] = Listed.RESULTS,
    as_json: AsJson = False,
    results: Results = RESULTS,
    storage: StorageUrl = None,
) -> None:
    """List results, models on this machine, data sets, engines, metrics, or the errors of all studies."""
    if type_ is Listed.ERRORS:
        from llmopt.commands.error_listing import list_errors

        raise typer.Exit(list_errors(results, storage, as_json=as_json))
    from llmopt.commands.listing import list_things

    raise typer.Exit(list_things(type_.value, results, as_json=as_json))


@app.command()
def status(
    context: typer.Context,
    *,
    detailed: Annotated[
        bool, typer.Option("--detailed", help="Every GPU, study and process, and all versions.")
    ] = False,
    as_json: AsJson = False,
    results: Results = RESULTS,
    storage: StorageUrl = None,
) -> None:
    """Show this machine, its engines and studies, what runs, and what to fix."""
    from llmopt.commands.showing_status import show_status

    raise typer.Exit(
        show_status(results, storage, detailed=detailed, as_json=as_json, environment=context.obj)
    )


@app.command()
def fit(
    model: Annotated[
        str,
        typer.Argument(
            help="A folder, a GGUF file, or ORG/NAME or hf://ORG/NAME/FILE.gguf on the hub, of which only "
            "headers are fetched."
        ),
    ],
    *,
    gpu_memory: Annotated[
        str | None, typer.Option(help="Memory of each GPU, such as 24GiB. Default: this machine's GPUs.")
    ] = None,
    gpus: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="GPUs that share the model. Default: all seen, else 1."),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens of one request. Default: 8192, or the model's where that is less."),
    ] = None,
    draft: Annotated[
        str | None, typer.Option(metavar="MODEL", help="A draft model that is loaded beside it.")
    ] = None,
    utilization: Annotated[
        float, typer.Option(min=0.01, max=1, help="Share of each GPU that the engine may use.")
    ] = 0.92,
    reserve: Annotated[
        str, typer.Option(help="Part of that for activations, CUDA graphs and libraries; an assumption.")
    ] = "1GiB",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every term.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show each term and where it comes from.")
    ] = False,
) -> None:
    """Show what fits on GPUs: length and number of requests, by type of weights and KV cache."""
    from llmopt.commands.fitting import mib, show_fits
    from llmopt.machine.fits import Asked

    memory = None if gpu_memory is None else mib(gpu_memory, "--gpu-memory")
    asked = Asked(model, memory, gpus, context, draft, utilization, mib(reserve, "--reserve"))
    raise typer.Exit(show_fits(asked, as_json=as_json, explained=explain))


@app.command()
def explain(
    log: Annotated[str, typer.Argument(help="The log of a server; - reads standard input.")],
    *,
    engine: Annotated[
        str | None, typer.Option(help="The engine that wrote the log. Default: recognised from its text.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain from its log why a server died: class of the error, cause, and what to do."""
    from llmopt.commands.explaining import explain_log

    raise typer.Exit(explain_log(log, engine, as_json=as_json))


@app.command()
def clean(
    *,
    cache: Annotated[
        bool,
        typer.Option("--cache", help="Also delete tools, engines and models that llmopt downloaded."),
    ] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Delete all files of llmopt, caches and unfinished studies included."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what would be freed.")] = False,
    results: Results = RESULTS,
    storage: StorageUrl = None,
) -> None:
    """Free engine logs and finished results, and end runners and engines whose owner is gone.

    It says what would go, and asks. Nothing that a running study uses is touched.
    """
    from llmopt.commands.cleaning import clean as clean_up
    from llmopt.local.cleaning import Extent

    extent = Extent.ALL if everything else Extent.CACHE if cache else Extent.FINISHED
    raise typer.Exit(
        clean_up(results, storage, extent, dry_run=dry_run, agreed=lambda text: yes or typer.confirm(text))
    )


@app.command()
@spread
def report(
    study: StudyName,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Default: report.html in the results folder; NAME-report.html here for a cluster's; md and "
            "json are printed."
        ),
    ] = None,
    format_: Written = ReportFormat.HTML,
    results: Results = RESULTS,
    storage: StorageUrl = None,
    database_at: DatabaseAt = None,
    target: Target,
) -> None:
    """Write the report of a study, here or in a cluster, as one HTML file, as Markdown or as JSON."""
    from llmopt.cluster.commands.reporting import report
    from llmopt.cluster.commands.studies import Places

    places = Places(results, storage, database_at)
    raise typer.Exit(report(study, output, places, target, written=format_))


@app.command(name="export")
@spread
def export_(
    study: StudyName,
    *,
    to: Annotated[Form, typer.Option("--to", help="What to write.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to. Default: it is printed.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of what is deployed. Default: the resource's.")] = None,
    image: Annotated[str | None, typer.Option(help="Default: that of the engine's own project.")] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Where the model is found there, such as pvc://CLAIM/PATH. Default: as measured."),
    ] = None,
    gpus: Annotated[int | None, typer.Option(min=0, help="Default: those of spec.runners.resources.")] = None,
    candidate: Annotated[str | None, typer.Option(help="Of a benchmark. Default: the winner.")] = None,
    results: Results = RESULTS,
    storage: StorageUrl = None,
    database_at: DatabaseAt = None,
    target: Target,
) -> None:
    """Write a result as a Kubernetes Deployment, a KServe InferenceService or a Compose file."""
    from llmopt.cluster.commands.exporting import export
    from llmopt.cluster.commands.studies import Places
    from llmopt.deployments.served import Asked

    asked = Asked(name, image, model, gpus, candidate)
    raise typer.Exit(export(study, to, asked, output, Places(results, storage, database_at), target))


@app.command()
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


@app.command()
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
    port: Annotated[int, typer.Option(min=1, max=LAST_PORT, help="Of this machine, for itself only.")] = 8080,
    results: Results = RESULTS,
    storage: StorageUrl = None,
) -> None:
    """Serve Optuna Dashboard on a local study, running or not, or with --storage on all of a database."""
    from llmopt.commands.dashboard import show_dashboard

    raise typer.Exit(show_dashboard(study, results, storage, port))


@app.command(name="apply")
@spread
def apply_(
    *,
    positional: Annotated[
        list[str] | None, typer.Argument(metavar="FILE", help="Manifests; - reads standard input.")
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--filename", "-f", metavar="FILE", help="The same as FILE, as with kubectl."),
    ] = None,
    force_conflicts: Annotated[
        bool, typer.Option("--force-conflicts", help="Take over fields that another program manages.")
    ] = False,
    target: Target,
) -> None:
    """Check all manifests, then apply them to the cluster."""
    from llmopt.cluster.commands.applying import apply_files

    raise typer.Exit(apply_files([*(positional or ()), *(files or ())], target, force=force_conflicts))


@app.command()
@spread
def get(
    *,
    words: Words = None,
    everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="List all namespaces.")] = False,
    output: Annotated[Format, typer.Option("--output", "-o", help="How it is printed.")] = Format.TABLE,
    target: Target,
) -> None:
    """List the optimizations and benchmarks of the cluster."""
    from llmopt.cluster.commands.getting import get
    from llmopt.cluster.commands.speaking import on_cluster

    raise typer.Exit(
        on_cluster(target, lambda cluster: get(cluster, words or (), output, everywhere=everywhere))
    )


@app.command()
@spread
def watch(
    *,
    words: Words = None,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Print lines, no panel.")] = False,
    target: Target,
) -> None:
    """Follow a study in the cluster until it ends, with the exit codes of `llmopt run`."""
    from llmopt.cluster.commands.speaking import on_cluster
    from llmopt.cluster.commands.watching import watch

    raise typer.Exit(
        on_cluster(target, lambda cluster: watch(cluster, words or (), progress=not no_progress))
    )


@app.command()
@spread
def logs(
    *,
    words: Words = None,
    index: Annotated[
        int | None, typer.Option(min=0, help="Logs of this runner only. Default: of all runners.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Print new lines until the runners end.")
    ] = False,
    previous: Annotated[bool, typer.Option("--previous", help="Logs of runners that were replaced.")] = False,
    target: Target,
) -> None:
    """Print the logs of the runners of a study in the cluster."""
    from llmopt.cluster.commands.logging import show_logs
    from llmopt.cluster.commands.speaking import on_cluster

    raise typer.Exit(
        on_cluster(
            target,
            lambda cluster: show_logs(cluster, words or (), index=index, follow=follow, previous=previous),
        )
    )


def main() -> None:
    """Run the command; the entry point of the package."""
    app(prog_name="llmopt")


if __name__ == "__main__":
    main()
