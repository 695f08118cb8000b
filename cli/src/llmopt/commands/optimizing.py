"""`llmopt optimize`: a manifest built from options, shown or run."""

import sys

from rich.console import Console

from llmopt.checking import InputInvalid, checked
from llmopt.commands.running import Run, run_text
from llmopt.commands.validating import print_faults
from llmopt.manifests import OptionInvalid, as_yaml, build
from llmopt.options import Options, RunOptions
from llmopt_core.api.exit_codes import Exit

SOURCE = "<options>"


def optimize_options(asked: Options, options: RunOptions, *, dry_run: bool) -> Exit:
    """Run what `asked` describes, or with `dry_run` print its manifest; return how it ended."""
    errors = Console(stderr=True)
    try:
        text = as_yaml(build(asked))
        checked(text, SOURCE)
    except OptionInvalid as error:
        errors.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
        return Exit.INVALID
    except InputInvalid as error:
        print_faults(errors, error)
        return Exit.INVALID
    if dry_run:
        sys.stdout.write(text)
        return Exit.FINISHED
    return run_text(text, SOURCE, Run(options))
