"""What an administrator decides, for all resources: one file, checked when the operator starts."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import Field, ValidationError

from llmopt_core.api.kinds import GROUP
from llmopt_core.api.objects import LEASE, STORAGE_SECRET, STORAGE_SECRET_KEY
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.base import Identifier, Name, Part
from llmopt_core.resources.pods import Resources

VolumeKind = Literal["persistentVolumeClaim", "emptyDir", "configMap"]
Port = Annotated[int, Field(ge=0, le=65_535)]
# What resources may name; a last "/" allows what begins so, ALL anything.
Allowed = list[Annotated[str, Field(min_length=1, max_length=317)]]
ALL = "*"
# Stands for the last part of the tag, which an engine declares.
IMAGE_PLACE = "{image}"
Image = Annotated[str, Field(min_length=1, max_length=512)]


class SettingsInvalid(LlmoptError):
    """The settings file cannot be used as it stands."""


class StorageSettings(Part):
    """Where each namespace keeps the URL of its own database."""

    secret_name: Name = STORAGE_SECRET
    key: Annotated[str, Field(min_length=1, max_length=253)] = STORAGE_SECRET_KEY


class Policy(Part):
    """What resources may ask for."""

    images: Annotated[
        list[Image],
        Field(description="Images that runners may be of: whole, or a beginning that ends before /, : or @."),
    ] = Field(default_factory=list)
    engines: Annotated[list[Identifier], Field(description="Engines; empty: all.")] = Field(
        default_factory=list
    )
    trust_remote_code: Annotated[bool, Field(description="Whether a model may bring code.")] = False
    volume_kinds: list[VolumeKind] = Field(default_factory=lambda: list(get_args(VolumeKind)))
    service_accounts: Allowed = Field(default_factory=list)
    priority_classes: Allowed = Field(default_factory=list)
    runtime_classes: Allowed = Field(default_factory=list)
    tolerations: Annotated[Allowed, Field(description="Keys of taints.")] = Field(
        default_factory=lambda: ["nvidia.com/gpu", "amd.com/gpu"]
    )
    annotations: Annotated[Allowed, Field(description="Keys of pods' annotations.")] = Field(
        default_factory=list
    )
    environment: Annotated[
        Allowed, Field(description="Environment variables: whole names, or beginnings that end with _.")
    ] = Field(default_factory=list)
    labels: Annotated[Allowed, Field(description="Keys of pods' labels.")] = Field(
        default_factory=lambda: [ALL]
    )
    secret_selector: Annotated[
        str,
        Field(
            pattern=r"^([^=, ]+=[^=, ]*(,[^=, ]+=[^=, ]*)*)?$",
            description="Labels of the Secrets that resources may refer to, LABEL=VALUE; empty: any Secret.",
        ),
    ] = f"{GROUP}/allowed=true"

    @property
    def secret_labels(self) -> dict[str, str]:
        """The labels that a Secret must have for a resource to refer to it."""
        pairs = (part.partition("=") for part in self.secret_selector.split(",") if part)
        return {label: value for label, _, value in pairs}


class RolloutSettings(Part):
    """Whether winners may be written into Deployments."""

    enabled: bool = False


class LeaderElection(Part):
    """The Lease that lets one operator act at a time."""

    enabled: bool = True
    namespace: Annotated[str, Field(max_length=63)] = ""
    name: Name = LEASE


def _runner_resources() -> Resources:
    return Resources(requests={"cpu": "1", "memory": "2Gi"})


class OperatorSettings(Part):
    """All settings; every one has a default."""

    namespaces: Annotated[list[Name], Field(description="Watched namespaces; empty: all.")] = Field(
        default_factory=list
    )
    images: Annotated[dict[Identifier, Image], Field(description="Runner image by engine.")] = Field(
        default_factory=dict
    )
    runner_image: Annotated[
        str,
        Field(
            max_length=512,
            description=f"Image of engines that `images` does not name; {IMAGE_PLACE} is the engine's part.",
        ),
    ] = ""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    storage: StorageSettings = StorageSettings()
    policy: Policy = Policy()
    runner_resources: Resources = Field(default_factory=_runner_resources)
    rollout: RolloutSettings = RolloutSettings()
    leader_election: LeaderElection = LeaderElection()
    poll_seconds: Annotated[int, Field(ge=1, le=60)] = 2
    metrics_port: Port = 8080
    health_port: Port = 8081


def load_settings(path: Path | None) -> OperatorSettings:
    """Return the settings in the YAML file at `path`, the defaults without one.

    Raises SettingsInvalid, with every fault by field, and OSError where the file cannot be read.
    """
    if path is None:
        return OperatorSettings()
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return OperatorSettings.model_validate(document)
    except yaml.YAMLError as error:
        raise SettingsInvalid(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        faults = (
            f"{'.'.join(str(step) for step in fault['loc']) or 'settings'}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        )
        raise SettingsInvalid("\n".join(f"{path}: {fault}" for fault in faults)) from error
