"""A volume of the test cluster's node: there is no storage class that would make one."""

import json
from pathlib import Path

from cluster.control_plane import ControlPlane


def give_volume(plane: ControlPlane, name: str, folder: Path, node: str) -> None:
    """Make a volume in `folder` of `node`, which a claim without a storage class is bound to."""
    for each in (folder, *folder.parents):
        each.chmod(each.stat().st_mode | 0o055)
    terms = [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "8Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": terms}]}},
        },
    }
    plane.kubectl("apply", "-f", "-", input=json.dumps(volume))
