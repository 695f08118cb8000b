"""`llmopt report`: the report of a study, here or in the cluster, as one HTML file here."""

from pathlib import Path

from llmopt.cluster.commands.speaking import say
from llmopt.cluster.commands.studies import OpenStudy, Places, with_studies
from llmopt.options import Target
from llmopt.report.writing import write_report
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.results.reading import result_of


def report(name: str, output: Path | None, places: Places, target: Target) -> Exit:
    """Write the report of the study called `name`."""

    def written(found: OpenStudy) -> Path:
        path = output or _default_path(found)
        result = result_of(found.study, found.resource.spec)
        return write_report(
            found.study, result, path, spec=found.resource.spec, manifest_text=found.manifest_text
        )

    return with_studies([name], places, target, written, lambda paths: say(Console(), f"Report: {paths[0]}"))


def _default_path(found: OpenStudy) -> Path:
    if found.folder is None:
        return Path(f"{found.resource.metadata.name}-report.html")
    return found.folder.report
