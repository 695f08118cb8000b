"""What a runner's pod finds on its disks: its manifest, data sets, models, and space to write."""

from collections.abc import Sequence
from typing import Any

from llmopt_core.resources import Resource
from llmopt_core.resources.pods import ExtraVolume
from llmopt_core.resources.serving import Model

MANIFEST_FOLDER = "/etc/llmopt/manifest"
CONFIG_MAPS_FOLDER = "/etc/llmopt/config-maps"
MODELS_FOLDER = "/models"
_CLAIM_SCHEME = "pvc://"


def volumes(manifest: str, resource: Resource, models: Sequence[Model]) -> list[dict[str, Any]]:
    """Return the pod's volumes; the ConfigMap `manifest` holds what the runners are given."""
    runners = resource.spec.runners
    cache: dict[str, Any] = {"emptyDir": {}}
    if runners.cache_claim:
        cache = {"persistentVolumeClaim": {"claimName": runners.cache_claim}}
    return [
        {"name": "manifest", "configMap": {"name": manifest}},
        {"name": "results", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "cache", **cache},
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
        *(
            {"name": f"model-{number}", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
            for number, claim in enumerate(_claims(models))
        ),
        *({"name": f"dataset-{number}", "configMap": {"name": name}} for number, name in _datasets(resource)),
        *(_extra_volume(volume) for volume in runners.template.volumes),
    ]


def mounts(resource: Resource, models: Sequence[Model]) -> list[dict[str, Any]]:
    """Return where the container finds them."""
    return [
        {"name": "manifest", "mountPath": MANIFEST_FOLDER, "readOnly": True},
        {"name": "results", "mountPath": "/results"},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
        {"name": "cache", "mountPath": "/cache"},
        {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108 - the pod's own
        *(
            {"name": f"model-{number}", "mountPath": f"{MODELS_FOLDER}/{claim}", "readOnly": True}
            for number, claim in enumerate(_claims(models))
        ),
        *(
            {"name": f"dataset-{number}", "mountPath": f"{CONFIG_MAPS_FOLDER}/{name}", "readOnly": True}
            for number, name in _datasets(resource)
        ),
        *(_extra_mount(volume) for volume in resource.spec.runners.template.volumes),
    ]


def _extra_volume(volume: ExtraVolume) -> dict[str, Any]:
    document = volume.model_dump(by_alias=True, exclude_none=True)
    return {"name": _extra_name(volume), **{kind: document[kind] for kind in volume.kinds}}


def _extra_mount(volume: ExtraVolume) -> dict[str, Any]:
    return {"name": _extra_name(volume), "mountPath": volume.mount_path, "readOnly": volume.read_only}


def _extra_name(volume: ExtraVolume) -> str:
    """A name that none of the operator's own volumes has."""
    return f"x-{volume.name}"


def _claims(models: Sequence[Model]) -> tuple[str, ...]:
    sources = (model.source.removeprefix(_CLAIM_SCHEME) for model in models if _is_claim(model))
    return tuple(dict.fromkeys(source.partition("/")[0] for source in sources))


def _is_claim(model: Model) -> bool:
    return model.source.startswith(_CLAIM_SCHEME)


def _datasets(resource: Resource) -> list[tuple[int, str]]:
    reference = resource.spec.workload.dataset.config_map_key_ref
    return [] if reference is None else [(0, reference.name)]
