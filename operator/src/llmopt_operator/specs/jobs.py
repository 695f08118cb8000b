"""The Job of a resource: one Indexed Job of runners, restricted, without rights of its own.

A runner's reserved exit codes say what Kubernetes should do: a study that failed or a manifest that cannot be
used end the Job, a disruption costs no retry, and all else is tried again with a growing pause.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from llmopt_core.api.environment import DENY, Variable
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.api.objects import RUNNER_CONTAINER, Label
from llmopt_core.resources import Resource
from llmopt_core.resources.serving import SecretKey
from llmopt_operator.domain.contents import Referenced, models_of, secret_uses
from llmopt_operator.domain.images import image_of
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.names import (
    child_name,
    labels_of,
    manifest_hash,
    owner_of,
)
from llmopt_operator.specs.volumes import mounts, volumes

METRICS_PORT = 9090
_SCRAPED = {"prometheus.io/scrape": "true", "prometheus.io/port": str(METRICS_PORT)}
# Times one runner is started again before its index is given up; the pause grows up to ten minutes.
RETRIES_PER_INDEX = 12
GRACE_SECONDS = 60
USER = 10001


def runner_job(
    document: Mapping[str, Any],
    resource: Resource,
    settings: OperatorSettings,
    referenced: Referenced = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the Job that runs `resource`, whose whole document as the API server has it is `document`.

    `referenced` are the optimizations that candidates refer to.
    """
    runners, metadata = resource.spec.runners, document["metadata"]
    hash_ = manifest_hash(document)
    name = child_name(document, hash_)
    labels = labels_of(document["kind"], metadata["name"], hash_)
    queue = {Label.QUEUE: runners.queue_name} if runners.queue_name else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {**labels, **queue},
            "ownerReferences": [owner_of(document)],
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": runners.count,
            "parallelism": runners.count,
            "backoffLimitPerIndex": RETRIES_PER_INDEX,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": _failure_rules()},
            # A queue admits the Job by taking this back.
            "suspend": bool(runners.queue_name),
            "template": {
                "metadata": {
                    "labels": {**runners.template.labels, **labels},
                    "annotations": {**_SCRAPED, **runners.template.annotations},
                },
                "spec": _pod(name, resource, settings, referenced),
            },
        },
    }


def _failure_rules() -> list[dict[str, Any]]:
    def on_exit(action: str, *codes: RunnerExit) -> dict[str, Any]:
        exits = {"containerName": RUNNER_CONTAINER, "operator": "In", "values": list(codes)}
        return {"action": action, "onExitCodes": exits}

    return [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        on_exit("FailJob", RunnerExit.STUDY_FAILED, RunnerExit.INVALID),
        on_exit("Ignore", RunnerExit.INTERRUPTED),
    ]


def _pod(
    manifest: str, resource: Resource, settings: OperatorSettings, referenced: Referenced
) -> dict[str, Any]:
    """Return the pod whose manifest is in the ConfigMap `manifest`, of the Job's own name."""
    template = resource.spec.runners.template
    optional = {
        "nodeSelector": dict(template.node_selector),
        "tolerations": [
            toleration.model_dump(by_alias=True, exclude_none=True) for toleration in template.tolerations
        ],
        "affinity": template.affinity
        and template.affinity.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True),
        "resourceClaims": [
            claim.model_dump(by_alias=True, exclude_none=True) for claim in template.resource_claims
        ],
        "serviceAccountName": template.service_account_name,
        "runtimeClassName": template.runtime_class_name,
        "priorityClassName": template.priority_class_name,
        "imagePullSecrets": [{"name": name} for name in template.image_pull_secrets],
    }
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(resource, settings, referenced)],
        "volumes": volumes(manifest, resource, models_of(resource, referenced)),
        **{field: value for field, value in optional.items() if value},
    }


def _container(resource: Resource, settings: OperatorSettings, referenced: Referenced) -> dict[str, Any]:
    return {
        "name": RUNNER_CONTAINER,
        "image": image_of(resource, referenced, settings),
        "imagePullPolicy": settings.image_pull_policy,
        "args": [
            "--manifest", "/etc/llmopt/manifest/manifest.yaml",
            "--results", "/results",
            "--metrics-port", str(METRICS_PORT),
        ],
        "env": _environment(resource, settings, referenced),
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT}],
        "resources": _resources(resource, settings),
        # Its last words end up in the pod's status: what a person reads first.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts(resource, models_of(resource, referenced)),
    }  # fmt: skip


def _environment(
    resource: Resource, settings: OperatorSettings, referenced: Referenced
) -> list[dict[str, Any]]:
    secrets = {
        Variable.STORAGE_URL: SecretKey(name=settings.storage.secret_name, key=settings.storage.key),
        **{use.variable: use.secret for use in secret_uses(resource, referenced)},
    }
    plain = {"HF_HOME": "/cache", "HOME": "/tmp", Variable.COMPILE_CACHE: "/cache/compiled"}  # noqa: S108 - the pod's own
    if not settings.policy.trust_remote_code:
        plain[Variable.REMOTE_CODE] = DENY
    own = {variable.name: variable.value for variable in resource.spec.runners.template.env}
    if own:
        plain[Variable.ENGINE_VARIABLES] = ",".join(own)
    return [
        # First: Kubernetes puts only variables that stand before one into its value.
        *({"name": name, "value": value} for name, value in own.items()),
        *({"name": name, "value": value} for name, value in plain.items()),
        *(
            {"name": name, "valueFrom": {"secretKeyRef": {"name": secret.name, "key": secret.key}}}
            for name, secret in secrets.items()
        ),
    ]


def _resources(resource: Resource, settings: OperatorSettings) -> dict[str, Any]:
    own = resource.spec.runners.resources
    asked = own if own.requests or own.limits else settings.runner_resources
    claims = [{"name": claim.name} for claim in resource.spec.runners.template.resource_claims]
    return {
        **asked.model_dump(by_alias=True, exclude_defaults=True),
        **({"claims": claims} if claims else {}),
    }
