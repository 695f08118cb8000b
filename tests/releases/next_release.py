"""A later version of this one: new fields of all sorts that have a default, and a stricter operator.

python -m releases.next_release operator [ARGUMENT...]    runs its operator
python -m releases.next_release generate FOLDER           writes its definitions and its chart's under FOLDER
python -m releases.next_release fingerprints RELEASE      prints what it computes from a record's manifests
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

from llmopt_core.resources.base import Identifier, Part
from llmopt_core.resources.benchmark import BenchmarkSpec, Candidate, LLMBenchmark
from llmopt_core.resources.faults import Fault
from llmopt_core.resources.optimization import LLMOptimization, OptimizationSpec
from llmopt_core.resources.pods import PodTemplate, Runners
from llmopt_core.resources.rules import Immutable
from llmopt_core.resources.searching import IntRange, Search, SearchParameter, Space
from llmopt_core.resources.serving import Dataset, Workload

_Words = Annotated[list[str], Field(max_length=4)]
_Notes = Annotated[dict[Identifier, Annotated[str, Field(max_length=8)]], Field(max_length=4)]


# The later operator takes no optimization with more.
MOST_TRIALS = 600


class Safety(Part):
    """A new object; all that is in it has a default."""

    level: Literal["normal", "strict"] = "normal"
    words: _Words = Field(default_factory=list)


_NEW_FIELDS: tuple[tuple[type[Part], str, Any, Any], ...] = (
    (Dataset, "shuffle", bool, True),
    (IntRange, "priority", int, 1),
    (SearchParameter, "notes", _Notes, {}),
    (PodTemplate, "priority", int, 0),
    (Candidate, "tags", _Words, []),
    (OptimizationSpec, "safety", Safety, Safety()),
    (BenchmarkSpec, "safety", Safety, Safety()),
    (BenchmarkSpec, "comment", Annotated[str | None, Field(max_length=8)], None),
)
# What holds the changed types, from the inside out: each takes its parts' schemas when it is built.
_REBUILT: tuple[type[Part], ...] = (
    Dataset, Workload, IntRange, SearchParameter, Space, Search, PodTemplate, Runners, Candidate,
    OptimizationSpec, BenchmarkSpec, LLMOptimization, LLMBenchmark,
)  # fmt: skip


def grow() -> None:
    """Add the new fields to the types of this process."""
    for part, name, annotation, default in _NEW_FIELDS:
        field = FieldInfo.from_annotated_attribute(annotation, default)
        field.alias = field.validation_alias = field.serialization_alias = name
        part.__annotations__[name] = annotation
        part.__pydantic_fields__[name] = field
    for spec in (OptimizationSpec, BenchmarkSpec):
        spec.immutable = (*spec.immutable, Immutable("safety"))
    for part in _REBUILT:
        for field in part.model_fields.values():
            if isinstance(default := field.default, Part):
                field.default = type(default).model_validate(default.model_dump(by_alias=True))
        part.model_rebuild(force=True)


def tighten() -> None:
    """Add a rule to what manifests are checked for, which those of this version may break."""
    from llmopt_core.resources import validation  # noqa: PLC0415 - the types must have grown before

    former = validation.optimization_faults

    def stricter(spec: Any, known: Any) -> Iterator[Fault]:
        yield from former(spec, known)
        if spec.budget.trials > MOST_TRIALS:
            yield Fault("spec.budget.trials", spec.budget.trials, f"at most {MOST_TRIALS}")

    validation.optimization_faults = stricter


def fingerprints(release: Path) -> Iterator[tuple[str, str]]:
    """Give the fingerprint of each manifest and each resource of a record."""
    from releases.recorded import resources  # noqa: PLC0415 - the types must have grown before

    from llmopt_core.resources import load_manifest, resource_of  # noqa: PLC0415 - as above
    from llmopt_core.resources.hashed import served_document  # noqa: PLC0415 - as above
    from llmopt_core.storage.definitions import fingerprint  # noqa: PLC0415 - as above

    for path in release.glob("manifests/*.yaml"):
        yield f"manifests/{path.name}", fingerprint(load_manifest(path).spec)
    for name, document in resources(release).items():
        yield name, fingerprint(resource_of(served_document(document)).spec)


def main(program: str, *arguments: str) -> int:
    """Run one of the programs."""
    grow()
    if program == "fingerprints":
        sys.stdout.write(json.dumps(dict(fingerprints(Path(*arguments)))))
        return 0
    if program == "generate":
        from llmopt_core.resources import generate  # noqa: PLC0415 - the types must have grown before

        return generate.main(["--root", *arguments])
    tighten()
    from llmopt_operator.main import main as operator  # noqa: PLC0415 - as above

    sys.argv[1:] = arguments
    return operator()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
