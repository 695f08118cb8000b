"""`llmopt report` of a study in the cluster: from its database, as one HTML file here."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmopt.cluster.commands.speaking import on_cluster, say
from llmopt.cluster.databases import opened_study
from llmopt.cluster.finding import find, reference
from llmopt.cluster.kubeconfigs import is_configured
from llmopt.commands.reporting import has_results, report_study
from llmopt.manifests import as_yaml
from llmopt.options import Target
from llmopt.report.writing import write_report
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.resources.hashed import served_document
from llmopt_core.resources.loading import resource_of
from llmopt_core.results.reading import result_of

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster


@dataclass(frozen=True)
class ReportWanted:
    """Of what a report is to be written, where it goes, and where studies are looked for."""

    study: str
    output: Path | None
    results: Path
    storage: str | None
    database_at: str | None = None


def report(wanted: ReportWanted, target: Target) -> Exit:
    """Write the report of a results folder, or of a study in the cluster where there is no such folder."""
    asked = target != Target() or wanted.database_at is not None
    if not asked and (has_results(wanted.study, wanted.results) or not is_configured()):
        return report_study(wanted.study, wanted.output, wanted.results, wanted.storage)
    return on_cluster(target, lambda cluster: report_on(cluster, wanted))


def report_on(cluster: "Cluster", wanted: ReportWanted) -> Exit:
    """Write the report of a study in the cluster."""
    _, document = find(cluster, reference((wanted.study,)), cluster.access.namespace)
    resource = resource_of(served_document(document))
    path = wanted.output or Path(f"{resource.metadata.name}-report.html")
    with opened_study(cluster, document, storage=wanted.storage, at=wanted.database_at) as study:
        text = as_yaml(_manifest(document))
        write_report(study, result_of(study, resource.spec), path, spec=resource.spec, manifest_text=text)
    say(Console(), f"Report: {path}")
    return Exit.FINISHED


def _manifest(document: dict[str, Any]) -> dict[str, Any]:
    """Return the resource as a person would write it."""
    metadata = {field: document["metadata"][field] for field in ("name", "namespace")}
    return {
        **{field: document[field] for field in ("apiVersion", "kind")},
        "metadata": metadata,
        "spec": document["spec"],
    }
