"""llmopt on a cluster, from Python: submit a manifest, wait for it, read what it found.

    import llmopt
    handle = llmopt.cluster.submit(model="hf://org/name", trials=40, namespace="team-a")
    print(handle.wait().gain)

This package is the only one that knows a Kubernetes client. It asks the API server with the user's rights,
and decides nothing about runners: that is the operator's. Read `handles` first, then `conditions`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmopt.cluster.handles import Handle, NotRunnable, PartialTrials, Trial, WaitTimeout, get, submit

__all__ = ["Handle", "NotRunnable", "PartialTrials", "Trial", "WaitTimeout", "get", "submit"]


def __getattr__(name: str) -> Any:
    """Load what `llmopt.cluster` offers when it is first used: commands import this package, too."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("llmopt.cluster.handles"), name)
