"""Commands about manifests and this machine."""

# ruff: noqa: PLC0415 - each command loads its own modules when it is called

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from llmopt.options import (
    RESULTS,
    AsJson,
    Results,
    StorageUrl,
    completing,
)

commands = typer.Typer()


class Listed(StrEnum):
    """What `llmopt list` can list."""

    RESULTS = "results"
    MODELS = "models"
    DATASETS = "datasets"
    ENGINES = "engines"
    METRICS = "metrics"
    ERRORS = "errors"


@commands.command()
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Manifests; - reads standard input.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Check manifests and print each error with its line, what was expected and what to do."""
    from llmopt.commands.validate import validate_files

    raise typer.Exit(validate_files(files, as_json=as_json))


@commands.command()
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
    engine: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing("engines"),
            help="Serve --model with this engine, which need not be installed here. Default: by its files.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Write a first manifest, with comments, that runs as it is."""
    from llmopt.commands.init import initialise

    raise typer.Exit(initialise(file, auto_detect=auto_detect, force=force, model=model, engine=engine))


@commands.command()
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
    from llmopt.commands.migrate import migrate as convert

    raise typer.Exit(convert(file, force=force))


@commands.command(name="list")
def list_(
    *,
    type_: Annotated[
        Listed, typer.Option("--type", case_sensitive=False, help="What to list.")
    ] = Listed.RESULTS,
    as_json: AsJson = False,
    results: Results = RESULTS,
    storage: StorageUrl = None,
) -> None:
    """List results, models on this machine, data sets, engines, metrics, or the errors of all studies."""
    if type_ is Listed.ERRORS:
        from llmopt.commands.list_errors import list_errors

        raise typer.Exit(list_errors(results, storage, as_json=as_json))
    if type_ is Listed.ENGINES:
        from llmopt.commands.list_engines import list_engines

        raise typer.Exit(list_engines(as_json=as_json))
    from llmopt.commands.list import list_things

    raise typer.Exit(list_things(type_.value, results, as_json=as_json))


@commands.command()
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
    from llmopt.commands.status import show_status

    raise typer.Exit(
        show_status(results, storage, detailed=detailed, as_json=as_json, environment=context.obj)
    )


@commands.command()
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
        typer.Option(
            min=1,
            max=1024,
            help="Number of GPUs. Default: all of this machine, else as many as the parallel sizes need.",
        ),
    ] = None,
    tensor_parallel: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            help="GPUs that share each layer. Default: all that are left, as far as heads allow.",
        ),
    ] = None,
    pipeline_parallel: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            help="Stages that the layers are split into. Default: 1, unless heads do not allow.",
        ),
    ] = None,
    data_parallel: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Replicas of the model. Default: 1.")
    ] = None,
    expert_parallel: Annotated[
        bool, typer.Option("--expert-parallel", help="Whole experts on each GPU, instead of a part of each.")
    ] = False,
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
    from llmopt.commands.fit import mib, show_fits
    from llmopt.machine.fits import Asked

    memory = None if gpu_memory is None else mib(gpu_memory, "--gpu-memory")
    asked = Asked(
        model,
        memory,
        gpus,
        context,
        draft,
        utilization,
        mib(reserve, "--reserve"),
        tensor_parallel,
        pipeline_parallel,
        data_parallel,
        expert_parallel,
    )
    raise typer.Exit(show_fits(asked, as_json=as_json, explained=explain))


@commands.command()
def explain(
    log: Annotated[str, typer.Argument(help="The log of a server; - reads standard input.")],
    *,
    engine: Annotated[
        str | None, typer.Option(help="The engine that wrote the log. Default: recognised from its text.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Explain from its log why a server died: class of the error, cause, and what to do."""
    from llmopt.commands.explain import explain_log

    raise typer.Exit(explain_log(log, engine, as_json=as_json))


@commands.command()
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
    as_json: AsJson = False,
    results: Results = RESULTS,
    storage: StorageUrl = None,
) -> None:
    """Delete engine logs and finished results, and end runners and engines that no command owns any more.

    Lists what it would remove and asks for confirmation. Nothing that a running study uses is removed.
    """
    from llmopt.commands.clean import clean as clean_up
    from llmopt.local.leftovers import Extent

    extent = Extent.ALL if everything else Extent.CACHE if cache else Extent.FINISHED
    raise typer.Exit(
        clean_up(
            results,
            storage,
            extent,
            dry_run=dry_run,
            as_json=as_json,
            agreed=lambda text: yes or typer.confirm(text, err=as_json),
        )
    )
