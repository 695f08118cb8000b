"""Options that commands share, each written once; nothing heavy is imported here.

A command takes a dataclass of options as one parameter (see `llmopt.option_groups`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from llmopt.path_checks import folder_problem
from llmopt_core.api.environment import Variable


def completing(what: str) -> Callable[[typer.Context, str], list[str]]:
    """Return what completes `what`: a function of `llmopt.completion`, loaded when a person types."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        found: list[str] = getattr(import_module("llmopt.completion"), what)(ctx, incomplete)
        return found

    return complete


def _storage_url(context: typer.Context, url: str | None) -> str | None:
    """Return the option's value; whatever the command does with it, what is no address is refused first."""
    if url is not None and not context.resilient_parsing:
        from llmopt_core.storage.database import require_address  # noqa: PLC0415 - loads SQLAlchemy
        from llmopt_core.storage.errors import StorageUnusable  # noqa: PLC0415

        try:
            require_address(url)
        except StorageUnusable as error:
            raise typer.BadParameter(str(error)) from error
    return url


def _results_folder(context: typer.Context, folder: Path) -> Path:
    """Return the option's value; a folder in which nothing can be kept is refused."""
    if not context.resilient_parsing and (problem := folder_problem(folder)):
        raise typer.BadParameter(f"{str(folder)!r}: {problem}")
    return folder


Results = Annotated[
    Path,
    typer.Option(callback=_results_folder, help="Where results are kept, one folder for each study."),
]
RESULTS = Path("results")
StorageUrl = Annotated[
    str | None,
    typer.Option(
        "--storage",
        callback=_storage_url,
        envvar=Variable.STORAGE_URL,
        show_envvar=True,
        help="The study's database, such as postgresql+psycopg://USER@HOST/NAME. Default: SQLite in the "
        "results folder. A password is safer in the environment than here.",
    ),
]
DatabaseAt = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="Address of the cluster's database from this machine. Default: its own, or that of a port that "
        "`kubectl` forwards meanwhile where only pods reach it.",
    ),
]
StudyName = Annotated[
    str,
    typer.Argument(
        metavar="DIR|NAME",
        autocompletion=completing("studies"),
        help="A results folder, or the name of a study or a resource.",
    ),
]
LAST_PORT = 65_535
MOST_RUNNERS = 32
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ResultAsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the result as JSON, the document of best.json; all else goes to standard error."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the manifest and do nothing.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="KIND|NAME", help="llmo or llmb, a name, or both; KIND/NAME works too."),
]


class Form(StrEnum):
    """What a result can be exported as."""

    DEPLOYMENT = "deployment"
    KSERVE = "kserve"
    COMPOSE = "compose"


class Method(StrEnum):
    """Samplers."""

    AUTO = "auto"
    TPE = "tpe"
    RANDOM = "random"
    GRID = "grid"
    GP = "gp"
    CMAES = "cmaes"
    NSGA2 = "nsga2"
    NSGA3 = "nsga3"
    QMC = "qmc"


class SearchPreset(StrEnum):
    """What a search space is made for."""

    BALANCED = "balanced"
    ACCURACY = "accuracy"
    CREATIVITY = "creativity"
    SPEED = "speed"


class ReportFormat(StrEnum):
    """How reports and comparisons are written."""

    HTML = "html"
    MD = "md"
    JSON = "json"


_OTHER_SPELLINGS = {"htm": ReportFormat.HTML, "markdown": ReportFormat.MD}


def _report_format(text: str) -> ReportFormat:
    word = text.lower()
    try:
        return ReportFormat(_OTHER_SPELLINGS.get(word, word))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(ReportFormat)}") from error


Written = Annotated[
    ReportFormat,
    typer.Option(
        "--format",
        parser=_report_format,
        metavar=f"[{'|'.join(ReportFormat)}]",
        autocompletion=lambda: list(ReportFormat),
        help="html: a page; md: Markdown, such as for a pull request; json: for programs.",
    ),
]


