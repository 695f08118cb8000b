"""Commands of a cluster."""

# ruff: noqa: PLC0415 - each command loads its own modules when it is called

from typing import Annotated

import typer

from llmopt.option_groups import spread
from llmopt.options import (
    Format,
    ResultAsJson,
    Target,
    Words,
)

commands = typer.Typer()


@commands.command(name="apply")
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
    from llmopt.cluster.commands.apply import apply_files

    raise typer.Exit(apply_files([*(positional or ()), *(files or ())], target, force=force_conflicts))


@commands.command()
@spread
def get(
    *,
    words: Words = None,
    everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="List all namespaces.")] = False,
    output: Annotated[
        Format, typer.Option("--output", "-o", case_sensitive=False, help="How it is printed.")
    ] = Format.TABLE,
    target: Target,
) -> None:
    """List the optimizations and benchmarks of the cluster."""
    from llmopt.cluster.commands.exits import on_cluster
    from llmopt.cluster.commands.get import get

    raise typer.Exit(
        on_cluster(target, lambda cluster: get(cluster, words or (), output, everywhere=everywhere))
    )


@commands.command()
@spread
def watch(
    *,
    words: Words = None,
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Print lines, no panel.")] = False,
    as_json: ResultAsJson = False,
    target: Target,
) -> None:
    """Follow a study in the cluster until it ends, with the exit codes of `llmopt run`."""
    from llmopt.cluster.commands.exits import on_cluster
    from llmopt.cluster.commands.watch import watch

    raise typer.Exit(
        on_cluster(
            target,
            lambda cluster: watch(cluster, words or (), progress=not no_progress, as_json=as_json),
        )
    )


@commands.command()
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
    from llmopt.cluster.commands.exits import on_cluster
    from llmopt.cluster.commands.logs import show_logs

    raise typer.Exit(
        on_cluster(
            target,
            lambda cluster: show_logs(cluster, words or (), index=index, follow=follow, previous=previous),
        )
    )
