"""How the cluster's commands speak: one connection, one clear sentence for each error, one exit code."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from llmopt.cluster.connections import connected
from llmopt.cluster.errors import ClusterUnreachable
from llmopt.options import Target
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_core.storage.errors import StorageUnavailable

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster


def on_cluster(target: Target, work: "Callable[[Cluster], Exit]") -> Exit:
    """Do `work` on the cluster of `target`; say what kept it from being done and return the code for that."""
    errors = Console(stderr=True)
    try:
        with connected(target) as cluster:
            return work(cluster)
    except (ClusterUnreachable, StorageUnavailable) as error:
        say(errors, f"error: {error}")
        return Exit.UNFINISHED
    except (LlmoptError, OSError) as error:
        say(errors, f"error: {words_of(error)}")
    return Exit.INVALID


def say(console: Console, text: str) -> None:
    """Print `text` as it is, whatever brackets it holds."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