class Format(StrEnum):
    """How `llmopt get` prints."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True)
class RunOptions:
    """How a study is run on this machine."""

    results: Results = RESULTS
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over; earlier results are kept under another name.")
    ] = False
    storage: StorageUrl = None
    runners: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST_RUNNERS, help="Runners side by side. Default: those of the manifest, else 1."
        ),
    ] = None
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=LAST_PORT,
            help="Serve Prometheus metrics on this port of this machine, those of further runners on the "
            "next ones; 0 takes free ones. Default: no metrics.",
        ),
    ] = None
    no_progress: Annotated[bool, typer.Option("--no-progress", help="Print only events and the result.")] = (
        False
    )
    debug: Annotated[bool, typer.Option("--debug", help="Verbose runner logs, and tracebacks of errors.")] = (
        False
    )
    as_json: ResultAsJson = False


@dataclass(frozen=True, kw_only=True)
class ServedOptions:
    """Which model, and what serves it."""

    model: Annotated[
        str,
        typer.Option(
            autocompletion=completing("models"),
            help="hf://ORG/NAME, ORG/NAME, package://PACKAGE/FILE, a path, or a name of models.yaml "
            "(`llmopt list --type models`).",
        ),
    ]
    engine: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing("engines"),
            help="`llmopt list --type engines`. Default: by the model's files, by what is installed, and by "
            "whether a GPU is here.",
        ),
    ] = None
    endpoint: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="A server that runs already (Ollama, LM Studio, SGLang, …), by the address of its API, such "
            "as http://localhost:11434/v1.",
        ),
    ] = None
    endpoint_model: Annotated[
        str | None, typer.Option(help="What the server at --endpoint calls the model. Default: as --model.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class WorkloadOptions:
    """What the model is asked, how fast, and how long that may take."""

    dataset: Annotated[
        str,
        typer.Option(
            autocompletion=completing("datasets"),
            help="A data set's name (`llmopt list --type datasets`), a .jsonl or .csv file, or ORG/NAME of"
            " the hub.",
        ),
    ] = "arithmetic"
    samples: Annotated[
        int,
        typer.Option(
            min=4,
            max=10_000,
            help="Items of the data set that each trial or repeat asks. A data set needs twice as many rows,"
            " and a few more for examples in the prompt.",
        ),
    ] = 32
    max_tokens: Annotated[
        int | None, typer.Option(min=1, max=131_072, help="Longest answer in tokens. Default: 256.")
    ] = None
    concurrency: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="Requests in flight. Default: 8 (`optimize --safe`: 2)."),
    ] = None
    timeout: Annotated[
        str | None, typer.Option(help="Time limit of the study: seconds, 45s, 10m, 1h30m.")
    ] = None
    name: Annotated[str | None, typer.Option(help="The study's name. Default: model and data set.")] = None


@dataclass(frozen=True, kw_only=True)
class Options(WorkloadOptions, ServedOptions):
    """What a person says of a search in one line; everything else keeps the manifest's defaults."""

    trials: Annotated[int, typer.Option(min=1, max=10_000, help="Configurations to try.")] = 40
    method: Annotated[
        Method, typer.Option(case_sensitive=False, help="How the next configuration is chosen.")
    ] = Method.AUTO
    preset: Annotated[
        SearchPreset | None,
        typer.Option(
            case_sensitive=False,
            help="What is searched: parameters that serve this purpose. Default: balanced.",
        ),
    ] = None
    safe: Annotated[
        bool,
        typer.Option(
            "--safe",
            help="For a machine that must not run out of memory: two requests at once, and only sampling and "
            "prompt are searched, so the server's memory stays as it is by default.",
        ),
    ] = False
    objectives: Annotated[
        list[str] | None,
        typer.Option(
            "--objective",
            autocompletion=completing("metrics"),
            help="METRIC or METRIC:minimize; repeat for several. Default: accuracy, right answers a second.",
        ),
    ] = None
    constraints: Annotated[
        list[str] | None,
        typer.Option(
            "--constraint",
            autocompletion=completing("metrics"),
            help="A limit for each configuration, in quotes: 'accuracy>=0.6', 'ttft_ms_p95<=500', or a "
            "change from the baseline, 'peak_memory_mib<=baseline+10%'; repeat for several.",
        ),
    ] = None
    repeats: Annotated[
        int | None,
        typer.Option(min=2, max=50, help="How often the best and the baseline are verified. Default: 5."),
    ] = None
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm/--no-confirm",
            help="Verify the best configurations against the baseline on items that the search never saw.",
        ),
    ] = True


@dataclass(frozen=True, kw_only=True)
class MeasuredOptions(WorkloadOptions):
    """What is measured of candidates, and how often."""

    repeats: Annotated[int, typer.Option(min=2, max=50, help="Measurements of each candidate.")] = 5
    objective: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing("metrics"),
            help="METRIC or METRIC:minimize: decides which one wins. Default: accuracy.",
        ),
    ] = None
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            autocompletion=completing("metrics"),
            help="Also reported; repeat for several. Default: right answers, requests and "
            "tokens a second, time to the first token, memory.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class BenchmarkOptions(MeasuredOptions, ServedOptions):
    """What a person says of a benchmark of one model."""


@dataclass(frozen=True, kw_only=True)
class CompareOptions(MeasuredOptions):
    """What a person says of a comparison of models. The first of `models` is the baseline."""

    models: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL MODEL...",
            autocompletion=completing("models"),
            help="Models to compare, as --model of `llmopt optimize`.",
        ),
    ] = None
    engine: Annotated[
        str | None,
        typer.Option(
            autocompletion=completing("engines"),
            help="For all models. Default: chosen for each as `llmopt optimize` does.",
        ),
    ] = None


@dataclass(frozen=True)
class Target:
    """Which cluster, and where in it: with kubectl's options."""

    namespace: Annotated[
        str | None,
        typer.Option("--namespace", "-n", help="Default: the kubeconfig context's, else `default`."),
    ] = None
    context: Annotated[
        str | None, typer.Option(help="A context of the kubeconfig. Default: its current one.")
    ] = None
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="Default: the files in $KUBECONFIG, ~/.kube/config, or the pod's service account."),
    ] = None
