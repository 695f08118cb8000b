"""From a person's options to the cluster, loading the client only now."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llmopt.cluster.errors import ClientMissing
from llmopt.cluster.kubeconfigs import find_access
from llmopt.options import Target
from llmopt_core.installation import install_command

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster


def connect(target: Target) -> "Cluster":
    """Return the cluster that `target` names; nothing is asked of it yet.

    Raises ClientMissing and KubeconfigInvalid.
    """
    try:
        from llmopt.cluster.clients import Cluster  # noqa: PLC0415 - an extra's packages, and slow to load
    except ModuleNotFoundError as error:
        raise ClientMissing(
            f"a cluster needs packages that are not installed ({error.name}): {install_command('cluster')}"
        ) from error
    return Cluster(find_access(target))


@contextmanager
def connected(target: Target) -> "Iterator[Cluster]":
    """Give the cluster that `target` names, and close its connections afterwards."""
    cluster = connect(target)
    try:
        yield cluster
    finally:
        cluster.close()
