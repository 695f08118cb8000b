"""`llmopt report`: the report of a study that lies in a results folder."""

from pathlib import Path

from llmopt.local.folders import ResultsFolder
from llmopt.report.writing import write_report
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_core.resources import load_manifest
from llmopt_core.results.reading import result_of
from llmopt_core.storage.definitions import study_name
from llmopt_core.storage.storages import open_storage


class NoResults(LlmoptError):
    """There is no study where it was looked for."""


def report_study(study: str, output: Path | None, results: Path, storage: str | None) -> Exit:
    """Write the report of `study`, a results folder or a name below `results`; return how it went."""
    try:
        path = _write(study_folder(study, results), output, storage)
    except (LlmoptError, OSError) as error:
        Console(stderr=True).print(f"error: {words_of(error)}", markup=False, highlight=False, soft_wrap=True)
        return Exit.INVALID
    Console().print(f"Report: {path}", markup=False, highlight=False, soft_wrap=True)
    return Exit.FINISHED


def has_results(study: str, results: Path) -> bool:
    """Say whether there is a results folder that `study` names."""
    return any((path / "manifest.yaml").exists() for path in (Path(study), results / study))


def study_folder(study: str, results: Path) -> ResultsFolder:
    """Return the results folder called `study`; raises NoResults, which names those that there are."""
    for path in (Path(study), results / study):
        if (path / "manifest.yaml").exists():
            return ResultsFolder(path)
    known = ", ".join(sorted(manifest.parent.name for manifest in results.glob("*/manifest.yaml")))
    raise NoResults(f"no results in {study} or {results / study}; in {results} there are: {known or 'none'}")


def _write(folder: ResultsFolder, output: Path | None, storage_url: str | None) -> Path:
    text = folder.manifest.read_text(encoding="utf-8")
    resource = load_manifest(text)
    with open_storage(storage_url or folder.storage_url()) as storage:
        study = storage.open_study(study_name(resource))
        path = output or folder.report
        result = result_of(study, resource.spec)
        return write_report(study, result, path, spec=resource.spec, manifest_text=text)
