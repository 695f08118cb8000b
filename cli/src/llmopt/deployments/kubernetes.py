"""A server as Kubernetes objects: a Deployment with its Service, or KServe's InferenceService."""

import json
from collections.abc import Sequence
from typing import Any

from llmopt.deployments.served import NotExportable, Served

Json = dict[str, Any]
_MODELS = "/models"
_SHARED_MEMORY = {"name": "shm", "mountPath": "/dev/shm"}  # noqa: S108 - what the engines' processes share


def deployment(served: Served) -> list[Json]:
    """Return a Deployment, its Service, and a ConfigMap with what goes with each request."""
    labels = {"app.kubernetes.io/name": served.name}
    metadata = {"name": served.name, "labels": labels}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [_container(served)], **_volumes(served)}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    port = {"name": "http", "port": 80, "targetPort": "http"}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"selector": labels, "ports": [port]},
        },
        *_request_fields(served),
    ]


def inference_service(served: Served) -> list[Json]:
    """Return KServe's InferenceService with the server as a container of its own."""
    container = {**_container(served), "name": "kserve-container"}
    predictor = {"minReplicas": 1, "containers": [container], **_volumes(served)}
    return [
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": served.name},
            "spec": {"predictor": predictor},
        },
        *_request_fields(served),
    ]


def _container(served: Served) -> Json:
    probe = {"httpGet": {"path": "/health", "port": "http"}}
    return {
        "name": "server",
        "image": served.image,
        "command": [served.program],
        "args": list(served.arguments),
        **({"env": variables} if (variables := _variables(served)) else {}),
        "ports": [{"name": "http", "containerPort": served.container.port}],
        "startupProbe": {**probe, "periodSeconds": 10, "failureThreshold": 180},
        "readinessProbe": {**probe, "periodSeconds": 10},
        "livenessProbe": {**probe, "periodSeconds": 10, "failureThreshold": 6},
        "resources": _resources(served),
        "volumeMounts": [*_model_mounts(served), _SHARED_MEMORY],
    }


def _variables(served: Served) -> list[Json]:
    variables: list[Json] = [{"name": name, "value": value} for name, value in served.environment.items()]
    if served.token is not None and served.scheme == "hf":
        key = {"name": served.token.name, "key": served.token.key}
        variables.append({"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": key}})
    return variables


def _resources(served: Served) -> Json:
    requests: Json = {}
    if served.memory_mib is not None:
        requests["memory"] = f"{served.memory_mib}Mi"
    limits = {served.gpu_resource: str(served.gpus)} if served.gpus else {}
    parts = {"requests": requests | limits, "limits": limits}
    return {name: part for name, part in parts.items() if part}


def _claim(served: Served) -> str | None:
    return served.source.removeprefix("pvc://").partition("/")[0] if served.scheme == "pvc" else None


def _model_mounts(served: Served) -> list[Json]:
    if claim := _claim(served):
        return [{"name": "model", "mountPath": f"{_MODELS}/{claim}", "readOnly": True}]
    if served.scheme == "hf":
        return [{"name": "model", "mountPath": served.container.cache}]
    raise NotExportable(
        f"spec.model.source {served.source!r} is on this machine, where a cluster cannot read it: name the"
        " same model by --model, as pvc://CLAIM/PATH or hf://ORG/NAME"
    )


def _volumes(served: Served) -> Json:
    claim = _claim(served)
    model: Json = (
        {"persistentVolumeClaim": {"claimName": claim, "readOnly": True}} if claim else {"emptyDir": {}}
    )
    memory = {"name": "shm", "emptyDir": {"medium": "Memory"}}
    return {"volumes": [{"name": "model", **model}, memory]}


def _request_fields(served: Served) -> Sequence[Json]:
    parts = {"fields.json": dict(served.request_fields), "messages.json": served.messages}
    data = {name: json_text(part, indent=2) + "\n" for name, part in parts.items() if part}
    name = f"{served.name}-request-fields"
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
    return (made,) if data else ()


def json_text(value: Any, indent: int | None = None) -> str:
    """Return `value` as JSON, escaped where it has characters that YAML takes for the end of a line."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return text if text.replace("\n", "").isprintable() else json.dumps(value, indent=indent)
