"""`llmopt export`: a result, here or in the cluster, as something to deploy."""

import sys
from pathlib import Path

from llmopt.cluster.commands.exits import say
from llmopt.cluster.commands.studies import OpenStudy, Places, with_studies
from llmopt.deployments.served import Asked, served
from llmopt.deployments.text import exported
from llmopt.options import Form, Target
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.results.reading import result_of


def export(name: str, form: Form, asked: Asked, output: Path | None, places: Places, target: Target) -> Exit:
    """Write the result of the study called `name` as `form` to `output`, or print it."""

    def text_of(found: OpenStudy) -> str:
        study, result = found.study, result_of(found.study, found.resource.spec)
        return exported(served(found.resource, study.definition, study.trials(), result, asked), form)

    def show(text: str) -> None:
        if output is None:
            sys.stdout.write(text)
            return
        output.write_text(text, encoding="utf-8")
        say(Console(stderr=True), f"Written: {output}")

    return with_studies([name], places, target, text_of, lambda texts: show(texts[0]))
