"""What is exported as text: notes as comments, then YAML."""

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from llmopt.deployments.compose import compose
from llmopt.deployments.kubernetes import deployment, inference_service, json_text
from llmopt.deployments.served import Served
from llmopt.options import Form

_BUILDERS: Mapping[Form, Callable[[Served], list[dict[str, Any]]]] = {
    Form.DEPLOYMENT: deployment,
    Form.KSERVE: inference_service,
    Form.COMPOSE: lambda served: [compose(served)],
}


class _Dumper(yaml.SafeDumper):
    """Writes YAML as people do: no anchors, and texts of several lines as such."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Write everything where it stands."""
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Write `data`, as a block where it has several lines."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def exported(served: Served, form: Form) -> str:
    """Return `served` as a file of the given form. Raises NotExportable."""
    documents = _BUILDERS[form](served)
    text = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return "".join(f"# {line}\n" for line in _notes(served)) + text


def _notes(served: Served) -> list[str]:
    notes = [line for note in served.notes for line in note.splitlines()]
    if served.request_fields:
        notes.append(f"Send with each request: {json_text(dict(served.request_fields))}")
    if served.messages:
        messages = json_text(served.messages)
        notes.append(f"Ask with these messages, the question in place of {{question}}: {messages}")
    if served.needs:
        notes.append(f"The image needs {served.needs}.")
    return [*notes, _version_note(served)]


def _version_note(served: Served) -> str:
    if served.measured and served.measured.rpartition(" ")[2] in served.image:
        return f"Measured with {served.measured}, which the image has."
    measured = f" ({served.measured})" if served.measured else ""
    return f"Pin the image to the engine's version that was measured{measured}: {served.image}"
