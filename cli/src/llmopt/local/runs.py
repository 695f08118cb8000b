"""From a manifest to a result: the one way that the command and the Python API share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from llmopt.local.estimates import estimate
from llmopt.local.fleets import RUNNER_COMMAND, Fleet, Launcher, lifeline
from llmopt.local.metrics import metrics_ports, where_served
from llmopt.local.sessions import Audience, Pace, Session, SessionEnd, Stop
from llmopt.local.studies import LocalStudy
from llmopt.machine import gpus
from llmopt.report.files import write_report
from llmopt.report.pages import ReportUnavailable
from llmopt.results import write_best
from llmopt_core.results.reading import result_of
from llmopt_core.results.results import Result
from llmopt_core.storage.studies import Study


@dataclass(frozen=True)
class RunSettings:
    """How the runners are started: how many (None: as the manifest says), by which program.

    `metrics_port`: where the first of them serves metrics (0: any free port), None: nowhere. `gpus_command`
    prints the GPUs that several runners share out.
    """

    runners: int | None = None
    command: tuple[str, ...] = RUNNER_COMMAND
    pace: Pace = field(default_factory=Pace)
    environment: Mapping[str, str] = field(default_factory=dict)
    metrics_port: int | None = None
    gpus_command: tuple[str, ...] = gpus.COMMAND


@dataclass(frozen=True)
class Finding:
    """The result so far, and how the runners ended (None: the study was over before)."""

    result: Result
    session: SessionEnd | None


def find(local: LocalStudy, settings: RunSettings, stop: Stop, audience: Audience) -> Finding:
    """Run the study of `local` to its end or until `stop`; blocks.

    Writes best.json and the report beside the study. Raises FolderBusy, ManifestChanged, StorageUnavailable
    and what the definition of a study raises.
    """
    with local.folder.locked() as lock, local.opened() as study, lifeline() as line:
        end = None
        if study.ended is None:
            spec = local.resource.spec
            count = settings.runners or spec.runners.count
            ports = metrics_ports(settings.metrics_port, count)
            shared_out = gpus.deal(gpus.assignable(settings.gpus_command), count) if count > 1 else None
            sentences = shared_out.sentences() if shared_out is not None else ()
            plan = estimate(study, local, count)
            for sentence in (plan, *where_served(ports), *sentences):
                audience.event(sentence)
            launcher = Launcher(
                local.folder,
                local.storage_url,
                lock,
                line,
                settings.command,
                settings.environment,
                ports,
                shared_out,
            )
            fleet = Fleet(launcher, count)
            end = Session(study, spec, fleet, settings.pace).run(stop, audience)
        result = write_results(study, local, audience)
        return Finding(result, end)


def write_results(study: Study, local: LocalStudy, audience: Audience) -> Result:
    """Write best.json and the report into the results folder and return the result."""
    result = result_of(study, local.resource.spec, local.folder.report)
    write_best(result, local.folder.best)  # first: a report that cannot be drawn must not cost the result
    try:
        write_report(
            study, result, local.folder.report, spec=local.resource.spec, manifest_text=local.manifest_text
        )
    except ReportUnavailable as error:
        audience.event(str(error))
        return replace(result, report=None)
    return result
