"""A whole cluster on this machine: control plane, node and database, each reachable by the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster import requirements
from cluster.control_plane import ControlPlane
from cluster.databases import Database
from cluster.images import RECIPES, image
from cluster.networks import NodeMachine
from cluster.node import Node


@dataclass(frozen=True)
class Cluster:
    """The parts of a cluster that runs."""

    plane: ControlPlane
    machine: NodeMachine
    node: Node
    database: Database


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Yield a cluster that takes pods; its logs are in `folder`. Raises NodeUnavailable."""
    requirements.provide()
    pause = image("pause")
    with (
        NodeMachine(folder / "node") as machine,
        ControlPlane(folder / "plane", address=machine.host_address, scheduler=True) as plane,
        Node(plane, machine, pause=RECIPES["pause"].name) as node,
        Database(folder / "database", machine.host_address) as database,
    ):
        node.load_image(pause)
        yield Cluster(plane, machine, node, database)
